"""The client that makes a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lienthong.catalog.domain.resources import agency_of

if TYPE_CHECKING:
    from collections.abc import Collection

OPERATOR_SCOPE = "catalog:admin"


@dataclass(frozen=True, slots=True)
class Actor:
    """The authenticated client of one request: its OAuth 2 client id, its scopes, the transaction id."""

    client_id: str
    scopes: Collection[str]
    transaction_id: str

    @property
    def agency(self) -> str:
        """The agency of the calling system; empty, which is no agency's code, for other clients."""
        return agency_of(self.client_id) if "/" in self.client_id else ""

    @property
    def is_operator(self) -> bool:
        """Whether the client is the platform's operator, who may do everything."""
        return OPERATOR_SCOPE in self.scopes
