"""The tables of the index.

What is looked through stands apart from what is shown, so that the rows that are counted are narrow. On
SQLite a table of FTS5 follows `search_texts` by triggers; on PostgreSQL the terms have an index of GIN.
Migrations alone make either, for a model cannot say that only one database has them.
"""

from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, ForeignKey, Index, Integer, Text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from lienthong.catalog.models import CatalogBase
from lienthong.kit.database import BigId


class SearchEntryRow(CatalogBase):
    """What can be found; its id is the version at which the resource changed last, which no other has."""

    __tablename__ = "search_entries"
    __table_args__ = (
        Index("ix_search_entries_kind_resource_id", "kind", "resource_id", unique=True),
        Index("ix_search_entries_kind_agency_id", "kind", "agency_id"),
        Index("ix_search_entries_length", "length", "resource_id", "kind"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(Text)
    resource_id: Mapped[str] = mapped_column(Text)
    agency_id: Mapped[str] = mapped_column(Text)
    length: Mapped[int] = mapped_column(Integer)
    shown: Mapped[bool] = mapped_column(Boolean)
    """Whether others than its agency find it: a service that is not published yet they do not."""


class SearchTextRow(CatalogBase):
    """The terms by which an entry is found, separated by blanks, and the texts that are shown of it."""

    __tablename__ = "search_texts"

    entry_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("search_entries.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    terms: Mapped[str] = mapped_column(Text().with_variant(TSVECTOR(), "postgresql"))
    texts: Mapped[dict[str, Any]] = mapped_column(JSON)


class SearchStateRow(CatalogBase):
    """Up to which version of the catalog the index has the resources of a kind, and in which form."""

    __tablename__ = "search_states"

    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    form: Mapped[int] = mapped_column(Integer)
    version: Mapped[int] = mapped_column(BigInteger)
