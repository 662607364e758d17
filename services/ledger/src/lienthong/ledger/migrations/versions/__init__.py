"""One module, one step."""
