"""Every address of every service refuses query parameters that it does not declare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fastapi.routing import APIRoute

import lienthong.exchange.endpoints
import lienthong.identity.endpoints
import lienthong.ledger.endpoints
from lienthong.identity.settings import IdentitySettings
from lienthong.kit.rest import StrictRoute

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import APIRouter

# Routes are only looked at here, never called.
NOTHING: Any = None
SERVICES = {
    "exchange": lienthong.exchange.endpoints.routes(NOTHING, NOTHING, NOTHING),
    "identity": lienthong.identity.endpoints.routes(IdentitySettings(), NOTHING, NOTHING),
    "ledger": lienthong.ledger.endpoints.routes(NOTHING, NOTHING),
}


def all_routes(router: APIRouter) -> Iterator[APIRoute]:
    for route in router.routes:
        if isinstance(route, APIRoute):
            yield route
        else:
            yield from all_routes(route.original_router)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", SERVICES)
def test_unknown_parameters_are_refused_everywhere(name: str) -> None:
    lenient = {route.path for route in all_routes(SERVICES[name]) if not isinstance(route, StrictRoute)}
    # It refuses every parameter by itself, in the form of RFC 6749.
    assert lenient == ({"/oauth2/token"} if name == "identity" else set())
