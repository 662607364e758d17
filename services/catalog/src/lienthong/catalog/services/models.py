"""The table of services."""

from typing import Any

from sqlalchemy import JSON, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from lienthong.catalog.models import CatalogBase, ResourceColumns
from lienthong.catalog.services.domain.lifecycle import ServiceStage


class ServiceRow(ResourceColumns, CatalogBase):
    """An API of a system; its document stands apart from the spec because most readers do without it."""

    __tablename__ = "services"

    system_id: Mapped[str] = mapped_column(ForeignKey("systems.id"), index=True)
    openapi: Mapped[dict[str, Any] | None] = mapped_column(JSON, deferred=True, nullable=False)
    """JSON's null where the service has a WSDL document."""
    wsdl: Mapped[str | None] = mapped_column(Text, deferred=True)
    operations: Mapped[list[Any]] = mapped_column(JSON)
    stage: Mapped[str] = mapped_column(Text, server_default=ServiceStage.PUBLISHED.value)
    """As the spec says; those of some stages are not shown to everyone."""
