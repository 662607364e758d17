"""Shapes of what comes in and goes out over REST, shared by all kinds of resources."""
