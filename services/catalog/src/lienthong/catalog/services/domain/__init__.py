"""The rules of services, on plain values."""
