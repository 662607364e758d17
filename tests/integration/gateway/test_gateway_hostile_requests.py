"""Shapes of requests, down to the bytes: what each is answered, what the provider received, and what is kept
of it: a record of the call, or a count where nothing that came can be called one."""

from __future__ import annotations

import contextlib
import json
import re
import socket
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
import pytest

from lienthong.contracts.catalog.v1 import routes_pb2
from tests.integration.gateway.world import API, World, service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_DROPPED = re.compile(
    r'^lienthong_http_connections_dropped_total\{.*?reason="(\w+)".*?\} ([0-9.e+]+)$', re.MULTILINE
)


class Shape(NamedTuple):
    """Bytes, in which `%a` stands for the service, `%t` for a token's field and `%h` for a Host and that, and
    what becomes of them."""

    data: bytes
    statuses: tuple[int, ...]
    """Of the answers, in order."""
    problem: str | None = None
    """Of the last answer."""
    reaches: tuple[bytes, ...] = ()
    """The bodies of the requests that the provider gets."""
    counted: str | None = None
    """The reason under which the connection is counted, where nothing is recorded."""
    aborted: bool = False
    """Whether the record says that the caller went away: there is no answer."""


def _passes(data: bytes, *bodies: bytes) -> Shape:
    return Shape(data, (200,) * len(bodies), reaches=bodies)


def _refused(data: bytes, status: int = 400, problem: str = "malformed-request") -> Shape:
    return Shape(data, (status,), problem)


def _counted(data: bytes, reason: str = "malformed") -> Shape:
    return Shape(data, (400,), "malformed-request", counted=reason)


def _get(*fields: bytes) -> bytes:
    return b"\r\n".join((b"GET %a/parcels/1 HTTP/1.1", b"%h", *fields, b"", b""))


