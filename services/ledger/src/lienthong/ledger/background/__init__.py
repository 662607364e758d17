"""What runs beside requests: reading the journal into the log, and pruning it."""
