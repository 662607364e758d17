"""The routing table and the keys that calls are decided with at this moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lienthong.gateway.authenticate import Authenticator
    from lienthong.gateway.http1.upstreams import Upstreams
    from lienthong.gateway.table import RoutingTable
    from lienthong.kit.catalog import CatalogState


@dataclass(slots=True)
class Live:
    """The present routing table and authenticator; None while there are none that are recent enough.

    Both are replaced whole when the catalog or identity says something new; a call takes both once, at its
    beginning. What a table says of routes and agreements never changes, but two things inside do: upstreams
    count which address is next, and an authenticator remembers the tokens that it has verified.
    """

    table: RoutingTable | None = None
    authenticator: Authenticator | None = None

    def catalog(self) -> CatalogState | None:
        """The catalog that the present table is a view of."""
        return self.table.state if self.table is not None else None

    def upstreams(self, service_id: str) -> Upstreams | None:
        """The addresses of a service as the present table has them; None where it has no such service."""
        route = self.table.service(service_id.encode()) if self.table is not None else None
        return route.upstreams if route is not None else None
