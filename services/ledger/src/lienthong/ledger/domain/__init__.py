"""The rules of the ledger on plain values: reading and ordering journal records, and searches."""
