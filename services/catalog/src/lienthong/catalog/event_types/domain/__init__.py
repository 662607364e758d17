"""The rules of event types, on plain values."""
