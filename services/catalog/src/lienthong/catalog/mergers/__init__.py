"""Mergers: agencies end, and another one takes over what they have."""
