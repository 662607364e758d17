"""The table of event types."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from lienthong.catalog.models import CatalogBase, ResourceColumns


class EventTypeRow(ResourceColumns, CatalogBase):
    """A kind of event that a system publishes."""

    __tablename__ = "event_types"

    system_id: Mapped[str] = mapped_column(ForeignKey("systems.id"), index=True)
