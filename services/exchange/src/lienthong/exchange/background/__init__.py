"""What runs beside requests: reading the stream, tidying up, following the catalog."""
