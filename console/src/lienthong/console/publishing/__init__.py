"""Preparing, publishing and ending the services of an agency."""
