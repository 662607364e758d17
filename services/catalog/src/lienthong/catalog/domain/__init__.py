"""The rules that all kinds of resources share, on plain values. No I/O."""
