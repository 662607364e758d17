"""The rules of agencies, on plain values."""
