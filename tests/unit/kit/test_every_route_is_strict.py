"""Every address of every service refuses query parameters that it does not declare."""

from __future__ import annotations

import inspect
import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING

import pytest
from fastapi.routing import APIRoute

from lienthong.identity.settings import IdentitySettings
from lienthong.kit.rest import StrictRoute

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import APIRouter

SERVICES = ("lienthong.catalog", "lienthong.exchange", "lienthong.identity", "lienthong.ledger")
ENDPOINTS = [
    module.name
    for service in SERVICES
    for module in pkgutil.walk_packages(import_module(service).__path__, f"{service}.")
    if module.name.endswith(".endpoints") and hasattr(import_module(module.name), "routes")
]


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
    assert lenient == ({"/oauth2/token"} if module == "lienthong.identity.endpoints" else set())
