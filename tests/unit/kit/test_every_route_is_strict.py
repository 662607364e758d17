"""Every address of every service knows its caller before it reads, and takes only declared parameters."""

from __future__ import annotations

import inspect
import pkgutil
import re
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.routing import APIRoute

from lienthong.identity.settings import IdentitySettings
from lienthong.kit.access import Access
from lienthong.kit.clock import ManualClock
from lienthong.kit.keys import IdentityKeys
from lienthong.kit.openapi import stated_by
from lienthong.kit.rest import StrictRoute, create_rest_app
from lienthong.kit.shown import Shown
from lienthong.kit.tokens import KeySet, TokenVerifier
from tests.support.rpc import rpc_trust

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import APIRouter

SERVICES = ("lienthong.catalog", "lienthong.exchange", "lienthong.identity", "lienthong.ledger")
ENDPOINTS = [
    module.name
    for service in SERVICES
    for module in pkgutil.walk_packages(import_module(service).__path__, f"{service}.")
    if ".endpoints" in module.name and hasattr(import_module(module.name), "routes")
]


FORMS = {"/oauth2/par", "/oauth2/introspect", "/oauth2/revoke"}
"""Clients prove themselves in these forms, as at the token endpoint."""
READS_NO_BODY = {"/oauth2/userinfo"}
"""It verifies the token by itself, as the gateway passes that on unread."""


def router_of(module: str) -> APIRouter:
    """The router, made of nothing: its routes are only looked at here, never called."""
    routes = import_module(module).routes
    given = {"settings": IdentitySettings()}
    router: APIRouter = routes(*(given.get(name) for name in inspect.signature(routes).parameters))
    return router


def all_routes(router: APIRouter) -> Iterator[APIRoute]:
    for route in router.routes:
        if isinstance(route, APIRoute):
            yield route
        else:
            yield from all_routes(route.original_router)  # type: ignore[attr-defined]


def test_every_service_has_endpoints() -> None:
    assert {".".join(module.split(".")[:2]) for module in ENDPOINTS} == set(SERVICES)


@pytest.mark.parametrize("module", ENDPOINTS)
def test_unknown_parameters_are_refused_everywhere(module: str) -> None:
    routes = list(all_routes(router_of(module)))
    assert routes
    lenient = {route.path for route in routes if not isinstance(route, StrictRoute)}
    # It refuses every parameter by itself, in the form of RFC 6749.
    assert lenient == {
        "lienthong.identity.endpoints": {"/oauth2/token"},
        "lienthong.identity.openid.endpoints.back_channel": FORMS,
    }.get(module, set())


# Documents for everyone, and where callers prove themselves in other ways; 32 KiB are read at most.
OPEN = {
    "/audit/checkpoint",
    "/identity/v1/invitations/accept",
    "/audit/key",
    "/audit/tile/{level}/{index:path}",
    "/oauth2/jwks",
    "/oauth2/token",
    "/.well-known/jwks.json",
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
}


async def status_without_a_token(module: str, route: APIRoute, method: str) -> int:
    """What a caller without a token is answered, who must not be able to make the service read a body."""
    app = create_rest_app("test", summary="A test.", openapi_path="/openapi.json")
    keys = IdentityKeys(1, "issuer", "", KeySet({}), frozenset())
    app.state.access = Access(
        lambda: keys,
        TokenVerifier("issuer", "audience", ManualClock()),
        Shown(rpc_trust(), ManualClock()),
    )
    app.include_router(router_of(module))
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        pytest.fail("the body was read")

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    path = re.sub(r"\{[^}]*\}", "x", route.path)
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        # Neither does anything else come first.
        "query_string": b"unknown=1",
        "headers": [(b"content-type", b"application/json"), (b"content-length", b"1000000")],
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 1),
    }
    await app(scope, receive, send)  # type: ignore[arg-type]
    return statuses[0]


@pytest.mark.parametrize("module", ENDPOINTS)
async def test_no_body_of_a_caller_without_a_token_is_read(module: str) -> None:
    for route in all_routes(router_of(module)):
        guarded = any(dependency.security for dependency in stated_by(route.dependant))
        assert guarded != (route.path in OPEN | FORMS | READS_NO_BODY), route.path
        assert guarded or route.body_field is None, route.path
        for method in (route.methods or ()) if guarded else ():
            assert await status_without_a_token(module, route, method) == 401, route.path
