"""Agencies: organisations with an official code."""
