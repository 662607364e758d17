"""Event types: kinds of events that systems publish, with the JSON Schema of their data."""
