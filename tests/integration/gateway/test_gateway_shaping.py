"""Only the fields that the agreement names leave of a provider's answers, whatever the provider answers."""

from __future__ import annotations

import gzip
import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.gateway.world import API, World, agreement, service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from tests.integration.gateway.peers import Exchange

LIMIT = 400_000
FIELDS = {"*": ["parcelId", "owners[*].fullName"], "listParcels": ["[*].parcelId"]}
PARCEL = {
    "parcelId": "BT-1",
    "area": 123.50,
    "owners": [{"fullName": "Nguyễn Văn A", "personId": "079203001234"}, {"fullName": "Trần Thị B"}],
}
LEFT = {"parcelId": "BT-1", "owners": [{"fullName": "Nguyễn Văn A"}, {"fullName": "Trần Thị B"}]}
PATH = f"{API}/parcels/1"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A gateway whose one agreement names the fields that leave."""
    world = World(tmp_path_factory.mktemp("world"), shaped_answer_bytes=LIMIT)
    try:
        world.start()
        world.change(agreement(fields=FIELDS))
        yield world
    finally:
        world.close()


@pytest.fixture
def answered(world: World) -> Iterator[Callable[..., httpx.Response]]:
    """Calls an operation that the provider answers so."""

    def call(
        body: object,
        *,
        status: str = "200 OK",
        media_type: str = "application/json",
        headers: str = "",
        method: str = "GET",
        sent: dict[str, str] | None = None,
    ) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()

        async def answer(exchange: Exchange) -> None:
            head = f"HTTP/1.1 {status}\r\ncontent-type: {media_type}\r\n{headers}"
            length = "" if "content-length" in headers else f"content-length: {len(content)}\r\n"
            exchange.writer.write(f"{head}{length}\r\n".encode() + (content if method != "HEAD" else b""))
            await exchange.writer.drain()

        world.provider.behaviours["/parcels/1"] = answer
        with world.client() as client:
            return client.request(method, PATH, headers=sent)

    yield call
    world.provider.behaviours.clear()


def record(world: World, response: httpx.Response) -> dict[str, Any]:
    return world.record(response.headers["lgsp-transaction-id"])


def test_an_answer_is_shortened_to_the_agreed_fields(
    world: World, answered: Callable[..., httpx.Response]
) -> None:
    response = answered(PARCEL)
    assert response.json() == LEFT
    assert response.headers["content-length"] == str(len(response.content))
    found = record(world, response)
    assert found["fields_removed"] == 2
    assert found["response_bytes"] == len(response.content)
    assert found["response_sha256"] == hashlib.sha256(response.content).hexdigest()


def test_operations_have_fields_of_their_own(world: World) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.answer(json.dumps([PARCEL, PARCEL]).encode())

    world.provider.behaviours["/parcels"] = answer
    with world.client() as client:
        response = client.get(f"{API}/parcels")
    assert response.json() == [{"parcelId": "BT-1"}] * 2


def test_without_fields_an_answer_passes_as_it_is(
    world: World, answered: Callable[..., httpx.Response]
) -> None:
    world.change(agreement())
    try:
        response = answered(PARCEL, headers='etag: "1"\r\n', sent={"accept-encoding": "gzip"})
        assert response.json() == PARCEL
        assert response.headers["etag"] == '"1"'
        assert world.provider.seen[-1].header("accept-encoding") == "gzip"
        assert "fields_removed" not in record(world, response)
    finally:
        world.change(agreement(fields=FIELDS))


@pytest.mark.parametrize(
    "media_type", ["application/json; charset=utf-8", "Application/GEO+JSON", "application/hal+json"]
)
def test_every_json_media_type_is_shaped(answered: Callable[..., httpx.Response], media_type: str) -> None:
    assert answered(PARCEL, media_type=media_type).json() == LEFT


@pytest.mark.parametrize("size", [70_000, 300_000])
def test_large_answers_are_shaped_as_well(
    answered: Callable[..., httpx.Response], world: World, size: int
) -> None:
    response = answered({**PARCEL, "notes": "x" * size})
    assert response.json() == LEFT
    assert record(world, response)["fields_removed"] == 3


def test_an_answer_beyond_the_limit_is_refused_and_says_who_may_raise_it(
    answered: Callable[..., httpx.Response], world: World
) -> None:
    for size in (LIMIT, 3 * LIMIT):
        response = answered({**PARCEL, "notes": "x" * size})
        problem = response.json()
        assert (response.status_code, problem["code"]) == (502, "answer-too-large")
        assert str(LIMIT) in problem["detail"]
        assert "LIENTHONG_GATEWAY_SHAPED_ANSWER_BYTES" in problem["detail_vi"]
        found = record(world, response)
        assert (found["error"], found["upstream_status"]) == ("answer-too-large", 200)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"parcelId":1,"parcelId":2}', {}),
        (b'{"parcelId":"\xff"}', {}),
        (b'{"parcelId":' + b"[" * 50_000, {}),
        (b'{"parcelId":1', {}),
        (b"[]", {}),
        (b"<p>Nguyen Van A</p>", {"media_type": "text/html"}),
        (b'{"parcelId":1}', {"media_type": "application/json\r\ncontent-type: text/plain"}),
        (b'{"parcelId":1}\n{"parcelId":2}\n', {"media_type": "application/x-ndjson"}),
        (gzip.compress(b'{"parcelId":1}'), {"headers": "content-encoding: gzip\r\n"}),
        (b'{"parcelId":1}', {"status": "206 Partial Content", "headers": "content-range: bytes 0-13/14\r\n"}),
        (b"data: 1\n\n", {"media_type": "text/event-stream", "headers": "connection: close\r\n"}),
    ],
    ids=range(11),
)
def test_what_no_fields_can_be_taken_from_is_refused(
    world: World, answered: Callable[..., httpx.Response], body: bytes, told: dict[str, str]
) -> None:
    response = answered(body, **told)
    assert (response.status_code, response.json()["code"]) == (502, "answer-not-shapable")
    assert response.headers["lgsp-error"] == "answer-not-shapable"
    assert "Nguyen" not in response.text
    found = record(world, response)
    assert (found["status"], found["error"]) == (502, "answer-not-shapable")
    assert found["upstream_status"] == int(told.get("status", "200")[:3])


def test_a_stream_of_events_is_refused_at_once(world: World) -> None:
    async def stream(exchange: Exchange) -> None:
        exchange.writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: A\n\n")
        await exchange.writer.drain()
        await exchange.reader.read()

    world.provider.behaviours["/parcels/1"] = stream
    with world.client() as client:
        assert client.get(PATH).json()["code"] == "answer-not-shapable"


def test_the_provider_is_asked_for_the_whole_document_as_it_is(
    world: World, answered: Callable[..., httpx.Response]
) -> None:
    asked = {
        "accept-encoding": "gzip, br",
        "range": "bytes=0-5",
        "want-repr-digest": "sha-256=1",
        "if-none-match": '"1"',
    }
    answered(PARCEL, sent=asked)
    seen = world.provider.seen[-1]
    assert [seen.header(name) for name in asked] == ["identity", None, None, '"1"']


def test_what_is_true_of_the_whole_document_only_does_not_leave(
    answered: Callable[..., httpx.Response],
) -> None:
    whole = {
        "etag": '"1"', "digest": "sha-256=x",
        "content-digest": "sha-256=:eA==:", "repr-digest": "sha-256=:eA==:",
        "content-md5": "x", "accept-ranges": "bytes", "signature": "s=:eA==:", "signature-input": "s=()",
        "cache-control": "no-store",
    }  # fmt: skip
    response = answered(PARCEL, headers="".join(f"{name}: {value}\r\n" for name, value in whole.items()))
    assert {name: response.headers[name] for name in whole if name in response.headers} == {
        "etag": 'W/"1"',
        "cache-control": "no-store",
    }


def test_answers_without_a_body_pass(answered: Callable[..., httpx.Response], world: World) -> None:
    head = answered(PARCEL, method="HEAD", headers='etag: W/"1"\r\n')
    assert (head.status_code, head.headers["etag"]) == (200, 'W/"1"')
    assert "content-length" not in head.headers
    for status in ("204 No Content", "304 Not Modified"):
        response = answered(b"", status=status, headers='etag: "1"\r\ncontent-length: 0\r\n')
        assert (response.status_code, response.content) == (int(status[:3]), b"")
        assert record(world, response)["fields_removed"] == 0
    assert answered(b"", media_type="text/plain").status_code == 200


@pytest.mark.parametrize(
    ("body", "media_type", "left"),
    [
        (
            {"type": "about:blank", "title": "T", "status": 404, "detail": "D", "person": "079203001234"},
            "application/problem+json",
            {"type": "about:blank", "title": "T", "status": 404, "detail": "D"},
        ),
        ({"title": "T", "detail": {"personId": "079203001234"}}, "application/problem+json", {"title": "T"}),
        ({"parcelId": "BT-1", "personId": "079203001234"}, "application/json", {"parcelId": "BT-1"}),
        (b"<h1>079203001234</h1>", "text/html", None),
        (b'{"title":', "application/problem+json", None),
        (b"[]", "application/json", None),
    ],
    ids=range(6),
)
def test_of_the_providers_errors_only_words_and_agreed_fields_leave(
    answered: Callable[..., httpx.Response], world: World, body: object, media_type: str, left: object
) -> None:
    response = answered(body, status="404 Not Found", media_type=media_type)
    assert response.status_code == 404
    assert "lgsp-error" not in response.headers
    if left is None:
        assert response.content == b""
        assert "content-type" not in response.headers
        assert record(world, response)["fields_removed"] == 1
    else:
        assert response.json() == left


def test_where_the_agreement_says_nothing_of_an_operation_nothing_leaves(
    world: World, answered: Callable[..., httpx.Response]
) -> None:
    world.change(agreement(fields={"listParcels": ["$"]}))
    try:
        assert answered(PARCEL).json()["code"] == "answer-not-shapable"
        message = agreement(fields={"*": ["a b"]})
        world.change(message)
        with world.client() as client:
            assert client.get(PATH).json()["code"] == "no-agreement"
    finally:
        world.change(agreement(fields=FIELDS), service([world.provider.url]))


def test_an_answer_that_breaks_off_is_the_providers_fault(world: World) -> None:
    async def break_off(exchange: Exchange) -> None:
        exchange.writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 390000\r\n\r\n"
        )
        exchange.writer.write(b'{"notes":"' + b"x" * 300_000)
        await exchange.writer.drain()
        exchange.writer.close()

    world.provider.behaviours["/parcels/1"] = break_off
    with world.client() as client:
        response = client.get(PATH)
    assert (response.status_code, response.json()["code"]) == (502, "provider-broken")
    assert record(world, response)["error"] == "provider-broken"
