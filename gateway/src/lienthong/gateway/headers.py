"""Request headers: one pass that takes what the gateway reads and keeps what the provider may see."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lienthong.gateway import problems

if TYPE_CHECKING:
    from collections.abc import Iterable

HOP_BY_HOP = frozenset(
    (
        b"connection",
        b"http2-settings",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)
"""Headers of one connection, not of the message (RFC 9110 section 7.6.1)."""

# What would let a caller speak in the gateway's name, or mean another operation than was allowed.
_DROPPED = HOP_BY_HOP | {
    b"client-cert",
    b"client-cert-chain",
    b"content-length",
    b"cookie",
    b"expect",
    b"forwarded",
    b"host",
    b"x-method-override",
    b"x-original-url",
    b"x-real-ip",
    b"x-rewrite-url",
}
_DROPPED_PREFIXES = (b"lgsp-", b"x-forwarded-", b"x-http-method")

_AUTHORIZATION: Final = b"authorization"
_PURPOSE: Final = b"lgsp-purpose"
_CASE: Final = b"lgsp-case-id"
_USER: Final = b"lgsp-user"
_TRACEPARENT: Final = b"traceparent"
_CONTENT_LENGTH: Final = b"content-length"
_TRANSFER_ENCODING: Final = b"transfer-encoding"
_CONNECTION: Final = b"connection"
_READ = frozenset(
    (
        _AUTHORIZATION,
        _PURPOSE,
        _CASE,
        _USER,
        _TRACEPARENT,
        _CONTENT_LENGTH,
        _TRANSFER_ENCODING,
        _CONNECTION,
    )
)
_TRACEPARENT_FORM = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_MAX_TEXT = 256
_PERSONAL_NUMBER_DIGITS = (9, 12)
"""An identity card's number, a personal identification number."""
_ORDINARY_CONNECTION = frozenset((b"keep-alive", b"close"))

# How the line begins that the provider gets, by header name; None for a name that does not pass. Learned as
# names come in; bounded, for names are the caller's to choose.
_names: dict[bytes, bytes | None] = {}
_MAX_NAMES, MAX_NAME_BYTES = 4096, 64


class Inbound:
    """The headers of one request, taken apart."""

    __slots__ = ("_read", "lines")

    def __init__(self, lines: list[bytes], read: dict[bytes, bytes]) -> None:
        self.lines = lines
        """What goes on to the provider: each field is `b"\\r\\nname: "` and its value."""
        self._read = read

    @property
    def authorization(self) -> bytes | None:
        """The Authorization header."""
        return self._read.get(_AUTHORIZATION)

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
        """The declared size of the body; 0 when none is declared."""
        value = self._read.get(_CONTENT_LENGTH)
        if value is None:
            return 0
        if not value.isdigit():
            raise problems.malformed_request(
                "Content-Length is not a number.", "Content-Length không phải là số."
            )
        return int(value)

    @property
    def chunked(self) -> bool:
        """Whether a body comes whose size is not declared.

        Raises:
            Problem: malformed-request, when it is coded in another way too: the provider would not be told.
        """
        coding = self._read.get(_TRANSFER_ENCODING)
        if coding is not None and coding.lower() != b"chunked":
            raise problems.malformed_request(
                "The only Transfer-Encoding that is taken is chunked.", "Transfer-Encoding chỉ nhận chunked."
            )
        return coding is not None

    def purpose(self) -> str | None:
        """LGSP-Purpose, why the caller asks."""
        return self._text(_PURPOSE, "LGSP-Purpose")

    def case(self) -> str | None:
        """LGSP-Case-Id, the case that caused the call; never a person, for it is recorded as it is."""
        case = self._text(_CASE, "LGSP-Case-Id")
        if case is not None and len(case) in _PERSONAL_NUMBER_DIGITS and case.isdecimal():
            raise problems.malformed_request(
                "LGSP-Case-Id names a case; a personal number belongs into LGSP-User.",
                "LGSP-Case-Id là mã hồ sơ; số định danh cá nhân phải đặt trong LGSP-User.",
            )
        return case

    def user(self) -> str | None:
        """LGSP-User, the person behind the call."""
        return self._text(_USER, "LGSP-User")

    def _text(self, field: bytes, name: str) -> str | None:
        value = self._read.get(field)
        if value is None:
            return None
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


def read_headers(headers: Iterable[tuple[bytes, bytes]], *, max_bytes: int, max_count: int) -> Inbound:
    """Take apart the headers of a request; names are lower-case, as ASGI has them.

    Raises:
        Problem: too many or too large, one that may come once comes twice, or a value is not UTF-8.
    """
    lines: list[bytes] = []
    read: dict[bytes, bytes] = {}
    size = count = 0
    for name, value in headers:
        size += len(name) + len(value)
        count += 1
        if name in _READ:
            read[name] = value if name not in read else _repeated(name, read[name], value)
            continue
        begin = _names[name] if name in _names else _learn(name)
        if begin is not None:
            if not value.isascii():
                _check_text(value)
            lines += (begin, value)
    if size > max_bytes or count > max_count:
        raise problems.headers_too_large()
    connection = read.get(_CONNECTION)
    if connection is not None and connection.lower() not in _ORDINARY_CONNECTION:
        lines = _without_named(lines, connection)
    return Inbound(lines, read)


def line(name: bytes) -> bytes:
    """What stands before a value in the head of a message, after the line before."""
    return b"\r\n" + name + b": "


def _check_text(value: bytes) -> None:
    try:
        value.decode()
    except UnicodeDecodeError:
        raise problems.malformed_request(
            "A header value is not UTF-8.", "Giá trị của một trường đầu không phải UTF-8."
        ) from None


def _learn(name: bytes) -> bytes | None:
    # Some servers cannot tell a - from a _ in a name (RFC 3875 section 4.1.18).
    plain = name.replace(b"_", b"-")
    dropped = plain in _DROPPED or plain in _READ or plain.startswith(_DROPPED_PREFIXES)
    begin = None if dropped else line(name)
    if len(name) <= MAX_NAME_BYTES and len(_names) < _MAX_NAMES:
        _names[name] = begin
    return begin


def _repeated(name: bytes, first: bytes, second: bytes) -> bytes:
    if name in (_CONNECTION, _TRANSFER_ENCODING):
        return first + b"," + second
    if name == _TRACEPARENT:
        return b""
    text = name.decode("latin-1")
    raise problems.malformed_request(f"{text} comes twice.", f"{text} xuất hiện hai lần.")


def _without_named(lines: list[bytes], connection: bytes) -> list[bytes]:
    """Drop the fields that the Connection header names (RFC 9110 section 7.6.1)."""
    named = {line(option.strip().lower()) for option in connection.split(b",")}
    pairs = zip(lines[::2], lines[1::2], strict=True)
    return [part for pair in pairs if pair[0] not in named for part in pair]
