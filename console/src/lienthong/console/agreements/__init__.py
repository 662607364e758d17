"""Agreements: asking for them, deciding on them, and what was done with each."""
