"""The rules of mergers, on plain values."""
