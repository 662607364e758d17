"""Event types as messages of `Routes/Watch`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lienthong.catalog.rpc import resource_key, resource_status
from lienthong.contracts.catalog.v1 import routes_pb2 as pb

if TYPE_CHECKING:
    from lienthong.catalog.domain.resources import Resource


def to_message(event_type: Resource) -> pb.Resource:
    """Return an event type as its message, with its schema as JSON text."""
    system, _, code = event_type.id.rpartition("/")
    message = pb.EventType(
        id=event_type.id,
        system_id=system,
        code=code,
        status=resource_status(event_type),
        data_schema=json.dumps(event_type.spec["dataSchema"], ensure_ascii=False, separators=(",", ":")),
    )
    return pb.Resource(key=resource_key(event_type), event_type=message)
