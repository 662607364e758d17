"""The identity service: an OAuth 2 authorization server for systems, and the keys that verify its tokens."""
