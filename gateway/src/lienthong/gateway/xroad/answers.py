"""The metadata services, which the door answers itself, from the routing table and the catalog."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from lienthong.gateway import problems
from lienthong.gateway.call_headers import call_headers
from lienthong.gateway.http1.fields import written
from lienthong.gateway.policy import allowed_operations
from lienthong.gateway.response import WholeResponse
from lienthong.gateway.xroad import govstack, refusals
from lienthong.gateway.xroad.dialect import GOVSTACK_JSON, LIST_CLIENTS, XROAD
from lienthong.gateway.xroad.metadata import (
    ALLOWED_METHODS,
    GET_OPENAPI,
    Listed,
    client_list,
    client_list_xml,
    public_document,
    service_list,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lienthong.gateway.call import Call
    from lienthong.gateway.response import GatewayResponse
    from lienthong.gateway.table import ServiceRoute
    from lienthong.gateway.xroad.directory import Directory
    from lienthong.gateway.xroad.visit import Asked

_JSON: Final = b"application/json;charset=utf-8"
_XML: Final = b"text/xml;charset=utf-8"
_MOST_PARAMETERS: Final = 100


class Answers:
    """Answers for one installation, X-Road's `instance`."""

    def __init__(self, instance: str, directory: Directory) -> None:
        self._instance = instance
        self._directory = directory

    async def answer(self, call: Call, asked: Asked) -> GatewayResponse:
        """The document that was asked for.

        Raises:
            ProblemError: malformed-request, unknown-service, platform-unavailable.
        """
        parameters = _parameters(call.query)
        if asked.what == LIST_CLIENTS.decode():
            return await self._clients(call, asked, parameters)
        if asked.what == GET_OPENAPI:
            return await self._openapi(call, asked, parameters)
        return await self._methods(call, asked, parameters)

    async def _clients(self, call: Call, asked: Asked, parameters: dict[str, str]) -> GatewayResponse:
        ours = asked.dialect is XROAD
        wanted = parameters.get("xroadinstance" if ours else "instanceid") or self._instance
        clients = await self._directory.clients() if wanted == self._instance else ()
        if not ours:
            return _document(
                call, GOVSTACK_JSON, govstack.client_list(asked.dialect, self._instance, clients)
            )
        if asked.accepts_json:
            return _document(call, _JSON, client_list(self._instance, clients))
        return _document(call, _XML, client_list_xml(self._instance, clients))

    async def _methods(self, call: Call, asked: Asked, parameters: dict[str, str]) -> GatewayResponse:
        provider = asked.provider
        only = parameters.get("serviceid", "").rpartition("/")[2]
        found: list[Listed] = []
        for route in await self._routes(asked):
            allowed = None
            if asked.what == ALLOWED_METHODS:
                allowed = allowed_operations(asked.table, route, asked.system_id, call.received)
            operations = [one for one in route.operations.all if allowed is None or one.id in allowed]
            code = route.id.rpartition("/")[2]
            if operations and only in ("", code):
                found.append(Listed(code, operations))
        if asked.dialect is not XROAD:
            document = govstack.service_list(asked.dialect, self._instance, provider, found)
            return _document(call, GOVSTACK_JSON, document)
        document = service_list(
            self._instance, provider.member_class, provider.member, provider.subsystem or "", found
        )
        return _document(call, _JSON, document)

    async def _openapi(self, call: Call, asked: Asked, parameters: dict[str, str]) -> GatewayResponse:
        code = parameters.get("servicecode")
        if not code:
            raise refusals.no_service_code()
        service = f"{asked.provider.system_id}/{code}"
        route = asked.table.service(service.encode()) if "/" not in code else None
        document = None
        if route is not None and route.soap is None:
            document = await self._directory.openapi(service)
        if document is None:
            raise problems.unknown_service(service)
        base = f"{asked.dialect.base.decode()}{asked.provider}/{code}"
        public = await asyncio.to_thread(public_document, document, base)
        if asked.dialect is not XROAD:
            return _document(call, GOVSTACK_JSON, govstack.document_text(public))
        return _document(call, _JSON, public)

    async def _routes(self, asked: Asked) -> Sequence[ServiceRoute]:
        """The services that the asked subsystem offers at present."""
        provider = asked.provider.system_id
        if provider is None or not asked.table.is_active(provider):
            return ()
        found = [asked.table.service(one.encode()) for one in await self._directory.services(provider)]
        return [route for route in found if route is not None and route.active and route.soap is None]


def _parameters(query: bytes) -> dict[str, str]:
    """Names in lower case: X-Road reads them in any.

    Raises:
        ProblemError: malformed-request, where there are more than any service has.
    """
    try:
        found = parse_qsl(query[1:].decode("latin-1"), max_num_fields=_MOST_PARAMETERS)
    except ValueError:
        raise refusals.too_many_parameters(_MOST_PARAMETERS) from None
    return {name.lower(): value for name, value in found}


def _document(call: Call, content: bytes, body: bytes) -> WholeResponse:
    own = [(b"content-type", content), (b"content-length", b"%d" % len(body))]
    return WholeResponse(200, written(own) + call_headers(call), body)
