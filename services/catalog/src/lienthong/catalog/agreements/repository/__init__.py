"""The queries on agreements and on what was done with them."""
