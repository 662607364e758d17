"""Calls of a provider that wants an access token: what it is asked, in which order, and how often."""

from __future__ import annotations

import base64
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from tests.unit.gateway.way import Way

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

SHOWN = "/api/H11.05/land/shown-v1/p/1"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
REFUSED = b"HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Bearer\r\ncontent-length: 0\r\n\r\n"


def issued(token: str) -> bytes:
    body = b'{"access_token":"%b","token_type":"Bearer","expires_in":3600}' % token.encode()
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Way]:
    way = Way(folder, None, 1000)
    await way.open()
    try:
        yield way
    finally:
        await way.close()


def asked(way: Way) -> list[str]:
    """The requests since the last call: `issue`, or the token that was shown."""
    return [
        request.partition("authorization: Bearer ")[2].partition("\r\n")[0] or "issue" for request in way.seen
    ]


def ids(request: str) -> str:
    """The id of the assertion in a request."""
    claims = request.partition("lgsp-assertion: ")[2].split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(claims + "=="))["jti"])


async def call(way: Way, method: str = "PUT", *, chunked: bool = False) -> int:
    framing = {"transfer-encoding": "chunked"} if chunked else {"content-length": "3"}
    found = await way.call(method, SHOWN, headers=framing, token=way.token(), body=(b"abc",))
    return int(found["answer"]["status"])


async def test_a_401_renews_the_token_once_and_the_call_is_sent_again_whole(tmp_path: Path) -> None:
    async with opened(tmp_path) as way:
        way.answers = [issued("one"), OK]
        assert await call(way) == 200
        assert asked(way) == ["issue", "one"]
        way.clock.advance(60)
        way.answers = [REFUSED, issued("two"), OK]
        assert await call(way) == 200
        assert asked(way) == ["one", "issue", "two"]
        assert way.seen[0].endswith("\r\n\r\nabc")
        assert ids(way.seen[0]) + ".2" == ids(way.seen[2])
        way.answers = [OK]
        assert await call(way) == 200
        assert asked(way) == ["two"]


async def test_a_second_401_reaches_the_caller(tmp_path: Path) -> None:
    async with opened(tmp_path) as way:
        way.answers = [issued("one"), OK]
        await call(way)
        way.clock.advance(60)
        way.answers = [REFUSED, issued("two"), REFUSED]
        assert await call(way) == 401
        assert asked(way) == ["one", "issue", "two"]
        way.answers = [REFUSED]
        assert await call(way) == 401
        assert asked(way) == ["two"]


async def test_a_body_that_was_sent_on_is_not_sent_again(tmp_path: Path) -> None:
    async with opened(tmp_path) as way:
        way.answers = [issued("one"), OK]
        await call(way)
        way.clock.advance(60)
        way.answers = [REFUSED, issued("two")]
        assert await call(way, chunked=True) == 401
        assert asked(way) == ["one", "issue"]
        way.answers = [OK]
        assert await call(way, chunked=True) == 200
        assert asked(way) == ["two"]


@pytest.mark.parametrize("answer", [b"HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n", b"nothing\r\n\r\n"])
async def test_a_401_while_no_token_is_to_be_had_passes(tmp_path: Path, answer: bytes) -> None:
    async with opened(tmp_path) as way:
        way.answers = [issued("one"), OK]
        await call(way)
        way.clock.advance(60)
        way.answers = [REFUSED, answer]
        assert await call(way) == 401
        way.answers = [OK]
        assert await call(way) == 200
        assert asked(way) == ["one"]


@pytest.mark.parametrize(
    ("document", "status"),
    [
        (b"[" * 60_000, 502),
        (b'{"access_token": "one", "expires_in": 1' + b"0" * 400 + b"}", 200),
        (b'{"access_token": "one", "expires_in": -1' + b"0" * 400 + b"}", 200),
    ],
    ids=["nested deeply", "a lifetime of four hundred digits", "one that is over"],
)
async def test_strange_documents_of_a_token_endpoint_are_no_fault_of_the_gateway(
    tmp_path: Path, document: bytes, status: int
) -> None:
    async with opened(tmp_path) as way:
        way.answers = [b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(document), document), OK]
        assert await call(way) == status
