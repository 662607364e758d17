"""Who is calling, and what that means here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lienthong.catalog.resources import agency_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from lienthong.catalog.changes import Author

OPERATOR_SCOPE = "catalog:admin"


@dataclass(frozen=True, slots=True)
class Party:
    """An authenticated caller within one request."""

    author: Author
    scopes: Collection[str]

    @property
    def client_id(self) -> str:
        """The OAuth 2 client; of a system its id."""
        return self.author.client_id

    @property
    def agency(self) -> str:
        """The agency whose system is calling; for the operator an empty text, which is nobody's code."""
        return agency_of(self.client_id) if "/" in self.client_id else ""

    @property
    def is_operator(self) -> bool:
        """Whether the caller may do everything."""
        return OPERATOR_SCOPE in self.scopes
