"""Requests made from a grammar by a seed, most of them nearly right, as attackers and broken programs do."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tests.integration.gateway.world import API

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

METHODS = tuple(b"GET GET GET HEAD POST POST PUT DELETE OPTIONS QUERY".split())
ODD_METHODS = (b"get", b"TRACE", b"CONNECT", b"PRI", b"FETCH", b"G\x00T", b"X" * 40, b"")
STARTS = (
    *(API.encode(), f"{API}/parcels".encode(), f"{API}/secrets".encode(), *3 * [f"{API}/parcels/7".encode()]),
    *(b"/r1/VN-BTN/GOV/H11.05/land/parcels-v1/parcels/7", b"/govstack/VN-BTN/GOV/H11.05"),
    *(
        b"/catalog/v1",
        b"/audit/v1",
        b"/oauth2",
        b"/listClients",
        b"/openapi.json",
        b"http://h/api",
        b"*",
        b"",
    ),
)
PIECES = (
    *(b"/", b"/parcels", b"/parcels/7", b"/secrets", b"/..", b"/.", b"//", b"/%2e%2e", b"%2f", b"%5c", b"\\"),
    *(b"%00", b"%24", b"%c3%28", b"%C4%91", b"%", b"%4", b"?", b"?a=b", b"#x", b"a" * 300, b"|", b" "),
    *(b"\xff", b";x"),
)
VERSIONS = (*(b"HTTP/1.1",) * 9, b"HTTP/1.0", b"HTTP/2.0", b"HTTP/1.9", b"http/1.1", b"")
NAMES = (
    *b"Accept Cookie Connection Content-Length Content-Type Expect Forwarded Host LGSP-Case-Id".split(),
    *b"LGSP-Client LGSP-Purpose LGSP-User Origin TE Trailer Transfer-Encoding Upgrade Via".split(),
    *b"traceparent X-Forwarded-Client-Cert X-Forwarded-For X-Road-Client".split(),
    *(b"X-%d" % number for number in range(50)),
    *(b"A b", b"", b":", b"\x00", b" Folded", b"B\xc3\xa9"),
)
VALUES = (
    *b"x close keep-alive upgrade websocket chunked 100-continue 0 3 -1 land-procedure 203.0.113.7".split(),
    *(
        b"",
        b"gzip, chunked",
        b"3, 3",
        b"9" * 20,
        b"caf\xe9",
        b"a\x00b",
        b"a\r\n b",
        b"a\rb",
        b"1.1 elsewhere",
    ),
    *(b"VN-BTN/GOV/H11.01/one-stop", b"\xc4\x91", b"00-" + b"1" * 32, b"v" * 900),
)
CHUNKS = (
    *(b"3\r\nabc\r\n", b"1;x\r\na\r\n", b"z\r\n", b"-1\r\n", b"3\nabc\n", b"f" * 16 + b"\r\n"),
    b"2\r\nabc\r\n",
)


class Generated(NamedTuple):
    """One request, and the method that an answer to it is to be read by."""

    data: bytes
    method: bytes


def generated(random: Random, tokens: Sequence[bytes]) -> Generated:
    """A request whose client has one of the `tokens`, or none."""
    method = random.choice(METHODS if random.random() < 0.9 else ODD_METHODS)
    target = random.choice(STARTS) + b"".join(random.choices(PIECES, k=random.choice((0, 0, 0, 1, 2, 3))))
    lines = [b" ".join((method, target, random.choice(VERSIONS)))]
    if random.random() < 0.95:
        lines.append(b"Host: gateway")
    if random.random() < 0.8:
        lines.append(b"Authorization: Bearer " + random.choice(tokens))
    fields = range(random.randrange(4))
    lines.extend(random.choice(NAMES) + b": " + random.choice(VALUES) for _ in fields)
    body = b""
    match random.randrange(6):
        case 0:
            body = random.randbytes(random.choice((1, 100, 70_000)))
            lines.append(b"Content-Length: %d" % (len(body) + random.choice((0, 0, 0, 1, -1))))
        case 1:
            lines.append(b"Transfer-Encoding: chunked")
            body = b"".join(random.choices(CHUNKS[: random.choice((2, len(CHUNKS)))], k=random.randrange(4)))
            body += random.choice((b"0\r\n\r\n", b"0\r\nT: t\r\n\r\n", b""))
        case _:
            pass
    end = b"\r\n" if random.random() < 0.97 else b"\n"
    data = end.join((*lines, b"", body))
    if random.random() < 0.05:
        # Cut off, or with a byte that has become another.
        at = random.randrange(len(data))
        data = data[:at] if random.random() < 0.5 else data[:at] + random.randbytes(1) + data[at + 1 :]
    return Generated(data, method)
