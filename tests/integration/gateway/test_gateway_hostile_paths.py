"""Paths that two readers could take for two: what the gateway answers, and what the provider received.

What is forwarded is what was judged: byte for byte the path and query of the request, and no server that
reads them in another way than the gateway finds another operation than the one that was allowed.
"""

from __future__ import annotations

import json
import re
import socket
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote_to_bytes

import pytest

from tests.integration.gateway.world import API, OPERATIONS, PROVIDER, World, agreement, service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.gateway.peers import Exchange

EVERYTHING = "everything"
ALLOWED = {
    "listParcels": "/parcels",
    "getParcel": "/parcels/{parcelId}",
    EVERYTHING: "/$everything",
    "getOwner": "/chủ-sử-dụng/{ownerId}",
    "getDeed": "/deeds/{deedId}.json",
    "history": "/parcels/{parcelId}/$history",
}
FORBIDDEN = {"secretParcel": "/secrets", "secretOf": "/parcels/{parcelId}/secrets", "admin": "/admin/{what}"}


class Passes(NamedTuple):
    """The operation that a path is judged to be; the provider gets the path as it came."""

    operation: str


class Refused(NamedTuple):
    """The problem that a path is refused with; the provider gets nothing."""

    status: int
    code: str


NOT_NORMAL = Refused(400, "path-not-normal")
MALFORMED = Refused(400, "malformed-request")
NO_OPERATION = Refused(404, "unknown-operation")
NO_PATH = Refused(404, "unknown-path")
NO_SERVICE = Refused(404, "unknown-service")
NOT_ALLOWED = Refused(403, "operation-not-in-agreement")

