"""Systems as messages of `Routes/Watch`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.catalog.rpc import resource_status, write_key
from lienthong.contracts.catalog.v1 import routes_pb2 as pb

if TYPE_CHECKING:
    from lienthong.catalog.systems.domain.system import SystemResource

_CONNECTIONS = {
    "bearer": pb.X_ROAD_CONNECTION_BEARER,
    "http": pb.X_ROAD_CONNECTION_HTTP,
    "certificate": pb.X_ROAD_CONNECTION_CERTIFICATE,
}


def write_message(system: SystemResource, resource: pb.Resource) -> None:
    """Write a system into its message."""
    write_key(system, resource)
    message = resource.system
    message.id, message.member_class = system.id, system.member_class
    message.agency_code, _, message.code = system.id.partition("/")
    message.status = resource_status(system)
    if (xroad := system.spec.get("xroad")) is not None:
        message.xroad.connection = _CONNECTIONS[xroad["connection"]]
        message.xroad.networks.extend(xroad.get("networks", ()))
        message.xroad.purpose = xroad.get("purpose", "")
        if xroad["connection"] == "certificate":
            # Of other systems they decide nothing at a gateway.
            message.xroad.certificates.extend(system.spec.get("certificates", ()))
