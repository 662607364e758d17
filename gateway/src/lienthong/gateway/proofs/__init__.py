"""DPoP proofs of callers (RFC 9449): whether one is good, and which were used, here or elsewhere."""
