"""What an apply would change, computed on plain values."""
