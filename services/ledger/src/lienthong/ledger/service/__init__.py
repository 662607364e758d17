"""What the ledger does: append journal records to the log, and answer reads of it."""
