"""The header fields of a provider's response: which of them the caller gets, and how long the body is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lienthong.gateway.field_names import passes_to_caller, plain
from lienthong.gateway.http1.errors import ProviderBrokenError
from lienthong.gateway.http1.fields import DATE, field_prefix
from lienthong.gateway.locations import LOCATIONS
from lienthong.gateway.request_headers import MAX_NAME_BYTES, without_named

if TYPE_CHECKING:
    from collections.abc import Iterable

_LENGTH: Final = b"content-length"
_CODING: Final = b"transfer-encoding"
_CONNECTION: Final = b"connection"
_ERROR: Final = b"lgsp-error"
_CLIENT: Final = b"lgsp-client"
_NONCE: Final = b"dpop-nonce"
"""Between the caller and the gateway, or identity behind it: a provider has no proof of the caller's."""
_CORS: Final = b"\r\naccess-control-"
_READ = frozenset((_LENGTH, _CODING, _CONNECTION, _ERROR, _CLIENT, _NONCE))
_ORDINARY_CONNECTION = frozenset((b"keep-alive", b"close"))

# A cache: each name seen so far in lower case, and its `field_prefix` if the field passes whatever it says.
# Its size is limited because providers choose the names.
_names: dict[bytes, tuple[bytes, bytes | None]] = {}
_MAX_NAMES = 4096
_MAX_LENGTH_DIGITS = 19
_SEQUENTIAL: Final = frozenset(
    (
        b"text/event-stream",
        b"application/jsonl",
        b"application/x-ndjson",
        b"application/json-seq",
        b"multipart/x-mixed-replace",
    )
)


class PassedHeaders:
    """A provider's response fields as they concern the caller."""

    __slots__ = ("client", "dated", "fields", "length", "located")

    def __init__(
        self, fields: list[bytes], *, dated: bool, located: bool, length: int | None, client: str | None
    ) -> None:
        self.fields = fields
        """What the caller gets, as it is written: all but fields of the connection, of the origin, and
        LGSP-…."""
        self.dated = dated
        """Whether there is a Date among them."""
        self.located = located
        """Whether one of them may name an address of the provider's own: see `locations`."""
        self.length = length
        """The Content-Length in bytes, where it is declared."""
        self.client = client
        """The client that a service of the platform says has proved itself to it."""


def passed_headers(fields: Iterable[tuple[bytes, bytes]], *, from_platform: bool) -> PassedHeaders:
    """Sort the fields of a provider's response; `from_platform` lets LGSP-Error
    and DPoP-Nonce pass, and LGSP-Client be read.

    Raises:
        ProviderBrokenError: the length is declared in two ways or is not a number (RFC 9112 section 6.3), so
            that where this response ends is ambiguous, or the body has a transfer coding besides chunked.
    """
    passed: list[bytes] = []
    read: dict[bytes, bytes] = {}
    dated = located = False
    for field, value in fields:
        known = _names.get(field)
        name, prefix = known if known is not None else _lookup(field)
        if prefix is not None:
            passed += (prefix, value)
            dated = dated or prefix == DATE
        elif name in _READ:
            read[name] = read[name] + b"," + value if name in read else value
        elif name in LOCATIONS:
            passed += (field_prefix(name), value)
            located = True
    if from_platform:
        for name in (_ERROR, _NONCE):
            if name in read:
                passed += (field_prefix(name), read[name])
    connection = read.get(_CONNECTION)
    if connection is not None and connection.lower() not in _ORDINARY_CONNECTION:
        passed = without_named(passed, connection)
        dated = dated and DATE in passed
    coding = read.get(_CODING)
    if coding is not None and coding.lower() != b"chunked":
        # The caller would not learn of the other coding.
        raise ProviderBrokenError("Transfer-Encoding names another coding than chunked, or names it twice")
    client = read[_CLIENT].decode("latin-1") if from_platform and _CLIENT in read else None
    length = read.get(_LENGTH)
    if length is None:
        return PassedHeaders(passed, dated=dated, located=located, length=None, client=client)
    if _CODING in read:
        raise ProviderBrokenError("Content-Length stands beside Transfer-Encoding")
    if not length.isdigit() or len(length) > _MAX_LENGTH_DIGITS:
        raise ProviderBrokenError("Content-Length comes twice, or is not a number")
    return PassedHeaders(passed, dated=dated, located=located, length=int(length), client=client)


def is_endless(fields: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a body of undeclared length is a sequence of items that are worth having one by one: of a media
    type that OpenAPI 3.2 section 4.14.5 calls sequential, or one that replaces what came before.
    """
    for name, value in fields:
        if name.lower() == b"content-type":
            media_type = value.partition(b";")[0].strip().lower()
            return media_type in _SEQUENTIAL or media_type.endswith(b"+json-seq")
    return False


def without_cors(fields: list[bytes]) -> list[bytes]:
    """Fields, as written, but for what the provider says of pages of other origins: the gateway says it."""
    pairs = zip(fields[::2], fields[1::2], strict=True)
    return [part for pair in pairs if not pair[0].startswith(_CORS) for part in pair]


def _lookup(field: bytes) -> tuple[bytes, bytes | None]:
    name = field.lower()
    passes = passes_to_caller(plain(name)) and name not in LOCATIONS
    known = name, field_prefix(name) if passes else None
    if len(field) <= MAX_NAME_BYTES and len(_names) < _MAX_NAMES:
        _names[field] = known
    return known
