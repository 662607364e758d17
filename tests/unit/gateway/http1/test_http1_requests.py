"""Bytes of callers: each sequence has one meaning, in whatever pieces it comes."""

from __future__ import annotations

import asyncio
import gc
import socket
from typing import TYPE_CHECKING, NamedTuple

import httptools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.gateway.http1 import request_input
from lienthong.gateway.http1.caller import MOST_HELD, Caller
from lienthong.gateway.http1.errors import BrokenRequestError, CallerGoneError
from lienthong.gateway.http1.fields import written
from lienthong.gateway.http1.framing import MOST_FRAMING, MOST_PIECES
from lienthong.gateway.http1.head import check_beginning
from lienthong.gateway.http1.listener import Door, Listener
from tests.support.waiting import eventually
from tests.unit.gateway.wire import MAX_HEAD, Wire, listener

if TYPE_CHECKING:
    from lienthong.gateway.http1.head import Unreadable
    from lienthong.gateway.http1.incoming import Incoming


class Seen(NamedTuple):
    """A request as it is served."""

    method: str
    path: bytes
    query: bytes
    fields: tuple[tuple[bytes, bytes], ...]
    flaw: str | None
    body: bytes | None
    """None where its framing is broken."""


class Reading:
    """A service that reads each request to its end, and says how many bytes its body had."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.unreadable_for: list[str] = []
        self.left = 0

    async def serve(self, incoming: Incoming) -> None:
        body: bytes | None = b""
        try:
            if incoming.flaw is None:
                with incoming:
                    while part := await incoming.part():
                        assert body is not None
                        body += part
        except BrokenRequestError as error:
            incoming.flaw, body = error.flaw, None
        except CallerGoneError:
            self.left += 1
            return
        flaw = incoming.flaw.name if incoming.flaw is not None else None
        fields = tuple(incoming.fields) if flaw is None else ()
        self.seen.append(Seen(incoming.method, incoming.path, incoming.query, fields, flaw, body))
        status = 200 if flaw is None else 400
        content = b"%d" % len(body or b"")
        incoming.answer(
            status,
            written([(b"content-length", b"%d" % len(content))]),
            b"" if incoming.method == "HEAD" else content,
        )

    def unreadable(self, reason: Unreadable) -> tuple[int, list[bytes], bytes]:
        self.unreadable_for.append(reason.value)
        return 400, written([(b"content-length", b"0")]), b""


class Found(NamedTuple):
    """What became of a sequence of bytes."""

    seen: list[Seen]
    unreadable: list[str]
    answers: list[tuple[int, list[tuple[str, str]], bytes]]
    state: str


async def received(*pieces: bytes) -> Found:
    """Send pieces, one after another, and wait until nothing is under way."""
    service = Reading()
    wire = Wire(listener(service))
    for piece in pieces:
        wire.send(piece)
        await wire.settle(0)
    await wire.settle(0.01)
    heads = any(one.method == "HEAD" for one in service.seen)
    answers = [(one.status, one.fields, one.body) for one in wire.answers(bodiless=heads)]
    return Found(service.seen, service.unreadable_for, answers, wire.transport.state)


ONE_CHUNK = b"1\r\na\r\n0\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
X = (b"host", b"x")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"GET /a? HTTP/1.1\r\nHost: x\r\n\r\n", Seen("GET", b"/a", b"?", (X,), None, b"")),
        (b"GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n", Seen("GET", b"/a", b"?b=c", (X,), None, b"")),
        (b"\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", Seen("GET", b"/", b"", (X,), None, b"")),
        (b"GET http://y:1/a?b HTTP/1.1\r\nHost: x\r\n\r\n", Seen("GET", b"/a", b"?b", (X,), None, b"")),
        (b"GET HTTPS://y HTTP/1.1\r\nHost: x\r\n\r\n", Seen("GET", b"/", b"", (X,), None, b"")),
        (b"GET http://y?b HTTP/1.1\r\nHost: x\r\n\r\n", Seen("GET", b"/", b"?b", (X,), None, b"")),
        (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", Seen("OPTIONS", b"*", b"", (X,), None, b"")),
        (
            b"GET / HTTP/1.1\r\nHost: x\r\nA:  b c \t\r\nempty:\r\n\r\n",
            Seen("GET", b"/", b"", (X, (b"a", b"b c"), (b"empty", b"")), None, b""),
        ),
        (b"GET / HTTP/1.1\r\n\r\n", Seen("GET", b"/", b"", (), None, b"")),
        (
            b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
            Seen("POST", b"/", b"", ((b"content-length", b"3"),), None, b"abc"),
        ),
        (
            b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
            Seen("POST", b"/", b"", ((b"content-length", b"0"),), None, b""),
        ),
        (
            CHUNKED + b"3;a=b\r\nabc\r\n2\r\n\r\n\r\n0\r\nTrailer: t\r\n\r\n",
            Seen("POST", b"/", b"", (X, (b"transfer-encoding", b"chunked")), None, b"abc\r\n"),
        ),
        (
            CHUNKED + b"8\r\n\r\n\r\n\r\n\r\n\r\n0\r\n\r\n",
            Seen("POST", b"/", b"", (X, (b"transfer-encoding", b"chunked")), None, b"\r\n\r\n\r\n\r\n"),
        ),
        (
            b"GET / HTTP/1.1\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
            Seen("GET", b"/", b"", ((b"upgrade", b"h2c"), (b"connection", b"upgrade")), None, b""),
        ),
        (
            b"POST / HTTP/1.1\r\nUpgrade: h2c\r\nConnection: upgrade\r\nContent-Length: 3\r\n\r\nabc",
            Seen(
                "POST",
                b"/",
                b"",
                ((b"upgrade", b"h2c"), (b"connection", b"upgrade"), (b"content-length", b"3")),
                None,
                b"abc",
            ),
        ),
        (
            b"PUT / HTTP/1.1\r\nUpgrade: x\r\nConnection: upgrade\r\nTransfer-Encoding: chunked\r\n\r\n"
            + ONE_CHUNK,
            Seen(
                "PUT",
                b"/",
                b"",
                ((b"upgrade", b"x"), (b"connection", b"upgrade"), (b"transfer-encoding", b"chunked")),
                None,
                b"a",
            ),
        ),
    ],
)
async def test_a_request_is_read_in_whatever_pieces_it_comes(data: bytes, expected: Seen) -> None:
    whole = await received(data)
    assert whole == (
        [expected],
        [],
        [(200, [("content-length", "1")], b"%d" % len(expected.body or b""))],
        "open",
    )
    for at in range(1, len(data)):
        assert await received(data[:at], data[at:]) == whole, at
    assert await received(*(data[at : at + 1] for at in range(len(data)))) == whole


@pytest.mark.parametrize(
    ("data", "flaw"),
    [
        (b"FOO /a HTTP/1.1\r\nHost: x\r\n\r\n", "METHOD"),
        (b"get /a HTTP/1.1\r\nHost: x\r\n\r\n", "METHOD"),
        (b"PRI /a HTTP/1.1\r\nHost: x\r\n\r\n", "METHOD"),
        (b"CONNECT /a HTTP/1.1\r\nHost: x\r\n\r\n", "CONNECT"),
        (b"GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n", "TARGET"),
        (b"GET /a\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n", "TARGET"),
        (b"GET http://u@y/a HTTP/1.1\r\nHost: x\r\n\r\n", "TARGET"),
        (b"GET http:///a HTTP/1.1\r\nHost: x\r\n\r\n", "TARGET"),
        (b"GET ftp://y/a HTTP/1.1\r\nHost: x\r\n\r\n", None),
        (b"GET a HTTP/1.1\r\nHost: x\r\n\r\n", "TARGET"),
        (b"GET /a HTTP/1.1\r\nHost: x\n\r\n", "FIELDS"),
        (b"GET /a HTTP/1.1\nHost: x\n\n", "FIELDS"),
        (b"GET /a HTTP/1.1\r\nA: b\r\n c\r\n\r\n", "FIELDS"),
        (b"GET /a HTTP/1.1\r\n A: b\r\n\r\n", "FIELDS"),
        (b"GET /a HTTP/1.1\r\nA : b\r\n\r\n", "FIELDS"),
        (b"GET /a HTTP/1.1\r\n: b\r\n\r\n", "FIELDS"),
        (b"GET /a HTTP/1.1\r\nA\r\n\r\n", "FIELDS"),
        (b"GET /a HTTP/1.1\r\nA: b\x00\r\n\r\n", "FIELDS"),
        (b"GET /a HTTP/1.1\r\nA: b\rc\r\n\r\n", "FIELDS"),
        (b"GET /a HTTP/1.1\r\nA(: b\r\n\r\n", "FIELDS"),
        (b"GET /a HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n", "LENGTH"),
        (b"GET /a HTTP/1.1\r\nContent-Length: 3, 3\r\n\r\n", "LENGTH"),
        (b"GET /a HTTP/1.1\r\nContent-Length: +3\r\n\r\n", "LENGTH"),
        (b"GET /a HTTP/1.1\r\nContent-Length: -3\r\n\r\n", "LENGTH"),
        (b"GET /a HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", "LENGTH"),
        (b"GET /a HTTP/1.1\r\nContent-Length: " + b"0" * 18 + b"5\r\n\r\n", "LENGTH"),
        (b"GET /a HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", "LENGTH"),
        (b"GET /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", "LENGTH"),
        (b"GET /a HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", "LENGTH"),
        (b"GET /a HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\n", "LENGTH"),
        (b"GET /a HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n", "LENGTH"),
        (b"GET /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "LENGTH"),
        (b"GET /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "LENGTH"),
        (b"GET /a HTTP/1.1\r\nUpgrade: x\r\nConnection: upgrade\r\nContent-Length: a\r\n\r\n", "LENGTH"),
        (b"POST /a HTTP/1.1\r\nContent-Length: 1\r\nExpect: 200-ok\r\n\r\n", "EXPECT"),
        (b"GET /a HTTP/1.1\r\nX: " + b"x" * MAX_HEAD + b"\r\n\r\n", "TOO_LARGE"),
        (b"GET /a?" + b"x" * MAX_HEAD + b" HTTP/1.1\r\n\r\n", "TOO_LARGE"),
        (b"X" * (MAX_HEAD + 1), "TOO_LARGE"),
    ],
)
async def test_what_can_be_read_but_not_served_is_one_call_and_the_end(data: bytes, flaw: str | None) -> None:
    whole = await received(data)
    [seen] = whole.seen
    if flaw is None:
        # Left to the stages: the path does not begin with a slash.
        assert (seen.path, seen.flaw) == (b"ftp://y/a", None)
        return
    assert seen.flaw == flaw
    assert seen.method == data.split(b" ")[0][:MAX_HEAD].decode()
    assert seen.path.startswith((b"/a", b"a", b"http:")) or data.startswith(b"XX")
    [(status, fields, _)] = whole.answers
    assert (status, ("connection", "close") in fields, whole.state) == (400, True, "half closed")
    assert whole.unreadable == []
    step = max(len(data) // 200, 1)
    for at in range(1, len(data), step):
        assert await received(data[:at], data[at:]) == whole, at
    assert await received(data, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") == whole, "nothing follows"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "tls"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "version"),
        (b"GET / HTTP/1.2\r\n\r\n", "version"),
        (b"GET / HTTP/0.9\r\n\r\n", "version"),
        (b"GET /\r\n", "malformed"),
        (b"GET / \r\n", "malformed"),
        (b"GET  / HTTP/1.1\r\n\r\n", "malformed"),
        (b"GET /a b HTTP/1.1\r\n\r\n", "malformed"),
        (b"GET / HTTP/1.1 \r\n\r\n", "malformed"),
        (b"GET / http/1.1\r\n\r\n", "malformed"),
        (b"DESCRIBE / RTSP/1.0\r\n\r\n", "malformed"),
        (b"GET\t/ HTTP/1.1\r\n\r\n", "malformed"),
        (b"G(T / HTTP/1.1\r\n\r\n", "malformed"),
        (b"GET /\x01 HTTP/1.1\r\n\r\n", "malformed"),
        (b"GET /\x7f HTTP/1.1\r\n\r\n", "malformed"),
        (b"\rGET / HTTP/1.1\r\nHost: x\r\n\r\n", "malformed"),
        (b" GET / HTTP/1.1\r\n\r\n", "malformed"),
        (b"\nGET / HTTP/1.1\r\n\r\n", "malformed"),
        (b"\r\n" * 5 + b"GET / HTTP/1.1\r\n\r\n", "malformed"),
        (b"\x00" * 10, "malformed"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "malformed"),
    ],
)
async def test_what_is_no_request_is_answered_and_counted_with_its_reason(data: bytes, reason: str) -> None:
    whole = await received(data)
    answer = (400, [("content-length", "0"), ("connection", "close")], b"")
    assert whole == ([], [reason], [answer], "half closed")
    for at in range(1, len(data)):
        assert await received(data[:at], data[at:]) == whole, at


@pytest.mark.parametrize(
    "rest",
    [
        b"x\r\n",
        b"3\nabc\n",
        b"3\r\nabcd\r\n",
        b"0x3\r\nabc\r\n",
        b"-1\r\n",
        b"F" * 17 + b"\r\n",
        b"3 \r\nabc\r\n",
    ],
)
async def test_broken_chunks_are_told_and_end_the_connection(rest: bytes) -> None:
    data = CHUNKED + b"2\r\nab\r\n" + rest
    whole = await received(data)
    [seen] = whole.seen
    assert (seen.flaw, seen.body, whole.state) == ("CHUNKS", None, "half closed")
    for at in range(1, len(data)):
        assert await received(data[:at], data[at:]) == whole, at


@pytest.mark.parametrize(
    "rest",
    [
        b"0\r\nx: " + b"a" * MOST_FRAMING * 2,
        b"1;" + b"a" * MOST_FRAMING * 2,
        b"0\r\n" + b"x: y\r\n" * MOST_FRAMING,
    ],
)
async def test_trailers_and_extensions_have_a_limit(rest: bytes) -> None:
    found = await received(
        CHUNKED + b"1\r\na\r\n", *(rest[at : at + 1000] for at in range(0, len(rest), 1000))
    )
    assert [seen.flaw for seen in found.seen] == ["TOO_LARGE"]
    assert found.state == "half closed"


async def test_a_body_in_many_pieces_lets_others_have_their_turn() -> None:
    service = Reading()
    wire = Wire(listener(service))
    empty_lines = b"\r\n\r\n" * 3000
    wire.send(CHUNKED)
    await wire.settle(0)
    wire.send(b"%x\r\n" % len(empty_lines) + empty_lines + b"\r\n3\r\nab")
    assert len(wire.caller._buffer) > len(empty_lines) - 4 * MOST_PIECES - 20, "not all of it in one turn"
    assert not wire.transport.reading
    wire.send(b"c\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await wire.settle()
    assert [one.body for one in service.seen] == [empty_lines + b"abc", b""]
    assert wire.transport.reading


async def test_fields_behind_a_body_say_nothing_of_the_connection() -> None:
    found = await received(
        CHUNKED + b"1\r\na\r\n0\r\nConnection: close\r\n\r\n" + b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    )
    assert [(seen.method, seen.flaw) for seen in found.seen] == [("POST", None), ("GET", None)]
    assert found.state == "open"


@pytest.mark.interpreted
async def test_a_line_in_drops_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []

    def look(beginning: bytes, seen: int = 0) -> None:
        looked.append(len(beginning) - seen)
        check_beginning(beginning, seen)

    monkeypatch.setattr(request_input, "check_beginning", look)
    line = b"GET /" + b"x" * 3000
    service = Reading()
    wire = Wire(listener(service))
    for at in range(len(line)):
        wire.send(line[at : at + 1])
    assert sum(looked) == len(line)
    wire.send(b" HTTP/1.1\r\nHost: x\r\n\r\n")
    await wire.settle()
    assert [(seen.path, seen.flaw) for seen in service.seen] == [(line[4:], None)]


@pytest.mark.parametrize(
    "line", [b"GET  / HTTP/1.1", b"GE(T /", b"GET /\x01", b"GET /\r/", b"GET / H /", b"GET / " + b"H" * 40]
)
async def test_what_no_request_begins_with_is_refused_in_whatever_pieces(line: bytes) -> None:
    for size in (1, 2, len(line)):
        found = await received(*(line[at : at + size] for at in range(0, len(line), size)))
        assert (found.unreadable, found.seen, found.state) == (["malformed"], [], "half closed"), size


@pytest.mark.parametrize("line", [b"G(T / HTTP/1.1", b"GET /\x01 HTTP/1.1", b"G\rET /\xd0 HTTP/1.1"])
async def test_a_line_of_no_request_is_refused_before_the_rest_of_its_head_comes(line: bytes) -> None:
    data = line + b"\r\nHost: x"
    for size in (1, len(data)):
        found = await received(*(data[at : at + size] for at in range(0, len(data), size)))
        assert (found.unreadable, found.seen, found.state) == (["malformed"], [], "half closed"), size


@pytest.mark.parametrize("sent", [CHUNKED + b"3\r\nab", CHUNKED + b"x\r\n", CHUNKED + ONE_CHUNK])
async def test_a_connection_that_ends_within_a_body_leaves_nothing_to_the_garbage_collector(
    sent: bytes,
) -> None:
    def parsers() -> int:
        return sum(isinstance(thing, httptools.HttpRequestParser) for thing in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        before = parsers()
        for _ in range(5):
            wire = Wire(listener(Reading()))
            wire.send(sent)
            await wire.settle(0)
            wire.leave()
            await wire.settle()
        assert parsers() == before
    finally:
        gc.enable()


async def test_many_small_chunks_are_no_large_framing() -> None:
    data = CHUNKED + b"1;a\r\nb\r\n" * MOST_FRAMING + b"0\r\nt: u\r\n\r\n"
    assert [seen.body for seen in (await received(data)).seen] == [b"b" * MOST_FRAMING]


async def test_requests_that_follow_each_other_are_answered_in_order() -> None:
    requests = [
        b"POST /%d HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (n, n) + b"a" * n for n in range(9)
    ]
    data = b"".join(requests) + CHUNKED + b"3\r\nabc\r\n0\r\n\r\n" + b"GET /last HTTP/1.1\r\nHost: x\r\n\r\n"
    whole = await received(data)
    assert [seen.path for seen in whole.seen] == [*(b"/%d" % n for n in range(9)), b"/", b"/last"]
    assert [body for _, _, body in whole.answers] == [*(b"%d" % n for n in range(9)), b"3", b"0"]
    for at in range(1, len(data)):
        assert await received(data[:at], data[at:]) == whole, at


async def test_nothing_is_answered_after_the_last_request() -> None:
    first = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    found = await received(first + b"GET /2 HTTP/1.1\r\nHost: x\r\n\r\n")
    assert len(found.seen) == len(found.answers) == 1
    assert found.state == "half closed"
    # The caller may be sending something at this moment.
    assert (await received(first)).state == "half closed"


@pytest.mark.parametrize(
    ("version", "field", "said", "state"),
    [
        ("1.1", "", None, "open"),
        ("1.1", "Connection: close\r\n", "close", "half closed"),
        ("1.1", "Connection: keep-alive, close\r\n", "close", "half closed"),
        ("1.0", "", "close", "half closed"),
        ("1.0", "Connection: keep-alive\r\n", "keep-alive", "open"),
    ],
)
async def test_a_connection_is_kept_as_both_sides_say(
    version: str, field: str, said: str | None, state: str
) -> None:
    found = await received(f"GET / HTTP/{version}\r\nHost: x\r\n{field}\r\n".encode())
    [(_, fields, _)] = found.answers
    assert (dict(fields).get("connection"), found.state) == (said, state)


async def test_whoever_waits_for_a_word_before_the_body_is_asked_for_it() -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-Continue\r\n\r\n"
    found = await received(head, b"abc")
    assert [status for status, _, _ in found.answers] == [100, 200]
    assert [status for status, _, _ in (await received(head + b"abc")).answers] == [200], "it did not wait"
    old = head.replace(b"HTTP/1.1", b"HTTP/1.0")
    assert [status for status, _, _ in (await received(old, b"abc")).answers] == [200]


async def test_an_answer_to_head_has_no_body_and_the_next_one_follows() -> None:
    service = Reading()
    wire = Wire(listener(service))
    wire.send(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n" * 2)
    await wire.settle(0.01)
    assert [answer.status for answer in wire.answers(bodiless=True)] == [200, 200]


class Holding(Reading):
    """A service that answers when it is told to, without reading a body."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = asyncio.Event()

    async def serve(self, incoming: Incoming) -> None:
        await self.go_on.wait()
        incoming.answer(200, written([(b"content-length", b"0")]), b"")


