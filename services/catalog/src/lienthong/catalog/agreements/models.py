"""The tables of agreements and of the decisions on them."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from lienthong.catalog.models import CatalogBase, ResourceColumns

_WAITS = text("status = 'requested'")


class AgreementRow(ResourceColumns, CatalogBase):
    """Who may use what, for which purposes."""

    __tablename__ = "agreements"
    __table_args__ = (
        CheckConstraint(
            "status IN ('requested', 'approved', 'rejected', 'revoked', 'lapsed')", name="status"
        ),
        CheckConstraint("(service_id IS NULL) <> (event_type_id IS NULL)", name="one_target"),
        # Requests that wait for a decision, of a system and by age.
        Index("ix_agreements_requested_of", "consumer_id", sqlite_where=_WAITS, postgresql_where=_WAITS),
        Index("ix_agreements_requested_at", "updated_at", sqlite_where=_WAITS, postgresql_where=_WAITS),
        # All of a system, and how many of them are how old.
        Index("ix_agreements_consumer_id_created_at", "consumer_id", "created_at"),
    )

    consumer_id: Mapped[str] = mapped_column(ForeignKey("systems.id"))
    service_id: Mapped[str | None] = mapped_column(ForeignKey("services.id"), index=True)
    event_type_id: Mapped[str | None] = mapped_column(ForeignKey("event_types.id"), index=True)
    status: Mapped[str] = mapped_column(Text)


class DecisionRow(CatalogBase):
    """A decision about an agreement; rows are only ever added."""

    __tablename__ = "decisions"

    version: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    agreement_id: Mapped[str] = mapped_column(ForeignKey("agreements.id"), index=True)
    status: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    legal_ground: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
