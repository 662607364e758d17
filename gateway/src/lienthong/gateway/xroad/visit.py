"""What a door has found out about one call."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lienthong.gateway.request_headers import RequestHeaders
    from lienthong.gateway.table import RoutingTable
    from lienthong.gateway.targets import ServiceTarget
    from lienthong.gateway.xroad.dialect import Dialect
    from lienthong.gateway.xroad.ids import ClientId
    from lienthong.gateway.xroad.systems import XRoadSystem


class Visit:
    """A call of a provider's service that came through a door, as the stages take it."""

    __slots__ = ("dialect", "head", "headers", "system", "target")

    def __init__(
        self,
        dialect: Dialect,
        system: XRoadSystem,
        target: ServiceTarget,
        headers: RequestHeaders,
        head: bytes | None,
    ) -> None:
        self.dialect = dialect
        self.system = system
        """The system that calls, which has proved itself."""
        self.target = target
        self.headers = headers
        """Those of the request, with what the provider gets of them."""
        self.head = head
        """The digest of the request's head, where the answer needs it."""


class Asked:
    """A call of a metadata service, which the door answers itself."""

    __slots__ = ("accepts_json", "dialect", "head", "provider", "system_id", "table", "what")

    def __init__(
        self,
        what: str,
        dialect: Dialect,
        table: RoutingTable,
        system_id: str,
        provider: ClientId,
        head: bytes | None,
        *,
        accepts_json: bool,
    ) -> None:
        self.what = what
        """The name of the metadata service."""
        self.dialect = dialect
        self.table = table
        self.system_id = system_id
        """Of the system that asks; empty where it need not say which one it is."""
        self.provider = provider
        """The subsystem that is asked about."""
        self.head = head
        """As in `Visit`."""
        self.accepts_json = accepts_json
