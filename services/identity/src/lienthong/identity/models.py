"""The tables of the identity service."""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text

from lienthong.kit.database import UtcDateTime, new_metadata
from lienthong.kit.history import HistoryTables, history_table
from lienthong.kit.outbox import outbox_table
from lienthong.kit.retained_records import retained_table

metadata: Final = new_metadata()

clients: Final = Table(
    "client",
    metadata,
    Column("client_id", String(255), primary_key=True),
    Column("jwks", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("catalog_version", BigInteger, nullable=False),
    Column("changed_at", UtcDateTime(), nullable=False),
    Column("certificates", Text, nullable=False),
    Column("service_accounts", Text, nullable=False),
    Index("ix_client_status", "status"),
)
"""The clients. `catalog_version` is 0 for this server's own clients. `certificates` have spaces between;
`service_accounts` are a list in JSON."""

used_assertions: Final = Table(
    "used_assertion",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("forget_at", BigInteger, nullable=False),
    Index("ix_used_assertion_forget_at", "forget_at"),
    sqlite_with_rowid=False,
)
"""Used assertions and DPoP proofs, until they have expired. `digest` is SHA-256: a `jti` may be any text."""

signing_keys: Final = Table(
    "signing_key",
    metadata,
    Column("key_id", String(64), primary_key=True),
    Column("sealed", Text, nullable=False),
    Column("signs_from", UtcDateTime(), nullable=False),
    Column("published_at", UtcDateTime(), nullable=False),
)
"""Published signing keys; `sealed` is the private key as JWE."""

successions: Final = Table(
    "succession",
    metadata,
    Column("code", String(35), primary_key=True),
    Column("successor", String(35), nullable=False),
    Column("catalog_version", BigInteger, nullable=False),
)
"""Codes of agencies that were merged into another one, and at which version of the catalog."""

state: Final = Table(
    "state",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
    Column("database_id", String(36), nullable=False),
)
"""One row. `version` grows with every change of what verifiers must know; changes lock it.

`database_id` is random: identity in a new database reads the catalog's events from the start.
"""

outbox: Final = outbox_table(metadata)
retained: Final = retained_table(metadata)
history: Final = HistoryTables(history_table(metadata), outbox, retained)
