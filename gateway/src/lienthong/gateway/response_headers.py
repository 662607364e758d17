"""The header fields of a provider's response: which of them the caller gets, and how long the body is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from lienthong.gateway import problems
from lienthong.gateway.field_names import passes_to_caller, plain
from lienthong.gateway.request_headers import MAX_NAME_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable

_LENGTH: Final = b"content-length"
_CODING: Final = b"transfer-encoding"
_CONNECTION: Final = b"connection"
_ERROR: Final = b"lgsp-error"
_CLIENT: Final = b"lgsp-client"
_READ = frozenset((_LENGTH, _CODING, _CONNECTION, _ERROR, _CLIENT))
_ORDINARY_CONNECTION = frozenset((b"keep-alive", b"close"))

# A cache: each name seen so far in lower case, and whether the field passes. Its size is limited because
# providers choose the names.
_names: dict[bytes, tuple[bytes, bool]] = {}
_MAX_NAMES = 4096
_MAX_LENGTH_DIGITS = 19


class PassedHeaders(NamedTuple):
    """A provider's response fields as they concern the caller."""

    fields: list[tuple[bytes, bytes]]
    """What the caller gets: everything but fields of the connection, of the origin, and LGSP-…."""
    length: int | None
    """The Content-Length in bytes, where it is declared."""
    client: str | None = None
    """The client that a service of the platform says has proved itself to it."""


def passed_headers(fields: Iterable[tuple[bytes, bytes]], *, from_platform: bool) -> PassedHeaders:
    """Sort the fields of a provider's response; `from_platform` lets LGSP-Error pass,
    and LGSP-Client be read.

    Raises:
        ProblemError: provider-broken, when the length is declared in two ways or is not a number (RFC 9112
            section 6.3), so that where this response ends is ambiguous, or when the body has a transfer
            coding besides chunked.
    """
    passed: list[tuple[bytes, bytes]] = []
    read: dict[bytes, bytes] = {}
    for field, value in fields:
        name, passes = _names[field] if field in _names else _lookup(field)
        if passes:
            passed.append((name, value))
        elif name in _READ:
            read[name] = read[name] + b"," + value if name in read else value
    if from_platform and _ERROR in read:
        passed.append((_ERROR, read[_ERROR]))
    connection = read.get(_CONNECTION)
    if connection is not None and connection.lower() not in _ORDINARY_CONNECTION:
        named = {option.strip().lower() for option in connection.split(b",")}
        passed = [field for field in passed if field[0] not in named]
    coding = read.get(_CODING)
    if coding is not None and coding.lower() != b"chunked":
        # The caller would not learn of the other coding.
        raise problems.provider_broken()
    client = read[_CLIENT].decode("latin-1") if from_platform and _CLIENT in read else None
    length = read.get(_LENGTH)
    if length is None:
        return PassedHeaders(passed, None, client)
    if _CODING in read or not length.isdigit() or len(length) > _MAX_LENGTH_DIGITS:
        raise problems.provider_broken()
    return PassedHeaders(passed, int(length), client)


def _lookup(field: bytes) -> tuple[bytes, bool]:
    name = field.lower()
    known = name, passes_to_caller(plain(name))
    if len(field) <= MAX_NAME_BYTES and len(_names) < _MAX_NAMES:
        _names[field] = known
    return known
