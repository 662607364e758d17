"""What goes back to the caller: headers, and a body that is whole or still coming."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from lienthong.gateway import problems
from lienthong.gateway.headers import HOP_BY_HOP
from lienthong.kit.problems import PROBLEM_JSON

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from lienthong.gateway.call import Call
    from lienthong.kit.problems import Problem

_ERROR = "lgsp-error"
_ORDINARY_CONNECTION = frozenset(("keep-alive", "close"))
_LENGTH, _CODING = "content-length", "transfer-encoding"
_NOT_FROM_PROVIDERS = frozenset(
    (
        *(name.decode() for name in HOP_BY_HOP),
        # The gateway says how long its own answer is.
        _LENGTH,
        # What speaks for the whole origin is the gateway's to say: every provider is behind the same one.
        "alt-svc",
        "clear-site-data",
        "public-key-pins",
        "server",
        "service-worker-allowed",
        "set-cookie",
        "strict-transport-security",
    )
)

# Header names of answers as bytes, None for those that stay here; bounded, as providers choose them.
_names: dict[str, bytes | None] = {}
_MAX_NAMES = 4096


@dataclass(slots=True)
class Answer:
    """An answer. `body` is all of it, or its beginning when `more` brings the rest."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes = b""
    more: AsyncIterator[bytes] | None = None
    close: Callable[[], Awaitable[object]] | None = None


def problem_answer(call: Call, problem: Problem) -> Answer:
    """The answer that carries a problem of the gateway's or the caller's."""
    body = msgspec.json.encode(problem.document(call.tx))
    headers = [
        (b"content-type", PROBLEM_JSON.encode()),
        (b"content-length", b"%d" % len(body)),
        (b"lgsp-error", problem.code.encode()),
        *((name.lower().encode(), value.encode()) for name, value in problem.headers.items()),
        *own_headers(call),
    ]
    return Answer(problem.status, headers, body)


def own_headers(call: Call) -> list[tuple[bytes, bytes]]:
    """What every answer says about its call."""
    headers = [(b"lgsp-transaction-id", call.tx.encode())]
    if call.client is not None:
        headers.append((b"lgsp-client", call.client.encode()))
    if call.service is not None:
        headers.append((b"lgsp-service", call.service.id.encode()))
    if call.agreement is not None:
        headers.append((b"lgsp-agreement", call.agreement.encode()))
    if call.purpose is not None:
        headers.append((b"lgsp-purpose", call.purpose.encode()))
    if call.case is not None:
        headers.append((b"lgsp-case-id", call.case.encode()))
    if call.user is not None:
        headers.append((b"lgsp-user", call.user.encode()))
    if call.trace is not None:
        headers.append((b"traceparent", call.trace.encode()))
    return headers


class PassedHeaders(NamedTuple):
    """What a provider's headers come to."""

    fields: list[tuple[bytes, bytes]]
    """What the caller gets: not what belongs to the connection or the origin, not LGSP-…."""
    length: int | None
    """The Content-Length, when it is declared."""


def passed_headers(headers: Mapping[str, str], *, from_room: bool) -> PassedHeaders:
    """Take apart the headers of a provider's answer.

    A room of the platform may say LGSP-Error. A value that is not ASCII cannot be read from the HTTP client
    and is left out.

    Raises:
        Problem: provider-broken, when the length is declared in two ways or not a number (RFC 9112
            section 6.3): whoever reads on would take a part of this answer for another one.
    """
    passed: list[tuple[bytes, bytes]] = []
    try:
        items = list(headers.items())
    except ValueError:
        items = _readable(headers)
    connection = length = coding = None
    for name, value in items:
        try:
            known = _names[name]
        except KeyError:
            known = _learn(name)
        if known is not None:
            passed.append((known, value.encode()))
        elif name == "connection":
            connection = value
        elif name == _LENGTH:
            length = value
        elif name == _CODING:
            coding = value
        elif from_room and name == _ERROR:
            passed.append((b"lgsp-error", value.encode()))
    if connection is not None and connection.lower() not in _ORDINARY_CONNECTION:
        named = {option.strip().lower().encode() for option in connection.split(",")}
        passed = [field for field in passed if field[0] not in named]
    if length is None:
        return PassedHeaders(passed, None)
    if coding is not None or not (length.isascii() and length.isdigit()):
        raise problems.provider_broken()
    return PassedHeaders(passed, int(length))


def _learn(name: str) -> bytes | None:
    plain = name.replace("_", "-")
    dropped = plain in _NOT_FROM_PROVIDERS or plain.startswith("lgsp-") or plain == "traceparent"
    known = None if dropped else name.encode()
    if len(_names) < _MAX_NAMES:
        _names[name] = known
    return known


def _readable(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    items: list[tuple[str, str]] = []
    for name in dict.fromkeys(headers):
        try:
            values = headers.getall(name)  # type: ignore[attr-defined]
        except ValueError:
            continue
        items.extend((name, value) for value in values)
    return items
