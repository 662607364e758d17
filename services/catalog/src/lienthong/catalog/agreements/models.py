"""The tables of agreements and of the decisions on them."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from lienthong.catalog.models import CatalogBase, ResourceColumns


class AgreementRow(ResourceColumns, CatalogBase):
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
