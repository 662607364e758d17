"""Manifests: YAML files with positions, so that every mistake names its file, line and field."""
