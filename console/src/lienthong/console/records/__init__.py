"""The audit trail: searching the calls that one's roles let one read."""
