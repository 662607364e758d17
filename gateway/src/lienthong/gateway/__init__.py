"""The way of a call: match, authenticate, authorize, forward, record, answer."""
