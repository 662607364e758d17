"""Alembic revisions of the catalog's tables."""
