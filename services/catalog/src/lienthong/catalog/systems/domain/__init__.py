"""The rules of systems, on plain values."""
