"""What runs beside requests: the consumer of the catalog's events, and timers."""
