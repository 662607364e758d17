"""What goes back to the caller: headers, and a body that is whole or still coming."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from lienthong.gateway import problems
from lienthong.gateway.headers import HOP_BY_HOP, MAX_NAME_BYTES
from lienthong.kit.problems import PROBLEM_JSON

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lienthong.gateway.call import Call
    from lienthong.kit.problems import ProblemError

_LENGTH: Final = b"content-length"
_CODING: Final = b"transfer-encoding"
_CONNECTION: Final = b"connection"
_ERROR: Final = b"lgsp-error"
_READ = frozenset((_LENGTH, _CODING, _CONNECTION, _ERROR))
_ORDINARY_CONNECTION = frozenset((b"keep-alive", b"close"))
_NOT_FROM_PROVIDERS = HOP_BY_HOP | {
    # What speaks for the whole origin is the gateway's to say: every provider is behind the same one.
    b"alt-svc",
    b"clear-site-data",
    # The gateway says how long its own answer is.
    b"content-length",
    b"public-key-pins",
    b"server",
    b"service-worker-allowed",
    b"set-cookie",
    b"strict-transport-security",
}

# What each header name of an answer comes to: itself in lower case, and whether it passes. Learned as names
# come in; bounded, as providers choose them.
_names: dict[bytes, tuple[bytes, bool]] = {}
_MAX_NAMES = 4096
_MAX_LENGTH_DIGITS = 19


class Answer(msgspec.Struct, eq=False):
    """An answer. `body` is all of it, or its beginning when `more` brings the rest."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes = b""
    more: AsyncIterator[bytes] | None = None
    close: Callable[[], None] | None = None


def problem_answer(call: Call, problem: ProblemError) -> Answer:
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


def passed_headers(fields: Iterable[tuple[bytes, bytes]], *, from_room: bool) -> PassedHeaders:
    """Take apart the fields of a provider's answer; a room of the platform may say LGSP-Error.

    Raises:
        ProblemError: provider-broken, when the length is declared in two ways or not a number (RFC 9112
            section 6.3): whoever reads on would take a part of this answer for another one.
    """
    passed: list[tuple[bytes, bytes]] = []
    read: dict[bytes, bytes] = {}
    for field, value in fields:
        name, passes = _names[field] if field in _names else _learn(field)
        if passes:
            passed.append((name, value))
        elif name in _READ:
            read[name] = read[name] + b"," + value if name in read else value
    if from_room and _ERROR in read:
        passed.append((_ERROR, read[_ERROR]))
    connection = read.get(_CONNECTION)
    if connection is not None and connection.lower() not in _ORDINARY_CONNECTION:
        named = {option.strip().lower() for option in connection.split(b",")}
        passed = [field for field in passed if field[0] not in named]
    coding = read.get(_CODING)
    if coding is not None and coding.lower() != b"chunked":
        # The caller would not be told what else was done to the body.
        raise problems.provider_broken()
    length = read.get(_LENGTH)
    if length is None:
        return PassedHeaders(passed, None)
    if _CODING in read or not length.isdigit() or len(length) > _MAX_LENGTH_DIGITS:
        raise problems.provider_broken()
    return PassedHeaders(passed, int(length))


def _learn(field: bytes) -> tuple[bytes, bool]:
    name = field.lower()
    # Some servers cannot tell a - from a _ in a name (RFC 3875 section 4.1.18).
    plain = name.replace(b"_", b"-")
    own = plain.startswith(b"lgsp-") or plain == b"traceparent"
    known = name, not own and plain not in _NOT_FROM_PROVIDERS
    if len(field) <= MAX_NAME_BYTES and len(_names) < _MAX_NAMES:
        _names[field] = known
    return known
