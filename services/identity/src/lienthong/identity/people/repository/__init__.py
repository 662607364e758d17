"""All queries on people. Each uses the session that it is given, and never commits."""
