"""OpenID Connect: people sign in here, and applications are told who it is."""
