"""The rules of searching: words, what is found by them, and what is shown of it."""
