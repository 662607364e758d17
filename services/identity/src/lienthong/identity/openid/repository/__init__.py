"""The queries of OpenID Connect."""
