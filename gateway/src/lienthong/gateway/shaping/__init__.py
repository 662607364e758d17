"""Only the fields that an agreement names leave of a provider's answers."""
