"""Services as messages of `Routes/Watch`: what the gateway's routing table is built of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.catalog.rpc import resource_status, statements, write_key

if TYPE_CHECKING:
    from lienthong.catalog.services.domain.service import ServiceResource
    from lienthong.contracts.catalog.v1 import routes_pb2 as pb


def write_message(service: ServiceResource, resource: pb.Resource) -> None:
    """Write a service into its message."""
    write_key(service, resource)
    message, spec = resource.service, service.spec
    message.id = service.id
    message.system_id, _, message.code = service.id.rpartition("/")
    message.status = resource_status(service)
    message.upstreams.extend(spec["upstreams"])
    for operation in service.operations:
        message.operations.add(id=operation.id, method=operation.method, path=operation.path)
    message.timeout_ms = spec["timeoutMs"]
    message.max_request_bytes = spec["maxRequestBytes"]
    message.write_ahead = spec["writeAhead"]
    if (cors := spec.get("cors")) is not None:
        message.cors.origins.extend(cors["origins"])
        message.cors.max_age_s = cors["maxAgeS"]
    if required := spec.get("requires"):
        message.requires.extend(statements(required))
