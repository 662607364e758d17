"""The rules of OpenID Connect, on plain values."""
