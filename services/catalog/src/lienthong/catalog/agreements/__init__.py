"""Agreements: which system may use which service or event type, and for which purposes."""
