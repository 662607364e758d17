"""What every Liên thông process needs, and nothing of the domain.

One module, one thing: settings, clock, ids, problems, logs, telemetry, database, outbox, bus, rpc, tokens,
access, journal, health, process. Import from the modules; this package exports nothing itself.
"""
