"""Information systems of agencies: the clients that hold keys, call and provide."""
