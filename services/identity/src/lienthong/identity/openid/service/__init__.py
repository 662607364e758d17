"""What becomes of the requests of applications, and of the browsers that they send."""
