"""The catalog as a whole: read out, and brought back into one that lacks it."""
