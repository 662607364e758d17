"""How the services are used: calls counted by who asked for what, for whom, and how it ended."""
