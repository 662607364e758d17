"""The rules of agreements, on plain values."""
