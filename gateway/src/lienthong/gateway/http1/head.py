"""The head of a caller's request (RFC 9112 sections 2, 3 and 5): its first line, and what can be wrong.

llhttp judges the head; it is given whole heads only. What is read here is what llhttp lets pass, and what is
still to be said of a request that llhttp refuses: whoever can be told apart from noise is a caller.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
from typing import Final

import httptools

from lienthong.kit.text import BilingualText

CRLF: Final = b"\r\n"
END_OF_HEAD: Final = b"\r\n\r\n"
_VERSION_1_0: Final = b"HTTP/1.0"
_VERSIONS: Final = frozenset((b"HTTP/1.1", _VERSION_1_0))
_TLS_HANDSHAKE: Final = b"\x16"
_FRAGMENT: Final = 0x23
"""`#`. CPython 3.11 finds a number in bytes many times faster than other bytes."""
_PARTS_OF_LINE: Final = 3

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
_LINE = re.compile(_TOKEN + rb"+ [!-~\x80-\xff]+ HTTP/1\.[01]")
_ABSOLUTE = re.compile(rb"https?://([^/?]*)(.*)", re.IGNORECASE | re.DOTALL)
_OTHER_VERSION = re.compile(_TOKEN + rb"+ [!-~\x80-\xff]+ HTTP/[0-9](?:\.[0-9]{1,3})?")
# The parts of a line, as far as they have come.
_PARTS = (re.compile(_TOKEN + rb"*"), re.compile(rb"[!-~\x80-\xff]*"), re.compile(rb"[!-~]*"))
_MOST_OF_VERSION: Final = 32
# A name or an address and perhaps a port: uri-host of RFC 3986 section 3.2.2, which may not be empty here.
_HOST_FORM = re.compile(
    rb"(?:(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2}){1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{0,5})?"
)

_OF_LENGTH: Final = ("ontent-Length", "ransfer-Encoding")


class Flaw(Enum):
    """Why a request whose first line can be read is refused; the value says it to the caller."""

    METHOD = BilingualText("The method is none that HTTP knows.", "Phương thức không phải của HTTP.")
    TARGET = BilingualText(
        "The address in the request line is not written as RFC 9112 section 3.2 asks.",
        "Địa chỉ trong dòng yêu cầu không đúng RFC 9112 mục 3.2.",
    )
    CONNECT = BilingualText(
        "The gateway is no proxy: it opens no tunnels (CONNECT).",
        "Cổng không phải proxy: không mở đường hầm (CONNECT).",
    )
    FIELDS = BilingualText(
        "The header fields are not written as RFC 9112 section 5 asks: each on one line that ends with CR"
        " and LF, its name directly before the colon, without control characters.",
        "Các trường tiêu đề không đúng RFC 9112 mục 5: mỗi trường một dòng kết thúc bằng CR và LF, tên ngay"
        " trước dấu hai chấm, không có ký tự điều khiển.",
    )
    LENGTH = BilingualText(
        "Where the body ends is not said in one proper way: by one Content-Length, or by Transfer-Encoding:"
        " chunked over HTTP/1.1 (RFC 9112 section 6).",
        "Độ dài nội dung không được khai báo theo một cách duy nhất và đúng: một Content-Length, hoặc"
        " Transfer-Encoding: chunked với HTTP/1.1 (RFC 9112 mục 6).",
    )
    EXPECT = BilingualText("The only Expect that is taken is 100-continue.", "Expect chỉ nhận 100-continue.")
    CHUNKS = BilingualText(
        "The chunks of the body are not written as RFC 9112 section 7.1 asks.",
        "Các khối của nội dung không đúng RFC 9112 mục 7.1.",
    )
    TOO_LARGE = BilingualText(
        "The head of the request, its trailer fields or what is between two parts of its body is too large.",
        "Phần đầu của yêu cầu, các trường cuối hoặc phần giữa hai khối nội dung quá lớn.",
    )
    TOO_SLOW = BilingualText(
        "The head of the request did not arrive in time.", "Phần đầu của yêu cầu không đến đủ trong thời hạn."
    )


_NOT_SERVED: Final = {b"CONNECT": Flaw.CONNECT, b"PRI": Flaw.METHOD}
"""`PRI` begins HTTP/2 (RFC 9113 section 3.4): llhttp waits for the rest of that, as if for a body."""


class Unreadable(Enum):
    """Why what came is no request at all; the value is the reason under which it is counted."""

    TLS = "tls"
    """Somebody speaks TLS here, which ends at the edge."""
    VERSION = "version"
    """Another version of HTTP than 1.0 and 1.1."""
    MALFORMED = "malformed"


class UnreadableError(Exception):
    """There is no first line of an HTTP/1 request."""

    def __init__(self, reason: Unreadable = Unreadable.MALFORMED) -> None:
        super().__init__(reason.value)
        self.reason = reason


class RequestLine:
    """The first line of a request, as far as it came."""

    __slots__ = ("before_1_1", "flaw", "method", "path", "query")

    def __init__(
        self, method: str, path: bytes, query: bytes, *, before_1_1: bool, flaw: Flaw | None = None
    ) -> None:
        self.method = method
        self.path = path
        """Still percent-encoded, as it came."""
        self.query = query
        """With the question mark before it, also where nothing follows; empty where there is none."""
        self.before_1_1 = before_1_1
        """Whether it is HTTP/1.0."""
        self.flaw = flaw


@lru_cache(maxsize=256)
def is_host(value: bytes) -> bool:
    """Whether this is what a Host field may hold: a name or address, and perhaps a port."""
    return _HOST_FORM.fullmatch(value) is not None


def read_line(line: bytes) -> RequestLine:
    """Read a whole line, without its end. What llhttp checks is not checked here: the parts' characters.

    But for a CR at the beginning, which llhttp passes over as if it were none of the method's.

    Raises:
        UnreadableError: it is not `METHOD TARGET HTTP/1.1`, nor 1.0.
    """
    parts = line.split(b" ")
    if len(parts) != _PARTS_OF_LINE or parts[2] not in _VERSIONS or line.startswith(b"\r"):
        raise UnreadableError(_reason(line))
    method, target, version = parts
    before_1_1 = version == _VERSION_1_0
    if target.startswith(b"/") and _FRAGMENT not in target:
        path, query = _parted(target)
        if method not in _NOT_SERVED:
            return RequestLine(method.decode("latin-1"), path, query, before_1_1=before_1_1)
    return _other_form(method, target, before_1_1=before_1_1)


def read_beginning(beginning: bytes) -> RequestLine:
    """Read what there is of a line that may not be complete: too much came, or the rest did not.

    Raises:
        UnreadableError: no request begins so.
    """
    end = beginning.find(b"\n")
    if end >= 0:
        line = beginning[:end].removesuffix(b"\r")
        check_line(line)
        return read_line(line)
    check_beginning(beginning)
    method, _, rest = beginning.rstrip(b"\r").partition(b" ")
    path, query = _parted(rest.partition(b" ")[0])
    return RequestLine(method.decode("latin-1"), path, query, before_1_1=False)


def check_beginning(beginning: bytes, seen: int = 0) -> None:
    """Refuse at once what no request begins with: whoever speaks another protocol is not waited for.

    Looks at what is new behind the bytes that were `seen` before, so that a line in drops costs no more.

    Raises:
        UnreadableError: no request begins so.
    """
    complete = beginning.count(b" ", 0, seen)
    parts = beginning[seen:].removesuffix(b"\r").split(b" ")
    in_order = (
        not beginning.endswith(b"\r", 0, seen)
        and complete + len(parts) <= len(_PARTS)
        and all(form.fullmatch(part) for form, part in zip(_PARTS[complete:], parts, strict=False))
    )
    in_version = complete + len(parts) == len(_PARTS)
    if not in_order or (in_version and len(beginning) - beginning.rfind(b" ") - 2 > _MOST_OF_VERSION):
        raise UnreadableError(_reason(beginning))


def check_line(line: bytes) -> None:
    """Look closer at a whole line, of which llhttp has not said that its characters are in order.

    Raises:
        UnreadableError: what could be the method is no token, or there are control characters.
    """
    if _LINE.fullmatch(line) is None:
        raise UnreadableError(_reason(line))


def has_bare_lf(data: bytes, seen: int) -> bool:
    """Whether a line of `data`, behind the bytes that were `seen` before, ends without CR (RFC 9112 2.2)."""
    return data.count(b"\n", seen) != data.count(CRLF, max(seen - 1, 0))


def flaw_of(error: Exception) -> Flaw:
    """What is wrong with a head, by what llhttp says."""
    if isinstance(error, httptools.HttpParserInvalidMethodError):
        return Flaw.METHOD
    if isinstance(error, httptools.HttpParserInvalidURLError):
        return Flaw.TARGET
    return Flaw.LENGTH if any(word in str(error) for word in _OF_LENGTH) else Flaw.FIELDS


def _other_form(method: bytes, target: bytes, *, before_1_1: bool) -> RequestLine:
    """A target in another form than the usual one: absolute (RFC 9112 section 3.2.2), or none we serve."""
    flaw: Flaw | None = None
    absolute = _ABSOLUTE.fullmatch(target)
    if method in _NOT_SERVED:
        flaw = _NOT_SERVED[method]
    elif _FRAGMENT in target:
        flaw = Flaw.TARGET
    elif absolute is not None:
        # The authority takes the place of Host, and like that is only looked at.
        authority, target = absolute.groups()
        flaw = None if is_host(authority) else Flaw.TARGET
        if not target.startswith(b"/"):
            target = b"/" + target
    path, query = _parted(target)
    return RequestLine(method.decode("latin-1"), path, query, before_1_1=before_1_1, flaw=flaw)


def _parted(target: bytes) -> tuple[bytes, bytes]:
    path, mark, query = target.partition(b"?")
    return path, mark + query


def _reason(line: bytes) -> Unreadable:
    if line.startswith(_TLS_HANDSHAKE):
        return Unreadable.TLS
    return Unreadable.VERSION if _OTHER_VERSION.fullmatch(line) else Unreadable.MALFORMED
