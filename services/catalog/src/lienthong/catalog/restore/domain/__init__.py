"""What is exported of a resource, and whether it can be restored."""
