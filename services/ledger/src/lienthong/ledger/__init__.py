"""The audit log: consumes the journal in order, builds a Merkle tree of it, answers searches and proofs.

```
journal (NATS) → background → service.integrator → repository → database: entries, tiles, signed tree head
                                                        ↑
REST:            endpoints → service.audit_log ─────────┘
```
"""
