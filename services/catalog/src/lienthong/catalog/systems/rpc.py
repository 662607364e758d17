"""Systems as messages of `Routes/Watch`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.catalog.rpc import resource_key, resource_status
from lienthong.contracts.catalog.v1 import routes_pb2 as pb

if TYPE_CHECKING:
    from lienthong.catalog.systems.domain.system import SystemResource


def to_message(system: SystemResource) -> pb.Resource:
    """Return a system as its message."""
    agency, _, code = system.id.partition("/")
    message = pb.System(
        id=system.id,
        agency_code=agency,
        code=code,
        member_class=system.member_class,
        status=resource_status(system),
    )
    return pb.Resource(key=resource_key(system), system=message)
