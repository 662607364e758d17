"""The exchange's rules on plain values: no I/O, no database, no web framework."""
