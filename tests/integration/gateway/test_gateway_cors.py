"""Pages in browsers: what they ask before they call, and what lets them read answers."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.integration.gateway.world import API, SERVICE, service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.gateway.peers import Exchange
    from tests.integration.gateway.world import World

PORTAL = "https://portal.example.vn"
OTHER = "https://other.example.vn"
PREFLIGHT = {"Origin": PORTAL, "Access-Control-Request-Method": "GET"}


@pytest.fixture(scope="module", autouse=True)
def _portal(world: World) -> None:
    world.change(service([world.provider.url], origins=[PORTAL, "http://localhost:3000"]))


@pytest.fixture
def _without_origins(world: World) -> Iterator[None]:
    world.change(service([world.provider.url]))
    yield
    world.change(service([world.provider.url], origins=[PORTAL, "http://localhost:3000"]))


def test_a_page_that_the_service_names_may_call_without_having_shown_a_token(world: World) -> None:
    seen = len(world.provider.seen)
    asked = PREFLIGHT | {
        "Access-Control-Request-Headers": "authorization,dpop,content-type,lgsp-purpose, x-own"
    }
    with world.client("") as page:
        answer = page.options(f"{API}/parcels/1", headers=asked)
    assert answer.status_code == 204
    assert answer.content == b""
    assert answer.headers["access-control-allow-origin"] == PORTAL
    assert answer.headers["access-control-allow-methods"] == "DELETE, GET, HEAD, OPTIONS"
    assert (
        answer.headers["access-control-allow-headers"]
        == "authorization, dpop, content-type, lgsp-purpose, x-own"
    )
    assert answer.headers["access-control-max-age"] == "600"
    assert "origin" in answer.headers["vary"]
    assert "access-control-allow-credentials" not in answer.headers
    assert len(world.provider.seen) == seen
    record = world.record(answer.headers["lgsp-transaction-id"])
    assert (record["method"], record["status"], record["service"]) == ("OPTIONS", 204, SERVICE)
    assert "client" not in record
    assert "error" not in record


def test_fields_that_do_not_pass_are_not_allowed_to_pages_either(world: World) -> None:
    asked = PREFLIGHT | {
        "Access-Control-Request-Headers": "x-forwarded-for, cookie, lgsp-client, x y, , x_ok"
    }
    with world.client("") as page:
        answer = page.options(f"{API}/parcels/1", headers=asked)
    assert answer.headers["access-control-allow-headers"] == "x_ok"


@pytest.mark.parametrize(
    "origin", [OTHER, "null", "https://portal.example.vn.evil.vn", "http://portal.example.vn"]
)
def test_other_pages_are_told_whom_to_ask(world: World, origin: str) -> None:
    with world.client("") as page:
        answer = page.options(f"{API}/parcels/1", headers=PREFLIGHT | {"Origin": origin})
    assert (answer.status_code, answer.headers["lgsp-error"]) == (403, "origin-not-allowed")
    assert origin in answer.json()["detail"]
    assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_a_path_that_does_not_exist_is_told_to_pages_as_to_others(world: World) -> None:
    with world.client("") as page:
        answer = page.options(f"{API}/no/such/path", headers=PREFLIGHT)
    assert (answer.status_code, answer.headers["lgsp-error"]) == (404, "unknown-operation")


@pytest.mark.usefixtures("_without_origins")
def test_no_page_of_another_origin_may_call_what_names_none(world: World) -> None:
    with world.client("") as page:
        asked = page.options(f"{API}/parcels/1", headers=PREFLIGHT)
    with world.client() as page:
        answer = page.get(f"{API}/parcels/1", headers={"Origin": PORTAL})
    assert (asked.status_code, asked.headers["lgsp-error"]) == (403, "origin-not-allowed")
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.usefixtures("_without_origins")
def test_every_page_may_read_what_is_open_to_every_one(world: World) -> None:
    world.change(service([world.provider.url], origins=["*"]))
    with world.client("") as page:
        asked = page.options(f"{API}/parcels/1", headers=PREFLIGHT | {"Origin": OTHER})
    with world.client() as page:
        answer = page.get(f"{API}/parcels/1", headers={"Origin": OTHER})
    assert asked.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "vary" not in answer.headers


def test_a_page_reads_the_answer_and_the_gateways_own_fields(world: World) -> None:
    with world.client() as page:
        answer = page.get(f"{API}/parcels/1", headers={"Origin": "http://localhost:3000"})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "http://localhost:3000"
    assert answer.headers["access-control-expose-headers"] == "*"
    assert world.provider.seen[-1].header("origin") == "http://localhost:3000"


def test_a_page_reads_why_it_was_refused(world: World) -> None:
    with world.client("") as page:
        answer = page.get(f"{API}/parcels/1", headers={"Origin": PORTAL})
    assert (answer.status_code, answer.headers["lgsp-error"]) == (401, "no-token")
    assert answer.headers["access-control-allow-origin"] == PORTAL


@pytest.mark.parametrize("origin", [OTHER, None])
def test_answers_for_others_say_that_they_depend_on_the_origin(world: World, origin: str | None) -> None:
    with world.client() as page:
        answer = page.get(f"{API}/parcels/1", headers={"Origin": origin} if origin is not None else {})
    assert answer.status_code == 200
    assert answer.headers["vary"] == "origin"
    assert "access-control-allow-origin" not in answer.headers


def test_the_gateway_alone_says_which_page_may_read(world: World) -> None:
    async def allows_everyone(exchange: Exchange) -> None:
        exchange.writer.write(
            b"HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\naccess-control-allow-credentials: true\r\n"
            b"Vary: accept\r\nX-Own: 1\r\nContent-Length: 2\r\n\r\n{}"
        )

    world.provider.behaviours["/parcels/open"] = allows_everyone
    with world.client() as page:
        answer = page.get(f"{API}/parcels/open", headers={"Origin": PORTAL})
    fields = Counter(name for name, _ in answer.headers.multi_items())
    assert answer.headers.get_list("access-control-allow-origin") == [PORTAL]
    assert "access-control-allow-credentials" not in fields
    assert answer.headers.get_list("vary") == ["accept", "origin"]
    assert answer.headers["x-own"] == "1"


def test_an_origin_that_comes_twice_is_no_page(world: World) -> None:
    twice = [("Origin", PORTAL), ("Origin", PORTAL), ("Access-Control-Request-Method", "GET")]
    with world.client("") as page:
        answer = page.options(f"{API}/parcels/1", headers=twice)
    assert (answer.status_code, answer.headers["allow"]) == (204, "DELETE, GET, HEAD, OPTIONS")
    assert "access-control-allow-origin" not in answer.headers


def test_a_page_reads_which_methods_there_are(world: World) -> None:
    with world.client() as page:
        answer = page.options(f"{API}/parcels/1", headers={"Origin": PORTAL})
    assert (answer.status_code, answer.headers["allow"]) == (204, "DELETE, GET, HEAD, OPTIONS")
    assert answer.headers["access-control-allow-origin"] == PORTAL


@pytest.mark.parametrize("path", [f"{API}/parcels/1", "/catalog/v1/services"])
def test_a_websocket_is_refused_and_not_passed_on_as_a_get(world: World, path: str) -> None:
    seen = len(world.provider.seen)
    wanted = {
        "Connection": "keep-alive, Upgrade",
        "Upgrade": "WebSocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    with world.client() as client:
        answer = client.get(path, headers=wanted)
    assert (answer.status_code, answer.headers["lgsp-error"]) == (501, "websocket-not-supported")
    assert len(world.provider.seen) == seen
    assert world.record(answer.headers["lgsp-transaction-id"])["error"] == "websocket-not-supported"


def test_an_offer_of_http2_is_not_taken_and_the_call_served(world: World) -> None:
    # As curl and Java's client make it with each request over an unencrypted connection.
    offer = {
        "Connection": "Upgrade, HTTP2-Settings",
        "Upgrade": "h2c",
        "HTTP2-Settings": "AAMAAABkAAQCAAAAAAIAAAAA",
    }
    with world.client() as client:
        answer = client.get(f"{API}/parcels/1", headers=offer)
    assert answer.status_code == 200
    assert world.provider.seen[-1].header("upgrade") is None
