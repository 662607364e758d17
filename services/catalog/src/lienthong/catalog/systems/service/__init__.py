"""What the catalog does with systems, and with their keys."""
