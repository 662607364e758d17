"""The three sides of OpenID Connect: browsers, applications, and who registers applications."""
