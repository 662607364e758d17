"""The tables that all features share. The tables of each kind of resource are in its feature.

Nothing is ever deleted: agencies end, systems are suspended, agreements revoked.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from lienthong.kit import database
from lienthong.kit.database import new_metadata
from lienthong.kit.history import HistoryTables, history_table
from lienthong.kit.outbox import outbox_table
from lienthong.kit.retained_records import retained_table


class CatalogBase(database.Base):
    """The root of the catalog's tables."""

    __abstract__ = True
    metadata = new_metadata()


class CatalogHead(CatalogBase):
    """The one row with the catalog's version; whoever writes locks it first, so versions commit in order."""

    __tablename__ = "head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(BigInteger)


class ResourceColumns:
    """The columns of every resource. JSON is stored as text, so that members keep their order."""

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    spec: Mapped[dict[str, Any]] = mapped_column(JSON)
    version: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class ChangeRow(CatalogBase):
    """The change log: one row per version that was given; a watch reads on from the version it has sent."""

    __tablename__ = "changes"
    __table_args__ = (Index("ix_changes_kind_resource_id", "kind", "resource_id"),)

    version: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(Text)
    resource_id: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    transaction_id: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


OUTBOX = outbox_table(CatalogBase.metadata)
"""Messages that were committed with a change and wait for the bus."""
RETAINED = retained_table(CatalogBase.metadata)
"""Audit records that the ledger has not sealed yet, or not long ago."""
HISTORY = HistoryTables(history_table(CatalogBase.metadata), OUTBOX, RETAINED)
"""How far the database was compared with the ledger."""
