"""The tables of agreements and of what was done with them."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from lienthong.catalog.models import CatalogBase, ResourceColumns

STATUSES = (
    "status IN ('draft', 'requested', 'information-needed', 'endorsed', 'approved', 'suspended', 'rejected', "
    "'revoked', 'lapsed', 'withdrawn')"
)
WAITS = "status IN ('draft', 'requested', 'information-needed', 'endorsed')"
_WAITS = text(WAITS)


class AgreementRow(ResourceColumns, CatalogBase):
    """Who may use what, for which purposes."""

    __tablename__ = "agreements"
    __table_args__ = (
        CheckConstraint(STATUSES, name="status"),
        CheckConstraint("(service_id IS NULL) <> (event_type_id IS NULL)", name="one_target"),
        CheckConstraint("suspended_by IN ('agency', 'platform')", name="suspended_by"),
        # What waits for somebody, of a system and by age.
        Index("ix_agreements_waiting_of", "consumer_id", sqlite_where=_WAITS, postgresql_where=_WAITS),
        Index("ix_agreements_waiting_at", "updated_at", sqlite_where=_WAITS, postgresql_where=_WAITS),
        # All of a system, and how many of them are how old.
        Index("ix_agreements_consumer_id_created_at", "consumer_id", "created_at"),
    )

    consumer_id: Mapped[str] = mapped_column(ForeignKey("systems.id"))
    service_id: Mapped[str | None] = mapped_column(ForeignKey("services.id"), index=True)
    event_type_id: Mapped[str | None] = mapped_column(ForeignKey("event_types.id"), index=True)
    status: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime | None]
    suspended_by: Mapped[str | None] = mapped_column(Text)
    remind_at: Mapped[datetime | None] = mapped_column(index=True)
    """When to look next whether somebody has to be told something; None where nobody ever has."""
    told_at: Mapped[datetime | None]


class AgreementStepRow(CatalogBase):
    """What was done with an agreement, one row for each step; rows are only ever added.

    A catalog of before the last three columns, in the middle of an upgrade, writes rows without them.
    """

    __tablename__ = "decisions"

    version: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    agreement_id: Mapped[str] = mapped_column(ForeignKey("agreements.id"), index=True)
    status: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    legal_ground: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text, server_default="")
    """Empty in rows of before the column: it follows from the status."""
    amendment: Mapped[int] = mapped_column(server_default="0")
    """The number of the amendment that it is about; 0 is the agreement itself."""
    changes: Mapped[list[Any]] = mapped_column(JSON, server_default="[]")


class AmendmentRow(CatalogBase):
    """Other terms that were asked for, of an agreement that was approved; the decided ones stay."""

    __tablename__ = "amendments"
    __table_args__ = (
        Index("ix_amendments_waiting", "agreement_id", sqlite_where=_WAITS, postgresql_where=_WAITS),
        Index("ix_amendments_waiting_at", "updated_at", sqlite_where=_WAITS, postgresql_where=_WAITS),
    )

    agreement_id: Mapped[str] = mapped_column(ForeignKey("agreements.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    status: Mapped[str] = mapped_column(Text)
    spec: Mapped[dict[str, Any]] = mapped_column(JSON)
    reason: Mapped[str] = mapped_column(Text)
    requested_by: Mapped[str] = mapped_column(Text)
    requested_at: Mapped[datetime]
    asked_at: Mapped[datetime | None]
    first_approval: Mapped[str | None] = mapped_column(Text)
    updated_at: Mapped[datetime]
