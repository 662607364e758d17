"""Revisions of the exchange's database."""
