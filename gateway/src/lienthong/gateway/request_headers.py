"""The header fields of a request, read in one pass: those for the gateway, and those for the provider."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lienthong.gateway import problems
from lienthong.gateway.context import NO_CONTEXT, CallContext, is_personal_number
from lienthong.gateway.digests import (
    CONTENT_DIGEST,
    DIGEST_FIELDS,
    REPR_DIGEST,
    WANT_CONTENT_DIGEST,
    WANT_REPR_DIGEST,
    StatedDigests,
    WantedDigests,
    stated_digests,
    wanted_digests,
)
from lienthong.gateway.field_names import passes_to_provider, plain
from lienthong.gateway.http1.fields import field_prefix
from lienthong.gateway.http1.head import is_host

if TYPE_CHECKING:
    from collections.abc import Sequence

_HOST: Final = b"host"
_AUTHORIZATION: Final = b"authorization"
_PROOF: Final = b"dpop"
_PURPOSE: Final = b"lgsp-purpose"
_CASE: Final = b"lgsp-case-id"
_USER: Final = b"lgsp-user"
_TRACEPARENT: Final = b"traceparent"
_CONTENT_LENGTH: Final = b"content-length"
_TRANSFER_ENCODING: Final = b"transfer-encoding"
_CONNECTION: Final = b"connection"
_UPGRADE: Final = b"upgrade"
READ_FROM_CALLERS: Final = frozenset((_AUTHORIZATION, _PROOF, _PURPOSE, _CASE, _USER, _TRACEPARENT))
"""Fields that callers state something with; the provider gets them as the gateway writes them, if at all."""
_READ = frozenset(
    (
        _HOST,
        _CONTENT_LENGTH,
        _TRANSFER_ENCODING,
        _CONNECTION,
        _UPGRADE,
        *READ_FROM_CALLERS,
        *DIGEST_FIELDS,
    )
)
_ORIGIN: Final = field_prefix(b"origin")
_REQUESTED_METHOD: Final = field_prefix(b"access-control-request-method")
_REQUESTED_NAMES: Final = field_prefix(b"access-control-request-headers")
_TRACEPARENT_FORM = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_MAX_TEXT = 256
_MOST_DIGITS = 18
"""Of a body's length."""
_ORDINARY_CONNECTION = frozenset((b"keep-alive", b"close"))

# A cache: the `field_prefix` of each name seen so far, empty for a name that does not pass. Its size is
# limited because callers choose the names.
_prefixes: dict[bytes, bytes] = {}
_MAX_NAMES, MAX_NAME_BYTES = 4096, 64