async def test_input_that_nobody_takes_is_not_read_without_end() -> None:
    service = Holding()
    wire = Wire(listener(service))
    wire.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
    sent = 0
    while wire.transport.reading:
        wire.send(b"x" * 1000)
        sent += 1000
        assert sent <= MOST_HELD + 1000
    assert len(wire.caller._buffer) <= MOST_HELD + 1000
    service.go_on.set()
    await wire.settle(0.01)
    wire.send(b"x" * 1000)
    assert wire.caller._buffer == b"", "what still comes is read and discarded"
    assert wire.transport.state == "half closed"


async def test_who_does_not_read_its_answers_gets_no_more_of_them() -> None:
    service = Reading()
    wire = Wire(listener(service))
    wire.caller.pause_writing()
    wire.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 5)
    await wire.settle(0.01)
    assert len(service.seen) == 1
    wire.caller.resume_writing()
    await wire.settle(0.01)
    assert len(service.seen) == 5


@pytest.mark.parametrize(
    ("sent", "left", "answered"),
    [
        (b"", 0, 0),
        (b"GET / HT", 0, 0),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc", 1, 0),
        (CHUNKED + b"3\r\nab", 1, 0),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 0, 1),
    ],
)
async def test_a_caller_may_go_away_at_any_moment(sent: bytes, left: int, answered: int) -> None:
    service = Reading()
    wire = Wire(listener(service))
    wire.send(sent)
    await wire.settle(0)
    wire.leave()
    await wire.settle()
    assert (service.left, len(wire.answers())) == (left, answered)
    assert wire.caller not in wire.owner._callers
    assert service.unreadable_for == []


