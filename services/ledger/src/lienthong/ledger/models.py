"""The tables of the ledger."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from lienthong.kit.database import BigId, UtcDateTime, new_metadata

metadata: Final = new_metadata()

entries: Final = Table(
    "entry",
    metadata,
    Column("leaf_index", BigId, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
    Column("record_id", String(128), nullable=False),
    Column("kind", String(64)),
    Column("tx", String(128)),
    Column("client", String(255)),
    Column("client_agency", String(255)),
    Column("service", String(255)),
    Column("provider_agency", String(255)),
    Column("operation", String(255)),
    Column("status", Integer),
    Column("error", String(255)),
    Column("at", UtcDateTime()),
    UniqueConstraint("record_id"),
    Index("ix_entry_tx", "tx"),
    Index("ix_entry_kind", "kind", "leaf_index"),
    Index("ix_entry_client", "client", "leaf_index"),
    Index("ix_entry_client_agency", "client_agency", "leaf_index"),
    Index("ix_entry_service", "service", "leaf_index"),
    Index("ix_entry_provider_agency", "provider_agency", "leaf_index"),
    Index("ix_entry_status", "status", "leaf_index"),
    Index("ix_entry_at", "at"),
)
"""The leaves: `data` is the exact bytes of the record, the other columns are the search index, taken from it.

`record_id` is unique for ever: a record that comes again is the same record.
"""

persons: Final = Table(
    "entry_person",
    metadata,
    Column("person", LargeBinary(32), nullable=False),
    Column("leaf_index", BigInteger, nullable=False),
    PrimaryKeyConstraint("person", "leaf_index"),
    Index("ix_entry_person_leaf_index", "leaf_index"),
)
"""The persons that a record names, by the keyed hashes in it: part of the search index."""

tiles: Final = Table(
    "tile",
    metadata,
    Column("level", Integer, nullable=False),
    Column("tile_index", BigInteger, nullable=False),
    Column("hashes", LargeBinary, nullable=False),
    PrimaryKeyConstraint("level", "tile_index"),
)
"""One row per tile, as wide as it is now: a narrower partial tile is the beginning of it."""

tree: Final = Table(
    "tree",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("checkpoint", Text, nullable=False),
    Column("signed_at", UtcDateTime(), nullable=False),
    Column("journal_stream", String(64), nullable=False),
    Column("journal_sequence", BigInteger, nullable=False),
    Column("journal_mark", LargeBinary(32)),
    Column("journal_read_through", UtcDateTime()),
)
"""One row: the tree head. Whoever appends locks it.

`journal_stream` and `journal_sequence` say how much of the journal is in the log, and `journal_mark` which
message lay there; what the journal took before `journal_read_through` is in the log too. They change in the
transaction that appends, so each message is integrated exactly once, whatever the bus remembers.
"""

seals: Final = Table(
    "seal",
    metadata,
    Column("journal_stream", String(64), nullable=False),
    Column("journal_sequence", BigInteger, nullable=False),
    Column("noted_at", UtcDateTime(), nullable=False),
    PrimaryKeyConstraint("journal_stream", "journal_sequence"),
)
"""At these moments the journal was in the log up to these messages. Noted now and then, for pruning it."""

quarantine: Final = Table(
    "quarantine",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("journal_sequence", BigInteger, nullable=False),
    Column("position", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("received_at", UtcDateTime(), nullable=False),
)
"""Journal records that cannot become entries: kept with the reason, so that nothing is lost."""

call_counts: Final = Table(
    "call_count",
    metadata,
    Column("hours", SmallInteger, nullable=False),
    Column("start", UtcDateTime(), nullable=False),
    Column("key", LargeBinary(32), nullable=False),
    Column("consumer", String(255), nullable=False),
    Column("consumer_agency", String(255), nullable=False),
    Column("service", String(255), nullable=False),
    Column("provider", String(255), nullable=False),
    Column("operation", String(255), nullable=False),
    Column("purpose", String(255), nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("error", String(255), nullable=False),
    Column("calls", BigInteger, nullable=False),
    PrimaryKeyConstraint("hours", "start", "key"),
    Index("ix_call_count_consumer_agency", "consumer_agency", "hours", "start"),
    Index("ix_call_count_provider", "provider", "hours", "start"),
)
"""How many calls there were of each kind, in each hour (`hours` 1) and each day of UTC (`hours` 24).

`key` is a digest of the kind's other columns, which together are too long for an index; `status` is the first
digit of the HTTP status, 0 without one; what a record does not say is "". All of it can be counted again from
the entries.
"""

counted: Final = Table(
    "counted",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("entries", BigInteger, nullable=False),
)
"""One row: how many entries, from the first on, are in `call_count`. Whoever counts locks it."""

entry_hours: Final = Table(
    "entry_hour",
    metadata,
    Column("start", UtcDateTime(), primary_key=True),
    Column("first_index", BigInteger, nullable=False),
    Column("last_index", BigInteger, nullable=False),
)
"""Between which indexes the counted entries of an hour stand, by their `at`."""
