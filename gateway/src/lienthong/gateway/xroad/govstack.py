"""The documents of GovStack's directory services, which name the same things otherwise than X-Road's do.

The building block's own tests allow no other member in an item than these; its newest API, whose paths begin
with `/r1/`, writes `instanceId` for `GovStackInstance`, and says of what kind an item is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from lienthong.gateway.xroad.dialect import GOVSTACK_R1
from lienthong.gateway.xroad.metadata import endpoint

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lienthong.gateway.xroad.dialect import Dialect
    from lienthong.gateway.xroad.ids import ClientId
    from lienthong.gateway.xroad.metadata import Client, Listed

_VERSION: Final = re.compile(r"-(v[1-9][0-9]*)$")


def service_list(dialect: Dialect, instance: str, provider: ClientId, services: Iterable[Listed]) -> bytes:
    """The answer of listMethods and allowedMethods."""
    found: list[dict[str, Any]] = []
    for service in services:
        item: dict[str, Any] = {"objectType": "SERVICE"} if dialect is GOVSTACK_R1 else {}
        version = _VERSION.search(service.code)
        item |= {
            "serviceType": "OPENAPI",
            _instance_name(dialect): instance,
            "memberClass": provider.member_class,
            "memberCode": provider.member,
            "applicationCode": provider.subsystem,
            "serviceCode": service.code,
            "serviceVersion": version[1] if version is not None else "",
            "endpointList": {"member": [endpoint(operation) for operation in service.operations]},
        }
        found.append(item)
    return msgspec.json.encode({"member": found})


def client_list(dialect: Dialect, instance: str, clients: Iterable[Client]) -> bytes:
    """The answer of listClients."""
    found: list[dict[str, Any]] = []
    for client in clients:
        item: dict[str, Any] = {
            _instance_name(dialect): instance,
            "memberClass": client.member_class,
            "memberCode": client.member,
        }
        if client.subsystem is not None:
            item["applicationCode"] = client.subsystem
        if dialect is GOVSTACK_R1:
            kind = "MEMBER" if client.subsystem is None else "APPLICATION"
            name = client.subsystem_name if client.subsystem is not None else client.member_name
            item = {"name": name, "id": {"objectType": kind, **item}}
        found.append(item)
    return msgspec.json.encode({"member": found})


def document_text(document: bytes) -> bytes:
    """The answer of getOpenAPI: the document as a JSON string."""
    return msgspec.json.encode(document.decode())


def _instance_name(dialect: Dialect) -> str:
    return "instanceId" if dialect is GOVSTACK_R1 else "GovStackInstance"
