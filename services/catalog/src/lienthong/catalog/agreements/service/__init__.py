"""What the catalog does with agreements, and with requests for them."""
