"""Audit records: their form, and how each becomes durable before the answer it describes may leave."""