OF_THE_SERVICE: dict[str, tuple[bytes, Passes | Refused]] = {
    # Dots.
    "dot-dot to another operation": (b"/parcels/../secrets", NOT_NORMAL),
    "dot-dot at the end": (b"/parcels/1/..", NOT_NORMAL),
    "dot-dot out of the service": (b"/../deeds-v1/parcels/1", NOT_NORMAL),
    "dot-dot out of the root": (b"/../../../../../etc/passwd", NOT_NORMAL),
    "single dot": (b"/./parcels/1", NOT_NORMAL),
    "single dot at the end": (b"/parcels/.", NOT_NORMAL),
    "encoded dots, small": (b"/parcels/%2e%2e/secrets", NOT_NORMAL),
    "encoded dots, capital": (b"/parcels/%2E%2E/secrets", NOT_NORMAL),
    "one dot of two encoded": (b"/parcels/.%2e/secrets", NOT_NORMAL),
    "encoded dot in a name": (b"/deeds/7%2ejson", NOT_NORMAL),
    "three dots are a name": (b"/parcels/...", Passes("getParcel")),
    "dots within a name": (b"/parcels/a..b", Passes("getParcel")),
    "a hidden file's name": (b"/parcels/.htaccess", Passes("getParcel")),
    "dots encoded twice": (b"/parcels/%252e%252e/secrets", NOT_NORMAL),
    "dots encoded three times": (b"/parcels/%25252e%25252e/secrets", NOT_NORMAL),
    "dots of IIS, %u002e": (b"/parcels/%u002e%u002e/secrets", NOT_NORMAL),
    # Slashes.
    "encoded slash, small": (b"/parcels%2fsecrets", NOT_NORMAL),
    "encoded slash, capital": (b"/parcels/1%2Fsecrets", NOT_NORMAL),
    "slash encoded twice": (b"/parcels/1%252fsecrets", NOT_NORMAL),
    "slash encoded three times": (b"/parcels/1%25252Fsecrets", NOT_NORMAL),
    "two slashes first": (b"//parcels/1", NOT_NORMAL),
    "two slashes within": (b"/parcels//secrets", NOT_NORMAL),
    "two slashes at the end": (b"/parcels//", NOT_NORMAL),
    "a slash at the end is another path": (b"/parcels/", NO_OPERATION),
    "a slash behind a parameter": (b"/parcels/1/", NO_OPERATION),
    "nothing but the service": (b"", NO_OPERATION),
    "nothing but a slash": (b"/", NO_OPERATION),
    # Backslashes.
    "backslash for slash": (rb"/parcels\1", NOT_NORMAL),
    "backslash and dots": (rb"/parcels/..\secrets", NOT_NORMAL),
    "encoded backslash, small": (b"/parcels/1%5csecrets", NOT_NORMAL),
    "encoded backslash, capital": (b"/parcels/1%5C..%5Csecrets", NOT_NORMAL),
    "backslash encoded twice": (b"/parcels/1%255csecrets", NOT_NORMAL),
    # Parameters of segments.
    "semicolon behind dots": (b"/parcels/..;/secrets", NOT_NORMAL),
    "semicolon and a value behind dots": (b"/parcels/..;a=b/secrets", NOT_NORMAL),
    "semicolon behind one dot": (b"/.;/parcels/1", NOT_NORMAL),
    "a segment that is nothing but parameters": (b"/parcels/;x/secrets", NOT_NORMAL),
    "a session in the path of an operation": (b"/secrets;jsessionid=1", NOT_NORMAL),
    "a parameter of a parameter": (b"/parcels/1;version=2", Passes("getParcel")),
    "a suffix behind a semicolon": (b"/parcels/1;.json", Passes("getParcel")),
    "a literal with parameters": (b"/parcels;v=1/1", NOT_NORMAL),
    "an encoded semicolon is a name": (b"/parcels/1%3Bsecrets", Passes("getParcel")),
    # Control characters and spaces.
    "NUL, encoded": (b"/parcels/1%00", NOT_NORMAL),
    "NUL before a suffix": (b"/secrets%00.json", NOT_NORMAL),
    "NUL encoded twice": (b"/parcels/1%2500", NOT_NORMAL),
    "line break, encoded": (b"/parcels/1%0d%0aX-Injected:%20yes", NOT_NORMAL),
    "line feed, encoded": (b"/parcels/1%0a", NOT_NORMAL),
    "tab, encoded": (b"/parcels/%09", NOT_NORMAL),
    "delete, encoded": (b"/parcels/%7f", NOT_NORMAL),
    "a space, encoded": (b"/parcels/a%20b", Passes("getParcel")),
    "a space at the end, encoded": (b"/secrets%20", NO_OPERATION),
    "a plus is a plus": (b"/parcels/a+b", Passes("getParcel")),
    # Broken encodings.
    "a bare percent": (b"/parcels/%", NOT_NORMAL),
    "one digit": (b"/parcels/%4", NOT_NORMAL),
    "no digits": (b"/parcels/%zz", NOT_NORMAL),
    "a percent, encoded": (b"/parcels/100%25", Passes("getParcel")),
    "a letter encoded twice": (b"/parcels/%2541", Passes("getParcel")),
    # Characters encoded that need not be.
    "a dollar, bare": (b"/$everything", Passes(EVERYTHING)),
    "a dollar, encoded, small": (b"/%24everything", Passes(EVERYTHING)),
    "a dollar, encoded, and a letter": (b"/%24%65verything", Passes(EVERYTHING)),
    "a dollar, encoded twice": (b"/%2524everything", NO_OPERATION),
    "a dollar behind a parameter": (b"/parcels/1/%24history", Passes("history")),
    "a forbidden name with letters encoded": (b"/%73ecrets", NOT_ALLOWED),
    "a forbidden name, all encoded": (b"/%73%65%63%72%65%74%73", NOT_ALLOWED),
    "a forbidden name below a parameter": (b"/parcels/1/secret%73", NOT_ALLOWED),
    "an allowed name with letters encoded": (b"/%70arcels/1", Passes("getParcel")),
    "what a segment may hold": (b"/parcels/-._~!$&'()*+,;=:@", Passes("getParcel")),
    # UTF-8 and Unicode.
    "letters of Vietnamese, composed": (b"/ch%E1%BB%A7-s%E1%BB%AD-d%E1%BB%A5ng/7", Passes("getOwner")),
    "the same in small digits": (b"/ch%e1%bb%a7-s%e1%bb%ad-d%e1%bb%a5ng/7", Passes("getOwner")),
    "the same decomposed": (b"/chu%CC%89-su%CC%9B%CC%89-du%CC%A3ng/7", NO_OPERATION),
    "the same not encoded": ("/chủ-sử-dụng/7".encode(), MALFORMED),
    "Latin-1": (b"/parcels/caf%E9", NOT_NORMAL),
    "a lone continuation": (b"/parcels/%80", NOT_NORMAL),
    "a sequence that is cut off": (b"/parcels/%C3", NOT_NORMAL),
    "a sequence that breaks off": (b"/parcels/%C3%28", NOT_NORMAL),
    "overlong slash, two bytes": (b"/parcels/1%C0%AFsecrets", NOT_NORMAL),
    "overlong slash, three bytes": (b"/parcels/1%E0%80%AFsecrets", NOT_NORMAL),
    "overlong slash, four bytes": (b"/parcels/1%F0%80%80%AFsecrets", NOT_NORMAL),
    "overlong dots": (b"/parcels/%C0%AE%C0%AE/secrets", NOT_NORMAL),
    "overlong NUL": (b"/parcels/%C0%80", NOT_NORMAL),
    "half of a surrogate pair": (b"/parcels/%ED%A0%80", NOT_NORMAL),
    "beyond Unicode": (b"/parcels/%F4%90%80%80", NOT_NORMAL),
    "a slash of full width": (b"/parcels/1%EF%BC%8Fsecrets", Passes("getParcel")),
    "dots of full width": (b"/parcels/%EF%BC%8E%EF%BC%8E", Passes("getParcel")),
    "a slash for fractions": (b"/parcels/1%E2%81%84secrets", Passes("getParcel")),
    "no break, no width": (b"/secrets%E2%80%8B", NO_OPERATION),
    "from right to left": (b"/parcels/%E2%80%AEsterces", Passes("getParcel")),
    # Case.
    "a literal in capitals": (b"/PARCELS/1", NO_OPERATION),
    "a forbidden name in capitals": (b"/Secrets", NO_OPERATION),
    # Characters that have to be encoded.
    "a bar": (b"/parcels/a|b", NOT_NORMAL),
    "braces": (b"/parcels/{parcelId}", NOT_NORMAL),
    "brackets": (b"/parcels/[1]", NOT_NORMAL),
    "a quote": (b'/parcels/"1"', NOT_NORMAL),
    "a caret": (b"/parcels/1^2", NOT_NORMAL),
    "angles": (b"/parcels/<script>", NOT_NORMAL),
    # Queries.
    "a bare question mark": (b"/parcels/1?", Passes("getParcel")),
    "a path behind a question mark": (b"/parcels/1?/../secrets", Passes("getParcel")),
    "a question mark in a query": (b"/parcels/1?a?b", Passes("getParcel")),
    "an encoded question mark is a name": (b"/parcels/1%3Fx=1", Passes("getParcel")),
    "whatever is encoded in a query": (b"/parcels?q=%00%2e%2E%2f%0d%0a%ff", Passes("listParcels")),
    "what stands in queries unencoded": (b"/parcels?q=a|b\\{c}[d]^`", Passes("listParcels")),
    "angles in a query": (b"/parcels?q=<x>", MALFORMED),
    "a quote in a query": (b'/parcels?q="x"', MALFORMED),
    "letters not encoded in a query": ("/parcels?q=đất".encode(), MALFORMED),
    "a fragment": (b"/parcels/1#/secrets", MALFORMED),
    "a fragment behind a query": (b"/parcels/1?a=b#c", MALFORMED),
    "an encoded number sign is a name": (b"/parcels/1%23x", Passes("getParcel")),
    # Sizes.
    "a segment as long as is taken": (b"/parcels/" + b"a" * 2048, Passes("getParcel")),
    "a segment that is longer": (b"/parcels/" + b"a" * 2049, MALFORMED),
    "a thousand segments": (b"/a" * 1000, NO_OPERATION),
}  # fmt: skip

