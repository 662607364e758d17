"""Services as messages of `Routes/Watch`: what the gateway's routing table is built of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.catalog.rpc import resource_key, resource_status
from lienthong.contracts.catalog.v1 import routes_pb2 as pb

if TYPE_CHECKING:
    from lienthong.catalog.services.domain.service import ServiceResource


def to_message(service: ServiceResource) -> pb.Resource:
    """Return a service as its message."""
    system, _, code = service.id.rpartition("/")
    spec = service.spec
    message = pb.Service(
        id=service.id,
        system_id=system,
        code=code,
        status=resource_status(service),
        upstreams=spec["upstreams"],
        operations=[
            pb.Operation(id=operation.id, method=operation.method, path=operation.path)
            for operation in service.operations
        ],
        timeout_ms=spec["timeoutMs"],
        max_request_bytes=spec["maxRequestBytes"],
        write_ahead=spec["writeAhead"],
    )
    return pb.Resource(key=resource_key(service), service=message)
