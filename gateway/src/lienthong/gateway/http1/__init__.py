"""HTTP/1.1 (RFC 9112) on the worker's own event loop: what callers send, and connections to providers."""
