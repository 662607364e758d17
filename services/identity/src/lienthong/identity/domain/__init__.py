"""The rules of the identity service on plain values: clients, assertions, scopes, tokens, key rotation."""