class RequestHeaders:
    """The header fields of one request."""

    __slots__ = ("_read", "has_digests", "passed")

    def __init__(self, passed: list[bytes], read: dict[bytes, bytes], *, has_digests: bool = False) -> None:
        self.passed = passed
        """What the provider gets, as it is written."""
        self._read = read
        self.has_digests = has_digests
        """Whether one of them is about digests (RFC 9530)."""

    def stated_digests(self) -> StatedDigests | None:
        """The digests that the request states of its body; None: none that can be compared.

        Raises:
            ProblemError: malformed-request.
        """
        read = self._read
        return stated_digests(read.get(CONTENT_DIGEST), read.get(REPR_DIGEST), self.passed)

    def wanted_digests(self) -> WantedDigests | None:
        """The digests that the caller wants of the answer; None: none that are had here."""
        read = self._read
        return wanted_digests(read.get(WANT_CONTENT_DIGEST), read.get(WANT_REPR_DIGEST))

    @property
    def authorization(self) -> bytes | None:
        """The Authorization header."""
        return self._read.get(_AUTHORIZATION)

    @property
    def proof(self) -> bytes | None:
        """The DPoP header (RFC 9449 section 4); with commas between them where there are several."""
        return self._read.get(_PROOF)

    @property
    def origin(self) -> bytes | None:
        """The origin of the page that calls, as browsers state it (RFC 6454 section 7)."""
        return self._passed_value(_ORIGIN)

    @property
    def requested_method(self) -> bytes | None:
        """In a browser's preflight: the method of the call that a page wants to make."""
        return self._passed_value(_REQUESTED_METHOD)

    @property
    def requested_names(self) -> bytes:
        """In a browser's preflight: the names of the fields that a page wants to send, with commas."""
        return self._passed_value(_REQUESTED_NAMES) or b""

    @property
    def traceparent(self) -> str | None:
        """The caller's traceparent; None unless it has the form that W3C Trace Context asks for."""
        value = self._read.get(_TRACEPARENT)
        if value is None:
            return None
        text = value.decode("latin-1")
        return text if _TRACEPARENT_FORM.fullmatch(text) else None

    @property
    def content_length(self) -> int:
        """The declared size of the body in bytes; 0 when none is declared.

        Raises:
            ProblemError: malformed-request, when it is not a number.
        """
        value = self._read.get(_CONTENT_LENGTH)
        if value is None:
            return 0
        if not value.isdigit() or len(value) > _MOST_DIGITS:
            raise problems.malformed_request(
                "Content-Length is not a number of bytes that a body may have.",
                "Content-Length không phải là số byte mà một nội dung có thể có.",
            )
        return int(value)

    @property
    def chunked(self) -> bool:
        """Whether the body comes in chunks, its size undeclared (RFC 9112 section 7.1).

        Raises:
            ProblemError: malformed-request, for any other transfer coding: it would not be passed on to the
                provider, who could not decode the body.
        """
        coding = self._read.get(_TRANSFER_ENCODING)
        if coding is not None and coding.lower() != b"chunked":
            raise problems.malformed_request(
                "The only Transfer-Encoding that is taken is chunked.", "Transfer-Encoding chỉ nhận chunked."
            )
        return coding is not None

    def passed_values(self, prefix: bytes) -> list[bytes]:
        """The values of a field that the provider gets, by its `field_prefix`."""
        passed = self.passed
        return [passed[at + 1] for at in range(0, len(passed), 2) if passed[at] == prefix]

    def check_host(self, *, required: bool) -> None:
        """Refuse a request that does not say which host it is meant for (RFC 9112 section 3.2).

        Another program on the way could take it for a request to another host than this one does. `required`
        is False for HTTP/1.0, which may leave it out.

        Raises:
            ProblemError: malformed-request, when Host is missing or no name with a port; `read_headers` has
                refused two of them.
        """
        host = self._read.get(_HOST, b"")
        if (required or host) and not is_host(host):
            raise problems.malformed_request(
                "The field Host is missing, or is not a name or address with its port.",
                "Trường Host không có, hoặc không phải tên hay địa chỉ kèm cổng.",
            )

    def check_upgrade(self) -> None:
        """Refuse a WebSocket: without it the request means something else than its sender does.

        Other upgrades are offers to go on as before, and not taken (RFC 9110 section 7.8).

        Raises:
            ProblemError: websocket-not-supported.
        """
        upgrade = self._read.get(_UPGRADE)
        if upgrade is not None and b"websocket" in upgrade.lower():
            raise problems.websocket_not_supported()

    def purpose(self) -> str | None:
        """LGSP-Purpose, the purpose that the caller states.

        Raises:
            ProblemError: malformed-request.
        """
        return self._text(_PURPOSE, "LGSP-Purpose")

    def context(self) -> CallContext:
        """LGSP-Case-Id and LGSP-User.

        Raises:
            ProblemError: malformed-request, also for a case that is a personal number: cases are recorded as
                they are stated.
        """
        if _CASE not in self._read and _USER not in self._read:
            return NO_CONTEXT
        return CallContext(self._case(), self._text(_USER, "LGSP-User"))

    def _passed_value(self, prefix: bytes) -> bytes | None:
        # Looked for only where it is asked for. A field that comes twice says nothing.
        passed = self.passed
        return passed[passed.index(prefix) + 1] if passed.count(prefix) == 1 else None

    def _case(self) -> str | None:
        case = self._text(_CASE, "LGSP-Case-Id")
        if case is not None and is_personal_number(case):
            raise problems.malformed_request(
                "LGSP-Case-Id names a case; a personal number belongs into LGSP-User.",
                "LGSP-Case-Id là mã hồ sơ; số định danh cá nhân phải đặt trong LGSP-User.",
            )
        return case

    def _text(self, field: bytes, name: str) -> str | None:
        value = self._read.get(field)
        return stated_text(value, name) if value is not None else None

    def translated(self, passed: list[bytes]) -> RequestHeaders:
        """The same request with other fields for the provider."""
        return RequestHeaders(passed, self._read, has_digests=self.has_digests)


