"""A service whose calls are checked, from its OpenAPI document, as the catalog hands it to gateways."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lienthong.catalog.services.domain import openapi
from lienthong.catalog.services.domain.service import ServiceResource
from lienthong.catalog.services.rpc import write_message
from lienthong.contracts.catalog.v1 import routes_pb2

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def checked_service(
    service_id: str, upstream: str, document: Mapping[str, Any], requests: str
) -> routes_pb2.Resource:
    """The message of a service that has requests checked in that mode."""
    operations, wrong = openapi.read(dict(document), check_requests=True)
    assert wrong == ()
    checks = {"requests": requests, "answers": "off"}
    service = ServiceResource(
        id=service_id,
        spec={
            "upstreams": [upstream],
            "timeoutMs": 5000,
            "maxRequestBytes": 100_000,
            "writeAhead": False,
            "checks": checks,
        },
        status="active",
        version=1,
        created_at=_LONG_AGO,
        updated_at=_LONG_AGO,
        operations=operations,
    )
    message = routes_pb2.Resource()
    write_message(service, message)
    return message
