"""What runs beside requests: reading the stream of events, upkeep of consumers, following the catalog."""
