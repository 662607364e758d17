"""The catalog's tables. Nothing is ever deleted: agencies end, systems are suspended, agreements revoked."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from lienthong.kit import database
from lienthong.kit.database import new_metadata
from lienthong.kit.outbox import outbox_table


class Base(database.Base):
    """The root of the catalog's tables."""

    __abstract__ = True
    metadata = new_metadata()


class Head(Base):
    """The one row with the catalog's version; whoever writes locks it first, so versions commit in order."""

    __tablename__ = "head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(BigInteger)


class Kept:
    """What all resources share. JSON is kept as text, so that members keep the order they were written in."""

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    spec: Mapped[dict[str, Any]] = mapped_column(JSON)
    version: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class AgencyRow(Kept, Base):
    """An organisation; its id is the canonical code."""

    __tablename__ = "agencies"

    member_class: Mapped[str] = mapped_column(Text)


class SystemRow(Kept, Base):
    """An information system of an agency."""

    __tablename__ = "systems"
    __table_args__ = (CheckConstraint("status IN ('active', 'suspended')", name="status"),)

    agency_id: Mapped[str] = mapped_column(ForeignKey("agencies.id"), index=True)
    status: Mapped[str] = mapped_column(Text)


class ServiceRow(Kept, Base):
    """An API of a system; its document stands apart from the spec because most readers do without it."""

    __tablename__ = "services"

    system_id: Mapped[str] = mapped_column(ForeignKey("systems.id"), index=True)
    openapi: Mapped[dict[str, Any]] = mapped_column(JSON, deferred=True)
    operations: Mapped[list[Any]] = mapped_column(JSON)


class EventTypeRow(Kept, Base):
    """A kind of event that a system publishes."""

    __tablename__ = "event_types"

    system_id: Mapped[str] = mapped_column(ForeignKey("systems.id"), index=True)


class AgreementRow(Kept, Base):
    """Who may use what, for which purposes."""

    __tablename__ = "agreements"
    __table_args__ = (
        CheckConstraint("status IN ('requested', 'approved', 'rejected', 'revoked')", name="status"),
        CheckConstraint("(service_id IS NULL) <> (event_type_id IS NULL)", name="one_target"),
    )

    consumer_id: Mapped[str] = mapped_column(ForeignKey("systems.id"), index=True)
    service_id: Mapped[str | None] = mapped_column(ForeignKey("services.id"), index=True)
    event_type_id: Mapped[str | None] = mapped_column(ForeignKey("event_types.id"), index=True)
    status: Mapped[str] = mapped_column(Text)


class DecisionRow(Base):
    """A decision about an agreement; rows are only ever added."""

    __tablename__ = "decisions"

    version: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    agreement_id: Mapped[str] = mapped_column(ForeignKey("agreements.id"), index=True)
    status: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    legal_ground: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)


class ChangeRow(Base):
    """The change log: one row per version, without gaps; watchers read on from where they are."""

    __tablename__ = "changes"
    __table_args__ = (Index("ix_changes_kind_resource_id", "kind", "resource_id"),)

    version: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(Text)
    resource_id: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    transaction_id: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


#: Messages that were committed with a change and wait for the bus.
OUTBOX = outbox_table(Base.metadata)

__all__ = [
    "OUTBOX",
    "AgencyRow",
    "AgreementRow",
    "Base",
    "ChangeRow",
    "DecisionRow",
    "EventTypeRow",
    "Head",
    "Kept",
    "ServiceRow",
    "SystemRow",
]
