"""The table of systems."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from lienthong.catalog.models import CatalogBase, ResourceColumns


class SystemRow(ResourceColumns, CatalogBase):
    """An information system of an agency."""

    __tablename__ = "systems"
    __table_args__ = (
        CheckConstraint("status IN ('active', 'suspended')", name="status"),
        CheckConstraint("suspended_by IN ('agency', 'platform')", name="suspended_by"),
    )

    agency_id: Mapped[str] = mapped_column(ForeignKey("agencies.id"), index=True)
    status: Mapped[str] = mapped_column(Text)
    suspended_by: Mapped[str | None] = mapped_column(Text)
    remind_at: Mapped[datetime | None] = mapped_column(index=True)
    """When to look next whether a key ends soon; None where none has an end."""
    told_at: Mapped[datetime | None]
    """Until when everything has been told that was due."""
