"""The rules of event types."""
