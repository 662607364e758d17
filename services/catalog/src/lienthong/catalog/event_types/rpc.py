"""Event types as messages of `Routes/Watch`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lienthong.catalog.rpc import resource_status, write_key

if TYPE_CHECKING:
    from lienthong.catalog.domain.resources import Resource
    from lienthong.contracts.catalog.v1 import routes_pb2 as pb


def write_message(event_type: Resource, resource: pb.Resource) -> None:
    """Write an event type into its message, with its schema as JSON text."""
    write_key(event_type, resource)
    message = resource.event_type
    message.id = event_type.id
    message.system_id, _, message.code = event_type.id.rpartition("/")
    message.status = resource_status(event_type)
    message.data_schema = json.dumps(event_type.spec["dataSchema"], ensure_ascii=False, separators=(",", ":"))
