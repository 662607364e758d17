"""How services are used: by whom, for what, which calls fail, and who talks to whom."""