def _post(*fields: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join((b"POST %a/parcels HTTP/1.1", b"%h", *fields, b"", body))


CHUNKED = b"Transfer-Encoding: chunked"
SMUGGLED = b"GET %a/secrets HTTP/1.1\r\n%h\r\n\r\n"
SHAPES = {
    # Request lines.
    "an ordinary request": _passes(_get(), b""),
    "two, one behind the other": _passes(_get() + _get(), b"", b""),
    "empty lines before it": _passes(b"\r\n\r\n" + _get(), b""),
    "many empty lines before it": _counted(b"\r\n" * 6 + _get()),
    "a bare CR before it": _counted(b"\r" + _get()),
    "HTTP/1.0 without a Host": _passes(b"GET %a/parcels/1 HTTP/1.0\r\n%t\r\n\r\n", b""),
    "HTTP/0.9": _counted(b"GET %a/parcels/1\r\n\r\n"),
    "HTTP/1.2": _counted(_get().replace(b"HTTP/1.1", b"HTTP/1.2"), "version"),
    "HTTP/2 by its preface": _counted(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "version"),
    "HTTP/3 in the line": _counted(_get().replace(b"HTTP/1.1", b"HTTP/3"), "version"),
    "a version in small letters": _counted(_get().replace(b"HTTP/1.1", b"http/1.1")),
    "TLS": _counted(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "tls"),
    "SSH": _counted(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "no words at all": _counted(bytes(range(0x80, 0xA0)) * 4),
    "a space in the target": _counted(b"GET %a/parcels/1 2 HTTP/1.1\r\n%h\r\n\r\n"),
    "two spaces in the line": _counted(b"GET  %a/parcels/1 HTTP/1.1\r\n%h\r\n\r\n"),
    "tabs in the line": _counted(b"GET\t%a/parcels/1\tHTTP/1.1\r\n%h\r\n\r\n"),
    "NUL in the target": _counted(b"GET %a/parcels/\x00 HTTP/1.1\r\n%h\r\n\r\n"),
    "a method in small letters": _refused(_get().replace(b"GET", b"get")),
    "a method that nobody knows": _refused(_get().replace(b"GET", b"FETCH")),
    "a method of 33 letters": _refused(_get().replace(b"GET", b"G" * 33)),
    "CONNECT": _refused(b"CONNECT gateway:443 HTTP/1.1\r\n%h\r\n\r\n"),
    "TRACE": _refused(_get().replace(b"GET", b"TRACE"), 405, "method-not-allowed"),
    # Host.
    "no Host": _refused(b"GET %a/parcels/1 HTTP/1.1\r\n%t\r\n\r\n"),
    "two Hosts": _refused(_get(b"Host: other")),
    "an empty Host": _refused(b"GET %a/parcels/1 HTTP/1.1\r\n%t\r\nHost:\r\n\r\n"),
    "a Host with a path": _refused(b"GET %a/parcels/1 HTTP/1.1\r\n%t\r\nHost: a/b\r\n\r\n"),
    "a Host with a user": _refused(b"GET %a/parcels/1 HTTP/1.1\r\n%t\r\nHost: u@a\r\n\r\n"),
    # Fields.
    "lines that end in LF": _refused(_get().replace(b"\r\n", b"\n")),
    "one line that ends in LF": _refused(_get(b"A: b\nC: d")),
    "a line folded": _refused(_get(b"A: b", b" c")),
    "a space before the colon": _refused(_get(b"A : b")),
    "a name that is no token": _refused(_get(b"A(b): c")),
    "a line without a colon": _refused(_get(b"nonsense")),
    "an empty name": _refused(_get(b": b")),
    "NUL in a value": _refused(_get(b"A: b\x00c")),
    "CR in a value": _refused(_get(b"A: b\rSet: c")),
    "a value that is not UTF-8": _refused(_get(b"A: caf\xe9")),
    "two Authorizations": _refused(_get(b"%t")),
    "fields of 33 kB": _refused(_get(b"A: " + b"b" * 33_000), 431, "headers-too-large"),
    "a query of 33 kB": _refused(
        b"GET %a/parcels?q=" + b"q" * 33_000 + b" HTTP/1.1\r\n%h\r\n\r\n", 431, "headers-too-large"
    ),
    "101 fields": _refused(_get(*(b"A%d: b" % n for n in range(101))), 431, "headers-too-large"),
    "a head without an end": _refused(_get(b"A: " + b"b" * 1_000_000)[:-4], 431, "headers-too-large"),
    "a WebSocket": _refused(
        _get(b"Connection: Upgrade", b"Upgrade: websocket"), 501, "websocket-not-supported"
    ),
    "an offer of HTTP/2 cleartext": _passes(
        _get(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABk"), b""
    ),
    # Where a body ends.
    "a body of a declared length": _passes(_post(b"Content-Length: 3", body=b"abc"), b"abc"),
    "a body in chunks": _passes(_post(CHUNKED, body=b"3;x=y\r\nabc\r\n0\r\nT: t\r\n\r\n"), b"abc"),
    # Nobody is told to go on who has gone on already (RFC 9110 section 10.1.1).
    "a body that does not wait for a word": _passes(
        _post(b"Content-Length: 3", b"Expect: 100-continue", body=b"abc"), b"abc"
    ),
    "a word that nobody knows": _refused(_post(b"Content-Length: 3", b"Expect: gold", body=b"abc")),
    "a request in the body of a GET": _passes(
        _get(b"Content-Length: %d" % len(b"GET /x HTTP/1.1\r\n\r\n")) + b"GET /x HTTP/1.1\r\n\r\n",
        b"GET /x HTTP/1.1\r\n\r\n",
    ),
    "two lengths that differ": _refused(
        _post(b"Content-Length: 3", b"Content-Length: 4", body=b"abcd") + SMUGGLED
    ),
    "two lengths alike": _refused(_post(b"Content-Length: 3", b"Content-Length: 3", body=b"abc") + SMUGGLED),
    "two lengths in one field": _refused(_post(b"Content-Length: 3, 3", body=b"abc") + SMUGGLED),
    "a length with a sign": _refused(_post(b"Content-Length: +3", body=b"abc") + SMUGGLED),
    "a length below nothing": _refused(_post(b"Content-Length: -1", body=b"abc") + SMUGGLED),
    "a length in hex": _refused(_post(b"Content-Length: 0x3", body=b"abc") + SMUGGLED),
    "an empty length": _refused(_post(b"Content-Length:", body=b"abc") + SMUGGLED),
    "a length of 21 digits": _refused(_post(b"Content-Length: " + b"9" * 21) + SMUGGLED),
    "a length that is too large": _refused(
        _post(b"Content-Length: 20000001"), 413, "request-too-large"
    ),
    "a length and chunks": _refused(
        _post(b"Content-Length: 5", CHUNKED, body=b"0\r\n\r\n") + SMUGGLED
    ),
    "chunks and a length": _refused(
        _post(CHUNKED, b"Content-Length: 5", body=b"0\r\n\r\n") + SMUGGLED
    ),
    "chunks twice": _refused(_post(CHUNKED, CHUNKED, body=b"0\r\n\r\n") + SMUGGLED),
    "another coding before chunks": _refused(
        _post(b"Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n") + SMUGGLED
    ),
    "another coding behind chunks": _refused(
        _post(b"Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n") + SMUGGLED
    ),
    "a coding that looks like chunks": _refused(
        _post(b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n") + SMUGGLED
    ),
    "chunks over HTTP/1.0": _refused(
        _post(CHUNKED, body=b"0\r\n\r\n").replace(b"HTTP/1.1", b"HTTP/1.0") + SMUGGLED
    ),
    "a space before the colon of chunks": _refused(
        _post(b"Transfer-Encoding : chunked", body=b"0\r\n\r\n") + SMUGGLED
    ),
    "the size of a chunk is none": _refused(_post(CHUNKED, body=b"xyz\r\nabc\r\n0\r\n\r\n") + SMUGGLED),
    "the size of a chunk has a sign": _refused(_post(CHUNKED, body=b"-3\r\nabc\r\n0\r\n\r\n") + SMUGGLED),
    "the size of a chunk in C's hex": _refused(_post(CHUNKED, body=b"0x3\r\nabc\r\n0\r\n\r\n") + SMUGGLED),
    "the size of a chunk of 17 digits": _refused(
        _post(CHUNKED, body=b"1" + b"0" * 16 + b"\r\nabc\r\n0\r\n\r\n") + SMUGGLED
    ),
    "a chunk that is longer than it says": _refused(
        _post(CHUNKED, body=b"2\r\nabc\r\n0\r\n\r\n") + SMUGGLED
    ),
    "chunks that end in LF": _refused(_post(CHUNKED, body=b"3\nabc\n0\n\n") + SMUGGLED),
    "an extension without an end": _refused(
        _post(CHUNKED, body=b"3;" + b"x" * 300_000), 431, "headers-too-large"
    ),
    "trailers without an end": _refused(
        _post(CHUNKED, body=b"0\r\nT: " + b"t" * 300_000), 431, "headers-too-large"
    ),
    "trailers that name a length": _refused(
        _post(CHUNKED, body=b"3\r\nabc\r\n0\r\nContent-Length: 9\r\n\r\n") + SMUGGLED
    ),
    "trailers that speak of the connection and the caller": _passes(
        _post(CHUNKED, body=b"3\r\nabc\r\n0\r\nConnection: close\r\nLGSP-Purpose: spying\r\n\r\n") + _get(),
        b"abc",
        b"",
    ),
    # Callers that leave.
    "nothing": Shape(b"", ()),
    "half a request line": Shape(b"GET /ap", ()),
    "half a head": Shape(_get()[:-2], ()),
    "half a body": Shape(_post(b"Content-Length: 5", body=b"ab"), (), aborted=True),
    "half a chunk": Shape(_post(CHUNKED, body=b"5\r\nab"), (), aborted=True),
}  # fmt: skip


class Outcome(NamedTuple):
    """What became of a shape."""

    statuses: tuple[int, ...]
    problem: str | None
    """Of the last answer."""
    received: tuple[bytes, ...]
    """The bodies of the requests that the provider got."""
    records: list[dict[str, Any]]


@pytest.fixture(scope="module")
def outcomes(world: World) -> dict[str, Outcome]:
    """Every shape, sent on a connection of its own that ends behind it."""
    sent = {name: _sent(world, name, shape) for name, shape in SHAPES.items()}
    left = [name for name, shape in SHAPES.items() if shape.aborted]

    def recorded() -> bool:
        return {record.get("case") for record in world.records()}.issuperset(left)

    world.wait(recorded, "the records of callers that have gone")
    calls = [record for record in world.records() if record["kind"] == "call"]
    return {
        name: Outcome(
            tuple(answer.status for answer in answers),
            answers[-1].fields.get("lgsp-error") if answers else None,
            received,
            [
                record
                for record in calls
                if record.get("case") == name
                or record["tx"] in [answer.fields.get("lgsp-transaction-id") for answer in answers]
            ],
        )
        for name, (answers, received) in sent.items()
    }


class Answer(NamedTuple):
    """An answer as it came."""

    status: int
    fields: dict[str, str]


def _sent(world: World, name: str, shape: Shape) -> tuple[list[Answer], tuple[bytes, ...]]:
    """The answers to a shape, and the bodies of what the provider got of it."""
    before = len(world.provider.seen)
    token = f"Authorization: Bearer {world.token()}\r\nLGSP-Case-Id: {name}".encode()
    data = shape.data.replace(b"%h", b"Host: gateway\r\n%t").replace(b"%t", token)
    with socket.create_connection(("127.0.0.1", world.port), timeout=20) as connection:
        received = b""
        with contextlib.suppress(ConnectionError):
            # The gateway may have answered and closed before it has everything.
            connection.sendall(data.replace(b"%a", API.encode()))
        with contextlib.suppress(ConnectionError):
            while len(list(_answers(received))) < len(shape.statuses) and (part := connection.recv(1 << 16)):
                received += part
            # Nothing may follow. A caller that ends its half is taken for gone, so it does that last.
            connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(1 << 16):
                received += part
    return list(_answers(received)), tuple(exchange.body for exchange in world.provider.seen[before:])


def _answers(received: bytes) -> Iterator[Answer]:
    """The answers that are here as a whole."""
    while b"\r\n\r\n" in received:
        head, _, received = received.partition(b"\r\n\r\n")
        line, *lines = head.decode().split("\r\n")
        fields = dict(one.split(": ", 1) for one in lines)
        length = int(fields.get("content-length", "0"))
        if len(received) < length:
            return
        if "lgsp-error" in fields:
            problem = json.loads(received[:length])
            assert problem["code"] == fields["lgsp-error"]
            assert problem["instance"] == fields["lgsp-transaction-id"]
        received = received[length:]
        yield Answer(int(line.split(" ")[1]), fields)


def test_the_table_is_as_long_as_it_should_be() -> None:
    assert len(SHAPES) >= 40


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_is_answered_forwarded_and_recorded_in_one_way(
    outcomes: dict[str, Outcome], name: str
) -> None:
    shape, found = SHAPES[name], outcomes[name]
    assert (found.statuses, found.problem) == (shape.statuses, shape.problem)
    assert found.received == shape.reaches
    calls = [status for status in shape.statuses if status >= 200]
    if shape.counted is not None:
        assert found.records == []
    elif shape.aborted:
        (record,) = found.records
        assert record["aborted"]
    else:
        assert [record["status"] for record in found.records] == calls
        assert found.problem is None or found.records[-1]["error"] == found.problem


def test_what_is_no_call_is_counted_with_its_reason(world: World) -> None:
    def counts() -> Counter[str]:
        text = httpx.get(f"http://127.0.0.1:{world.health_port}/metrics", trust_env=False).text
        return Counter({reason: int(float(count)) for reason, count in re.findall(_DROPPED, text)})

    before = counts()
    wanted: Counter[str] = Counter()
    for name, shape in SHAPES.items():
        if shape.counted is not None:
            _sent(world, name, shape)
            wanted[shape.counted] += 1
    world.wait(lambda: counts() - before == wanted, "the counts")


BODIES = {
    "small": b"Content-Length: 5",
    "larger than what is held": b"Content-Length: 200000",
    "in chunks": CHUNKED,
}


@pytest.mark.parametrize("announced", BODIES)
def test_a_get_whose_body_never_comes_is_the_callers_time_out(
    new_world: Callable[..., World], announced: str
) -> None:
    world = new_world(caller_timeout_s=0.3)
    world.change(service([world.provider.url], timeouts=routes_pb2.Timeouts(first_byte_ms=5000)))
    world.start()
    head = _get(BODIES[announced]).replace(b"%a", API.encode())
    token = f"Host: gateway\r\nAuthorization: Bearer {world.token()}".encode()
    with socket.create_connection(("127.0.0.1", world.port), timeout=20) as connection:
        connection.sendall(head.replace(b"%h", token))
        received = b"".join(iter(lambda: connection.recv(1 << 16), b""))
    (answer,) = _answers(received)
    assert (answer.status, answer.fields["lgsp-error"]) == (408, "request-timeout")
    record = world.record(answer.fields["lgsp-transaction-id"])
    assert (record["status"], record["error"]) == (408, "request-timeout")
