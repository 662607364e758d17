"""A route that is answered before FastAPI looks at it is answered as all others are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from fastapi import APIRouter, Depends, Request, Response
from opentelemetry.sdk.resources import Resource
from sqlalchemy.exc import OperationalError

from lienthong.kit.access import Caller, require
from lienthong.kit.bearer import authorization_of, credentials
from lienthong.kit.bodies import read_body
from lienthong.kit.body_room import BodyRoom
from lienthong.kit.clock import SystemClock
from lienthong.kit.metrics.figures import Figures
from lienthong.kit.metrics.requests import MeasuredApp
from lienthong.kit.problems import ProblemError, general
from lienthong.kit.rest import StrictDirectRoute, StrictRoute, create_rest_app
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fastapi import FastAPI
    from fastapi.routing import APIRoute

ROOM = 1000
TX = "01938f2e-0000-7000-8000-000000000000"


class _AwayError(Exception):
    sqlstate = "57P01"


class AnyToken:
    """Takes every token but one: the client is named by it."""

    def caller(self, headers: list[tuple[bytes, bytes]]) -> Caller:
        token = credentials(authorization_of(headers)).token
        if token == "bad":
            raise ProblemError(general.TOKEN_REFUSED, BilingualText("No.", "Không."))
        return Caller(token, frozenset({"events"}))


def application(route: type[APIRoute], room: BodyRoom) -> FastAPI:
    app = create_rest_app("A test", summary="For a test.", openapi_path="/openapi.json", bodies=room)
    app.state.access = AnyToken()
    router = APIRouter(prefix="/v1")
    authorized = require("events")

    async def things(request: Request, agency: str, thing: str) -> Response:
        """Do it."""
        caller = await authorized(request)
        body = await read_body(request, ROOM)
        match thing:
            case "away":
                raise OperationalError("secret", {}, _AwayError())
            case "broken":
                raise RuntimeError("the password is hunter2")
            case "refused":
                raise ProblemError(general.NOT_READY, BilingualText("Not yet.", "Chưa."))
        return Response(f"{caller.client_id} {agency} {thing} {len(body)}", 202, media_type="text/plain")

    router.add_api_route(
        "/things/{agency}/{thing}",
        things,
        methods=["POST"],
        dependencies=[Depends(authorized)],
        route_class_override=route,
    )
    app.include_router(router)
    return app


@pytest.fixture
async def clients() -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    transports = (
        httpx.ASGITransport(app=application(route, BodyRoom(all_bytes=ROOM, callers_bytes=ROOM)))
        for route in (StrictRoute, StrictDirectRoute)
    )
    strict, direct = (httpx.AsyncClient(transport=one, base_url="http://test") for one in transports)
    async with strict, direct:
        yield strict, direct


@pytest.mark.parametrize(
    ("method", "path", "token", "size"),
    [
        ("POST", "/v1/things/H11.05/one", "a", 1),
        ("POST", "/v1/things/H11.05/one", "a", ROOM),
        ("POST", "/v1/things/H11.05/one", "", 1),
        ("POST", "/v1/things/H11.05/one", "bad", 1),
        ("POST", "/v1/things/H11.05/one?", "a", 1),
        ("POST", "/v1/things/H11.05/one?x=1", "a", 1),
        ("POST", "/v1/things/H11.05/one?x=1", "", 1),
        ("POST", "/v1/things/H11.05/t%E1%BB%89nh", "a", 1),
        ("POST", "/v1/things/H11.05/%ff", "a", 1),
        ("POST", "/v1/things/H11.05/a%00b", "a", 1),
        ("POST", "/v1/things/H11.05/a%2fb", "a", 1),
        ("POST", "/v1/things/H11.05/a%0a", "a", 1),
        ("POST", "/v1/things/H11.05/one/", "a", 1),
        ("POST", "/v1/things/H11.05/", "a", 1),
        ("POST", "/v1/things/H11.05", "a", 1),
        ("POST", "/v1/other", "a", 1),
        ("GET", "/v1/things/H11.05/one", "a", 0),
        ("OPTIONS", "/v1/things/H11.05/one", "a", 0),
        ("POST", "/v1/things/H11.05/away", "a", 1),
        ("POST", "/v1/things/H11.05/broken", "a", 1),
        ("POST", "/v1/things/H11.05/refused", "a", 1),
    ],
)
async def test_a_direct_route_answers_as_a_strict_one(
    clients: tuple[httpx.AsyncClient, httpx.AsyncClient], method: str, path: str, token: str, size: int
) -> None:
    headers = {"LGSP-Transaction-Id": TX} | ({"Authorization": f"Bearer {token}"} if token else {})
    strict, direct = [
        await client.request(method, path, headers=headers, content=b"x" * size) for client in clients
    ]
    assert (direct.status_code, direct.headers, direct.content) == (
        strict.status_code,
        strict.headers,
        strict.content,
    )
    assert b"hunter2" not in direct.content


async def test_the_document_is_the_same() -> None:
    strict, direct = (application(route, BodyRoom()) for route in (StrictRoute, StrictDirectRoute))
    assert direct.openapi() == strict.openapi()
    assert "/v1/things/{agency}/{thing}" in direct.openapi()["paths"]


async def test_the_room_of_a_body_is_free_after_the_answer() -> None:
    app = application(StrictDirectRoute, BodyRoom(all_bytes=ROOM, callers_bytes=ROOM))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client:
        for thing in ("one", "broken", "refused", "one"):
            answer = await client.post(
                f"/v1/things/a/{thing}", content=b"x" * ROOM, headers={"Authorization": "Bearer a"}
            )
            assert answer.status_code != 429, thing
    assert answer.status_code == 202


async def test_it_is_counted_by_its_route() -> None:
    figures = Figures(Resource({}))
    app = MeasuredApp(application(StrictDirectRoute, BodyRoom()), figures, SystemClock())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client:
        await client.post("/v1/things/a/079090000001", headers={"Authorization": "Bearer a"})
    text, _ = await figures.exposition.text("")
    assert b'http_route="/v1/things/{agency}/{thing}"' in text
    assert b"079090000001" not in text
