"""The event types of an agency as an AsyncAPI 3.0 document.

The application that it describes is the agency's: it sends events to the exchange, over HTTP. Who receives
them subscribes and pulls there; an AsyncAPI tool makes a receiver of it by turning the operations round.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lienthong.catalog.domain.resources import Resource
    from lienthong.kit.json_text import JsonObject

_ATTRIBUTES: Final = {
    "specversion": {"type": "string", "const": "1.0"},
    "id": {"type": "string", "minLength": 1},
    "source": {"type": "string", "minLength": 1},
    "time": {"type": "string", "format": "date-time"},
    "subject": {"type": "string", "minLength": 1},
}
"""Attributes of every event (CloudEvents 1.0.2); `type` and `data` are those of the event type."""
_JSON_SCHEMA: Final = "application/schema+json;version=draft-2020-12"
_CLOUD_EVENT: Final = "application/cloudevents+json"


def document(
    agency: str, name: Mapping[str, str], event_types: Sequence[Resource], public_url: str
) -> JsonObject:
    """Return the document of some event types of an agency. `public_url` is the gateway's, without a `/`."""
    return {
        "asyncapi": "3.0.0",
        "id": f"urn:lienthong:agency:{agency}",
        "defaultContentType": _CLOUD_EVENT,
        "info": {
            "title": f"Sự kiện · Events: {name.get('vi', agency)} ({agency})",
            "version": str(max((one.version for one in event_types), default=0)),
            "description": "Nhận sự kiện: đăng ký rồi lấy tại /exchange/v1/subscriptions. · "
            "To receive events, subscribe and pull at /exchange/v1/subscriptions.",
        },
        "servers": {
            "gateway": {
                "host": public_url.partition("://")[2],
                "protocol": public_url.partition("://")[0],
                "security": [{"$ref": "#/components/securitySchemes/oauth2"}],
            }
        },
        "channels": {_key(one): _channel(one) for one in event_types},
        "operations": {f"publish.{_key(one)}": _operation(one) for one in event_types},
        "components": {
            "securitySchemes": {
                "oauth2": {
                    "type": "oauth2",
                    "flows": {
                        "clientCredentials": {
                            "tokenUrl": f"{public_url}/oauth2/token",
                            "availableScopes": {"events": "publish and receive events"},
                        }
                    },
                    "scopes": ["events"],
                }
            }
        },
    }


def _channel(event_type: Resource) -> JsonObject:
    name = event_type.spec["name"]
    return {
        "address": f"/exchange/v1/events/{event_type.id}",
        "title": name["vi"],
        "description": name["en"],
        "messages": {
            "event": {
                "name": event_type.id,
                "title": name["vi"],
                "contentType": _CLOUD_EVENT,
                "payload": {"schemaFormat": _JSON_SCHEMA, "schema": _event(event_type)},
            }
        },
    }


def _operation(event_type: Resource) -> JsonObject:
    channel = f"#/channels/{_key(event_type)}"
    return {
        "action": "send",
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/event"}],
        "bindings": {"http": {"method": "POST", "bindingVersion": "0.3.0"}},
    }


def _event(event_type: Resource) -> JsonObject:
    """The schema of a CloudEvent with these data. By its `$id` references in their schema stay within it."""
    data: dict[str, Any] = {
        "$id": f"urn:lienthong:event-type:{event_type.id}",
        **event_type.spec["dataSchema"],
    }
    return {
        "type": "object",
        "required": ["specversion", "id", "source", "type", "data"],
        "properties": {**_ATTRIBUTES, "type": {"const": event_type.id}, "data": data},
    }


def _key(event_type: Resource) -> str:
    """Ids have a `/`, keys of AsyncAPI none; no part of an id has a `.` but the agency's code."""
    return event_type.id.replace("/", ".")