WHOLE: dict[str, tuple[bytes, Passes | Refused]] = {
    "absolute form": (f"http://gateway.example{API}/parcels/1".encode(), Passes("getParcel")),
    "absolute form, of https": (f"https://elsewhere:1{API}/parcels?a=b".encode(), Passes("listParcels")),
    "absolute form to a forbidden path": (f"http://h{API}/secrets".encode(), NOT_ALLOWED),
    "absolute form with dots": (f"http://h{API}/parcels/../secrets".encode(), NOT_NORMAL),
    "absolute form with a user": (f"http://user@h{API}/parcels/1".encode(), MALFORMED),
    "absolute form without a host": (f"http://{API}/parcels/1".encode(), MALFORMED),
    "absolute form of another scheme": (b"ftp://h/api", NOT_NORMAL),
    "asterisk": (b"*", NOT_NORMAL),
    "authority": (b"gateway.example:443", MALFORMED),
    "a path without a slash": (API[1:].encode() + b"/parcels/1", MALFORMED),
    "two slashes before the service": (b"/" + API.encode() + b"/parcels/1", NOT_NORMAL),
    "dots before the service": (b"/oauth2/.." + API.encode() + b"/parcels/1", NOT_NORMAL),
    "the service in capitals": (API.upper().encode() + b"/parcels/1", NO_PATH),
    "the service's name encoded": (API.replace("land", "l%61nd").encode() + b"/parcels/1", NO_SERVICE),
    "the slash of its name encoded": (API.replace("/land/", "/land%2f").encode() + b"/parcels/1", NOT_NORMAL),
    "another first segment": (API.replace("/api", "/apis").encode() + b"/parcels/1", NO_PATH),
    "the first segment encoded": (API.replace("/api", "/%61pi").encode() + b"/parcels/1", NO_PATH),
    "out of a service of the platform": (b"/catalog/..%2f..%2fapi", NOT_NORMAL),
}  # fmt: skip
PATHS = {
    **{name: (API.encode() + path, expected) for name, (path, expected) in OF_THE_SERVICE.items()},
    **WHOLE,
}


