"""Answers that are kept, and given again to whoever asks with the same Idempotency-Key (ADR 0052)."""
