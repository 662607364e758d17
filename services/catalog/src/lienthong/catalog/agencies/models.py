"""The table of agencies."""

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from lienthong.catalog.models import CatalogBase, ResourceColumns


class AgencyRow(ResourceColumns, CatalogBase):
    """An organisation; its id is the canonical code."""

    __tablename__ = "agencies"

    member_class: Mapped[str] = mapped_column(Text)
    parent_id: Mapped[str | None] = mapped_column(Text, index=True)
    """As the spec says: not bound to its row, for both may come in one request, in any order."""
    merged_into: Mapped[str | None] = mapped_column(Text, index=True)
    """The agency that took over what this one had; the period ends then."""
