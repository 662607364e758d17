"""What the identity service does: issue tokens, register clients, rotate signing keys."""