def stated_text(value: bytes, name: str) -> str:
    """The value of a field in which a caller states something.

    Raises:
        ProblemError: malformed-request.
    """
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = ""
    if not text.isprintable() or not 0 < len(text) <= _MAX_TEXT:
        raise problems.malformed_request(
            f"{name} has to be 1 to {_MAX_TEXT} printable characters in UTF-8.",
            f"{name} phải gồm 1 đến {_MAX_TEXT} ký tự in được, mã hoá UTF-8.",
        )
    return text


def read_headers(headers: Sequence[tuple[bytes, bytes]], *, max_bytes: int, max_count: int) -> RequestHeaders:
    """Read the header fields of a request, their names in lower case.

    `max_bytes` counts names and values together.

    Raises:
        ProblemError: headers-too-large; malformed-request, when a field that may come once comes twice, or a
            value is not UTF-8.
    """
    size = 0
    for name, value in headers:
        size += len(name) + len(value)
    if len(headers) > max_count or size > max_bytes:
        raise problems.headers_too_large()
    passed: list[bytes] = []
    read: dict[bytes, bytes] = {}
    has_digests = False
    for name, value in headers:
        if name in _READ:
            read[name] = value if name not in read else _repeated(name, read[name], value)
            if name in DIGEST_FIELDS:
                has_digests = True
                passed += (field_prefix(name), value)
            continue
        prefix = _prefixes.get(name)
        if prefix is None:
            prefix = _prefix(name)
        if prefix:
            if not value.isascii():
                _check_text(value)
            passed += (prefix, value)
    connection = read.get(_CONNECTION)
    if connection is not None and connection.lower() not in _ORDINARY_CONNECTION:
        passed = without_named(passed, connection)
    return RequestHeaders(passed, read, has_digests=has_digests)


def _check_text(value: bytes) -> None:
    try:
        value.decode()
    except UnicodeDecodeError:
        raise problems.malformed_request(
            "A header value is not UTF-8.", "Giá trị của một trường tiêu đề không phải UTF-8."
        ) from None


def _prefix(name: bytes) -> bytes:
    compared = plain(name)
    prefix = field_prefix(name) if compared not in _READ and passes_to_provider(compared) else b""
    if len(name) <= MAX_NAME_BYTES and len(_prefixes) < _MAX_NAMES:
        _prefixes[name] = prefix
    return prefix


def _repeated(name: bytes, first: bytes, second: bytes) -> bytes:
    if name in (_CONNECTION, _TRANSFER_ENCODING, _UPGRADE, _PROOF) or name in DIGEST_FIELDS:
        return first + b"," + second
    if name == _TRACEPARENT:
        return b""
    text = name.decode("latin-1")
    raise problems.malformed_request(f"{text} comes twice.", f"{text} xuất hiện hai lần.")


def without_named(passed: list[bytes], connection: bytes) -> list[bytes]:
    """Fields, as written, but for those that the Connection header names (RFC 9110 section 7.6.1)."""
    named = {field_prefix(option.strip().lower()) for option in connection.split(b",")}
    pairs = zip(passed[::2], passed[1::2], strict=True)
    return [part for pair in pairs if pair[0] not in named for part in pair]
