"""The console of Liên thông: the pages on which people work on the platform itself."""
