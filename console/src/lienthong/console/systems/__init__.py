"""Agencies, their systems, and the keys with which systems prove themselves."""
