"""HTTP/1.1 towards providers (RFC 9112): connections that are kept, on the worker's own event loop."""