class Outcome(NamedTuple):
    """What became of one path."""

    status: int
    problem: str | None
    received: list[Exchange]
    record: dict[str, Any]


@pytest.fixture(scope="module")
def outcomes(world: World) -> Iterator[dict[str, Outcome]]:
    """Every path, sent as it stands."""
    operations = [(name, "GET", path) for name, path in {**ALLOWED, **FORBIDDEN}.items()]
    world.change(service([world.provider.url], operations=operations), agreement(operations=list(ALLOWED)))
    sent = {name: _send(world, target) for name, (target, _) in PATHS.items()}
    records = {record["tx"]: record for record in world.records() if record["kind"] == "call"}
    yield {
        name: Outcome(status, problem, received, records[tx])
        for name, (status, problem, received, tx) in sent.items()
    }
    world.change(service([world.provider.url], operations=OPERATIONS), agreement())


def _send(world: World, target: bytes) -> tuple[int, str | None, list[Exchange], str]:
    before = len(world.provider.seen)
    request = b"GET %b HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer %b\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", world.port), timeout=20) as connection:
        connection.sendall(request % (target, world.token().encode()))
        answer = b"".join(iter(lambda: connection.recv(1 << 16), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    problem = fields.get("lgsp-error")
    if problem is not None:
        assert json.loads(body)["code"] == problem
    return int(head.split(b" ")[1]), problem, world.provider.seen[before:], fields["lgsp-transaction-id"]


def test_the_table_is_as_long_as_it_should_be() -> None:
    assert len(PATHS) >= 80


@pytest.mark.parametrize("name", PATHS)
def test_a_path_is_judged_and_forwarded_as_one(outcomes: dict[str, Outcome], name: str) -> None:
    target, expected = PATHS[name]
    found = outcomes[name]
    record = found.record
    if isinstance(expected, Refused):
        assert (found.status, found.problem) == expected
        assert found.received == []
        assert (record["status"], record["error"]) == expected
        return
    assert (found.status, found.problem) == (200, None)
    (exchange,) = found.received
    _, received, _ = exchange.request_line.split(" ")
    assert target.endswith(API.encode() + received.encode("latin-1"))
    assert record["operation"] == expected.operation
    others = {operation for reading in readings(received) for operation in operations_at(reading)}
    assert others <= {expected.operation}


def readings(target: str) -> set[bytes]:
    """The path of a request as servers read it: decoded as often as one likes, parameters cut off, slashes
    put together, backslashes turned, dots resolved, in small letters, Unicode in its shortest form."""
    path = target.partition("?")[0].encode("latin-1")
    found: set[bytes] = set()
    new = {path}
    while new:
        found |= new
        new = {changed for one in new for changed in _read_otherwise(one)} - found
    return found


def _read_otherwise(path: bytes) -> Iterator[bytes]:
    yield unquote_to_bytes(path)
    yield re.sub(rb";[^/]*", b"", path)
    yield re.sub(rb"/+", b"/", path)
    yield path.replace(b"\\", b"/")
    yield path.split(b"\0")[0]
    if path.count(b"/") <= 8:
        yield _resolved(path)


def _resolved(path: bytes) -> bytes:
    """Without `.` and `..` (RFC 3986 section 5.2.4)."""
    kept: list[bytes] = []
    for segment in path.split(b"/")[1:]:
        if segment == b"..":
            del kept[-1:]
        elif segment != b".":
            kept.append(segment)
    return b"/" + b"/".join(kept)


def operations_at(path: bytes) -> set[str]:
    """The operations that a server has at a path that it has read."""
    found = set()
    for name, template in {**ALLOWED, **FORBIDDEN}.items():
        pattern = re.sub(rb"\\\{[^/]*?\\\}", rb"[^/]+", re.escape(template.encode()))
        if re.fullmatch(pattern, path):
            found.add(name)
    return found


def test_the_readings_find_what_they_should() -> None:
    assert b"/secrets" in readings("/parcels/%252e%252e/secrets")
    assert b"/secrets" in readings(r"/parcels\..;x\secrets")
    assert operations_at(b"/deeds/7.json") == {"getDeed"}
    assert operations_at("/chủ-sử-dụng/7".encode()) == {"getOwner"}
    assert operations_at(b"/secrets") == {"secretParcel"}
    assert PROVIDER in API