class Clocked:
    """A connection, and time that passes when the test says so."""

    def __init__(self, service: Reading) -> None:
        self.owner = listener(service, idle_s=10, stall_s=5)
        self.wire = Wire(self.owner)
        self._began = self.owner.now

    async def pass_to(self, seconds: float) -> str:
        """So many seconds after the beginning, how is the connection?"""
        self.owner.now = self._began + seconds
        self.wire.caller.look(self.owner.now)
        await self.wire.settle(0)
        return self.wire.transport.state


async def test_a_connection_without_a_request_is_closed_without_a_word() -> None:
    clocked = Clocked(Reading())
    assert await clocked.pass_to(10) == "open"
    assert await clocked.pass_to(12) == "closed"
    assert clocked.wire.transport.written == b""
    assert clocked.owner.dropped == {"idle": 1}


async def test_the_beginning_of_an_empty_line_is_nothing() -> None:
    service = Reading()
    clocked = Clocked(service)
    clocked.wire.send(b"\r\n\r")
    assert await clocked.pass_to(12) == "closed"
    assert (service.seen, bytes(clocked.wire.transport.written)) == ([], b"")
    assert clocked.owner.dropped == {"idle": 1}


@pytest.mark.parametrize(
    ("sent", "served", "after_a_second", "in_the_end"),
    [
        (b"", 0, "open", "closed"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 1, "closed", "closed"),
        (b"GET / HT", 0, "open", "half closed"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\nG", 1, "open", "half closed"),
    ],
)
async def test_when_the_gateway_stops_nobody_is_waited_for_long(
    sent: bytes, served: int, after_a_second: str, in_the_end: str
) -> None:
    service = Reading()
    clocked = Clocked(service)
    clocked.wire.send(sent)
    await clocked.wire.settle(0)
    assert len(service.seen) == served
    clocked.owner.draining = True
    clocked.wire.caller.drain()
    assert await clocked.pass_to(1) == after_a_second
    assert await clocked.pass_to(3) == in_the_end
    assert "idle" not in clocked.owner.dropped


async def test_an_answer_that_is_taken_late_ends_the_connection_when_the_gateway_stops() -> None:
    wire = Wire(listener(Reading()))
    wire.caller.pause_writing()
    wire.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await wire.settle(0.01)
    wire.owner.draining = True
    wire.caller.drain()
    assert wire.transport.state == "open"
    wire.caller.resume_writing()
    assert wire.transport.state == "half closed"


async def test_the_end_waits_for_calls_whose_callers_have_gone() -> None:
    service = Holding()
    with socket.create_server(("127.0.0.1", 0)) as port:
        owner = Listener([Door(port)], service, most=10, max_head=MAX_HEAD, idle_s=60, stall_s=60)
        wire = Wire(owner)
        wire.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        wire.leave()
        closing = asyncio.create_task(owner.close(10))
        await eventually(lambda: owner._empty._waiters, "it waits for what is under way", every=0)
        assert not closing.done()
        service.go_on.set()
        await closing


@pytest.mark.interpreted
async def test_one_connection_that_cannot_be_looked_at_does_not_hide_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    owner = listener(Reading(), idle_s=10)
    first, second = Wire(owner), Wire(owner)
    owner._callers |= {first.caller, second.caller}

    def fail(self: Caller, now: float) -> None:
        if self is first.caller:
            raise RuntimeError("a handle is closed")
        look(self, now)

    look = Caller.look
    monkeypatch.setattr(Caller, "look", fail)
    monkeypatch.setattr("time.monotonic", lambda now=owner.now: now + 100)
    monkeypatch.setattr(owner, "_go_on", lambda: None)
    owner._look_at_all()
    assert owner._look is not None
    owner._look.cancel()
    await second.settle(0)
    assert (first.transport.state, second.transport.state) == ("aborted", "closed")


async def test_nothing_is_sent_to_a_caller_that_has_gone() -> None:
    class Streaming(Reading):
        async def serve(self, incoming: Incoming) -> None:
            incoming.begin(200, [], declared=False)
            await incoming.write(b"a")
            await gone.wait()
            incoming.finish(b"b")
            assert not incoming.answered

    gone = asyncio.Event()
    wire = Wire(listener(Streaming()))
    wire.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await wire.settle(0.01)
    before = bytes(wire.transport.written)
    wire.leave()
    gone.set()
    await wire.settle()
    assert before == bytes(wire.transport.written)


async def test_a_head_that_comes_in_drops_has_an_end_and_is_a_call() -> None:
    service = Reading()
    clocked = Clocked(service)
    for number, part in enumerate((b"GET /a HTTP/1.1\r\n", b"a: b\r\n", b"a: b\r\n", b"a")):
        clocked.wire.send(part)
        assert await clocked.pass_to(3 * number) == "open"
    assert await clocked.pass_to(12) == "half closed"
    assert [(seen.method, seen.path, seen.flaw) for seen in service.seen] == [("GET", b"/a", "TOO_SLOW")]
    assert await clocked.pass_to(18) == "aborted"
    assert clocked.owner.dropped == {"slow": 1}


async def test_an_answer_that_nobody_takes_is_given_up() -> None:
    clocked = Clocked(Reading())
    clocked.wire.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await clocked.wire.settle(0)
    for seconds, unsent in ((1, 9000), (5, 8000), (9, 8000)):
        clocked.wire.transport.unsent = unsent
        assert await clocked.pass_to(seconds) == "open"
    assert await clocked.pass_to(10) == "aborted"
    assert clocked.owner.dropped == {"stalled": 1}


async def test_a_connection_that_is_used_is_kept_and_idle_time_begins_anew() -> None:
    clocked = Clocked(Reading())
    for seconds in (8, 16, 24):
        assert await clocked.pass_to(seconds) == "open"
        clocked.wire.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await clocked.wire.settle(0)
    assert await clocked.pass_to(33) == "open"
    assert await clocked.pass_to(36) == "closed"


async def test_a_service_that_fails_leaves_no_connection_waiting() -> None:
    class Failing(Reading):
        async def serve(self, incoming: Incoming) -> None:
            raise ValueError(incoming)

    wire = Wire(listener(Failing()))
    wire.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await wire.settle(0.01)
    assert wire.transport.state == "aborted"


METHODS = st.sampled_from([b"GET", b"POST", b"PUT", b"DELETE", b"OPTIONS"])
NAMES = st.sampled_from([b"A", b"x-b", b"Accept", b"LGSP-Purpose"])
VALUES = st.text("abc =;,/\t", max_size=12).map(lambda text: text.strip().encode())
BODIES = st.one_of(st.none(), st.binary(max_size=40), st.lists(st.binary(min_size=1, max_size=9), max_size=5))


@st.composite
def requests(draw: st.DrawFn) -> tuple[bytes, Seen]:
    """A request's bytes, and what it is."""
    method, path = draw(METHODS), b"/" + draw(st.text("ab%20.-", max_size=9)).encode()
    query = draw(st.just("") | st.text("ab=&?", max_size=9).map("?".__add__)).encode()
    fields = [X, *((name, value) for name, value in draw(st.lists(st.tuples(NAMES, VALUES), max_size=4)))]
    body, content, framed = draw(BODIES), b"", b""
    if isinstance(body, bytes):
        fields.append((b"Content-Length", b"%d" % len(body)))
        content = framed = body
    elif body is not None:
        fields.append((b"Transfer-Encoding", b"chunked"))
        content = b"".join(body)
        framed = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in body) + b"0\r\n\r\n"
    lines = [method + b" " + path + query + b" HTTP/1.1"]
    lines += [name + b": " + value for name, value in fields]
    seen = Seen(
        method.decode(), path, query, tuple((name.lower(), value) for name, value in fields), None, content
    )
    return b"\r\n".join([*lines, b"", framed]), seen


@settings(max_examples=150, deadline=None)
@given(st.lists(requests(), min_size=1, max_size=4), st.data())
def test_any_requests_in_any_pieces_are_the_same_calls(
    made: list[tuple[bytes, Seen]], data: st.DataObject
) -> None:
    stream = b"".join(part for part, _ in made)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    ends = [*cuts, len(stream)]
    pieces = [stream[begin:end] for begin, end in zip([0, *cuts], ends, strict=True)]
    found = asyncio.run(received(*pieces))
    assert found.seen == [seen for _, seen in made]
    assert (found.unreadable, found.state) == ([], "open")


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 200))
def test_whatever_comes_is_answered_or_waited_for_and_nothing_fails(data: bytes, cut: int) -> None:
    begun = b"POST /a HTTP/1.1\r\n"
    for stream in (data, begun + data, CHUNKED + data):
        found = asyncio.run(received(stream[:cut], stream[cut:]))
        assert found.state in ("open", "closed", "half closed")
        assert len(found.answers) == len(found.seen) + len(found.unreadable)
