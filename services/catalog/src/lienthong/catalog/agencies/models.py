"""The table of agencies."""

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from lienthong.catalog.models import CatalogBase, ResourceColumns


class AgencyRow(ResourceColumns, CatalogBase):
    """An organisation; its id is the canonical code."""

    __tablename__ = "agencies"

    member_class: Mapped[str] = mapped_column(Text)
