"""The documents of X-Road's metadata services (PR-MREST, PR-META), made of plain values.

They list what there is and what a client may use; they never list themselves.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from xml.sax.saxutils import escape

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lienthong.gateway.operations import OperationRoute

LIST_METHODS: Final = "listMethods"
ALLOWED_METHODS: Final = "allowedMethods"
GET_OPENAPI: Final = "getOpenAPI"
SERVICES: Final = frozenset((LIST_METHODS, ALLOWED_METHODS, GET_OPENAPI))
"""Those that are called like services of a subsystem, by GET."""
_PARAMETER: Final = re.compile(r"\{[^{}]*\}")
_OPENAPI: Final = "OPENAPI"
_METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
_SERVERS: Final = b'"servers"'
_OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
"""Of a document of up to 20 MiB nothing is looked into that stays as it is: calls wait meanwhile."""
_XML_HEAD: Final = (
    '<?xml version="1.0" encoding="UTF-8"?><xrd:clientList xmlns:id="http://x-road.eu/xsd/identifiers"'
    ' xmlns:xrd="http://x-road.eu/xsd/xroad.xsd">'
)


class Listed(NamedTuple):
    """A service, and its operations that are listed."""

    code: str
    operations: Sequence[OperationRoute]


class Client(NamedTuple):
    """An agency, or with a subsystem a system of one."""

    member_class: str
    member: str
    member_name: str
    subsystem: str | None = None
    subsystem_name: str | None = None


def endpoint(operation: OperationRoute) -> dict[str, str]:
    """An operation as X-Road's path globs have it: `*` stands for a parameter, within a segment."""
    glob = _PARAMETER.sub("\0", operation.template).replace("\\", "\\\\").replace("*", "\\*")
    return {"method": operation.method, "path": glob.replace("\0", "*")}


def service_list(
    instance: str, member_class: str, member: str, subsystem: str, services: Iterable[Listed]
) -> bytes:
    """The answer of listMethods and allowedMethods."""
    found = [
        {
            "object_type": "SERVICE",
            "xroad_instance": instance,
            "member_class": member_class,
            "member_code": member,
            "subsystem_code": subsystem,
            "service_code": service.code,
            "service_type": _OPENAPI,
            "endpoint_list": [endpoint(operation) for operation in service.operations],
        }
        for service in services
    ]
    return msgspec.json.encode({"service": found})


def client_list(instance: str, clients: Iterable[Client]) -> bytes:
    """The answer of listClients, as JSON."""
    return msgspec.json.encode({"member": [_client(instance, client) for client in clients]})


def client_list_xml(instance: str, clients: Iterable[Client]) -> bytes:
    """The same as XML, for those who do not ask for JSON."""
    members = "".join(_client_xml(instance, client) for client in clients)
    return f"{_XML_HEAD}{members}</xrd:clientList>".encode()


def public_document(document: bytes, base: str) -> bytes:
    """A provider's OpenAPI document, its servers replaced by the address under which callers call it.

    Raises:
        ValueError: it is none.
    """
    found: dict[str, Any] = _members(document)
    found["servers"] = [{"url": base}]
    if "paths" in found:
        found["paths"] = _without_servers(found["paths"])
    if "components" in found and _SERVERS in bytes(found["components"]):
        components: dict[str, Any] = _members(found["components"])
        # Where paths refer to items (OpenAPI 3.1), these have servers likewise.
        if "pathItems" in components:
            components["pathItems"] = _without_servers(components["pathItems"])
        found["components"] = components
    return msgspec.json.encode(found)


def _members(document: bytes | msgspec.Raw) -> dict[str, msgspec.Raw]:
    """The members of an object, which are not looked into.

    Raises:
        ValueError: it is none.
    """
    try:
        return _OBJECT.decode(document)
    except msgspec.MsgspecError as error:
        raise ValueError(f"not an object: {error}") from None


def _without_servers(written: msgspec.Raw) -> Any:  # noqa: ANN401 - any JSON
    try:
        items: dict[str, Any] = _members(written)
    except ValueError:
        return written
    for path, item in items.items():
        # The catalog writes names without escapes.
        if _SERVERS not in bytes(item):
            continue
        found: Any = msgspec.json.decode(item)
        if isinstance(found, dict):
            for holder in (found, *(found.get(method) for method in _METHODS)):
                if isinstance(holder, dict):
                    holder.pop("servers", None)
        items[path] = found
    return items


def _client(instance: str, client: Client) -> Mapping[str, Any]:
    identifier = {
        "object_type": "MEMBER" if client.subsystem is None else "SUBSYSTEM",
        "xroad_instance": instance,
        "member_class": client.member_class,
        "member_code": client.member,
    }
    if client.subsystem is None:
        return {"id": identifier, "name": client.member_name}
    identifier["subsystem_code"] = client.subsystem
    return {"id": identifier, "name": client.member_name, "subsystem_name": client.subsystem_name}


def _client_xml(instance: str, client: Client) -> str:
    kind = "MEMBER" if client.subsystem is None else "SUBSYSTEM"
    parts = {"xRoadInstance": instance, "memberClass": client.member_class, "memberCode": client.member}
    name = f"<xrd:name>{escape(client.member_name)}</xrd:name>"
    if client.subsystem is not None:
        parts["subsystemCode"] = client.subsystem
        name += f"<xrd:subsystemName>{escape(client.subsystem_name or '')}</xrd:subsystemName>"
    inner = "".join(f"<id:{part}>{escape(text)}</id:{part}>" for part, text in parts.items())
    return f'<xrd:member><xrd:id id:objectType="{kind}">{inner}</xrd:id>{name}</xrd:member>'
