"""Systems as X-Road's door knows them: their member class, and how they prove that they call."""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from ipaddress import ip_network
from typing import TYPE_CHECKING, Final

import structlog

from lienthong.contracts.catalog.v1 import routes_pb2

if TYPE_CHECKING:
    from lienthong.gateway.table import RoutingTable
    from lienthong.kit.addresses import IpNetwork

_MOST: Final = 4096

_log = structlog.get_logger(__name__)


class Connection(Enum):
    """How a system proves that it calls: X-Road's connection types, and an access token."""

    BEARER = "bearer"
    HTTP = "http"
    CERTIFICATE = "certificate"


_CONNECTIONS: Final = {
    routes_pb2.X_ROAD_CONNECTION_BEARER: Connection.BEARER,
    routes_pb2.X_ROAD_CONNECTION_HTTP: Connection.HTTP,
    routes_pb2.X_ROAD_CONNECTION_CERTIFICATE: Connection.CERTIFICATE,
}


class XRoadSystem:
    """One system."""

    __slots__ = ("certificates", "connection", "id", "member_class", "networks", "purpose")

    def __init__(self, message: routes_pb2.System) -> None:
        self.id = message.id
        self.member_class = message.member_class
        self.connection: Connection | None = Connection.BEARER
        """None: in a way that this gateway does not know."""
        self.networks: tuple[IpNetwork, ...] = ()
        """With `HTTP`, where it calls from."""
        self.certificates: frozenset[str] = frozenset()
        """With `CERTIFICATE`, the SHA-256 of those that it shows, in hex."""
        self.purpose: str | None = None
        """Of its calls, where the agreement allows several."""
        if message.HasField("xroad"):
            self.connection = _CONNECTIONS.get(message.xroad.connection)
            self.networks = tuple(map(ip_network, message.xroad.networks))
            self.certificates = frozenset(message.xroad.certificates)
            self.purpose = message.xroad.purpose or None


def xroad_system(table: RoutingTable, system_id: str) -> XRoadSystem | None:
    """A system; None where the catalog has none of this id, or says of it what cannot be read."""
    message = table.state.get(routes_pb2.RESOURCE_KIND_SYSTEM, system_id.encode())
    return _read(message) if message is not None else None


@lru_cache(_MOST)
def _read(message: bytes) -> XRoadSystem | None:
    try:
        return XRoadSystem(routes_pb2.System.FromString(message))
    except Exception:  # noqa: BLE001 - one resource must not keep calls of the others out
        _log.exception("a system of the catalog cannot be read, it does not call through X-Road's door")
        return None
