"""What the gateway shows to providers that ask who comes: secrets, tokens, certificates, X-Road's headers."""
