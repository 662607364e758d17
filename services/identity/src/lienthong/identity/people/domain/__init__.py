"""The rules of accounts, on plain values."""
