"""Finding in the catalog, and reading what was found."""
