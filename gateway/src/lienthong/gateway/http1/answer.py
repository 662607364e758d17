"""Writing an answer to a caller (RFC 9112 section 4): its head in one piece, with a Date (RFC 9110 6.6.1).

Nothing else in the gateway writes heads to callers.
"""

from __future__ import annotations

import time
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from lienthong.gateway.http1.fields import joined

if TYPE_CHECKING:
    from collections.abc import Sequence

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
CLOSE: Final = b"\r\nconnection: close"
KEEP_ALIVE: Final = b"\r\nconnection: keep-alive"
"""What HTTP/1.0 has to be told (RFC 9112 appendix C.2.2)."""
CHUNKED: Final = b"\r\ntransfer-encoding: chunked"
END_OF_HEAD: Final = b"\r\n\r\n"

_PHRASES: Final = {int(status): status.phrase for status in HTTPStatus}
_lines: dict[int, bytes] = {}


class DateField:
    """The Date field, formed once a second."""

    __slots__ = ("_field", "_second")

    def __init__(self) -> None:
        self._second = -1
        self._field = b""

    def now(self) -> bytes:
        """The field, with the end of the line before it."""
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._field = b"\r\ndate: " + formatdate(second, usegmt=True).encode("ascii")
        return self._field


def head(status: int, fields: Sequence[bytes], date: DateField, *, dated: bool) -> bytes:
    """The status line and the fields, without the empty line at the end; `dated` fields have a Date already.

    Raises:
        RuntimeError: a value holds a line break.
    """
    line = _lines[status] if status in _lines else _line(status)
    return line + joined(fields) if dated else line + joined(fields) + date.now()


def _line(status: int) -> bytes:
    # At most 500 of them: a provider's status is 200 to 599.
    line = _lines[status] = f"HTTP/1.1 {status} {_PHRASES.get(status, '')}".encode("ascii")
    return line
