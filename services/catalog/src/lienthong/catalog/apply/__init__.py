"""Applying manifests: one request creates or updates resources of every kind, all of them or none."""
