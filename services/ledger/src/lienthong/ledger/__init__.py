"""The audit log: consumes the journal in order, grows a Merkle tree of it, answers searches and proofs.

```
journal (NATS) → events → integration → database: entries, tiles, tree with its signed checkpoint
                                                       ↑
                          REST: endpoints → service → repository
```
"""
