"""The table of services."""

from typing import Any

from sqlalchemy import JSON, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from lienthong.catalog.models import CatalogBase, ResourceColumns


class ServiceRow(ResourceColumns, CatalogBase):
    """An API of a system; its document stands apart from the spec because most readers do without it."""

    __tablename__ = "services"

    system_id: Mapped[str] = mapped_column(ForeignKey("systems.id"), index=True)
    openapi: Mapped[dict[str, Any] | None] = mapped_column(JSON, deferred=True, nullable=False)
    """JSON's null where the service has a WSDL document."""
    wsdl: Mapped[str | None] = mapped_column(Text, deferred=True)
    operations: Mapped[list[Any]] = mapped_column(JSON)
