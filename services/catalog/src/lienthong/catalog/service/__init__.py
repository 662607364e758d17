"""Units of work, reading and watching, for all kinds of resources."""
