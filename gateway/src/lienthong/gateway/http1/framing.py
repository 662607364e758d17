"""The body of a caller's request: what its head says of it, and llhttp fed with it and with nothing more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from lienthong.gateway.http1.head import END_OF_HEAD, Flaw

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httptools

    from lienthong.gateway.http1.incoming import Incoming

MOST_FRAMING: Final = 16 * 1024
"""Bytes of trailer fields, or between two parts of a body in chunks. Looked at after each piece of input:
what comes in one piece with a part of the body may be more, up to the size of the piece."""
OVERLAP: Final = len(END_OF_HEAD) - 1
MOST_PIECES: Final = 512
"""Pieces of a body that are given to llhttp before others get their turn: about a millisecond."""
_CONTENT_LENGTH: Final = b"content-length"
_OF_FRAMING: Final = (_CONTENT_LENGTH, b"transfer-encoding")
_EXPECT: Final = b"expect"
_CONTINUE: Final = b"100-continue"
_MOST_DIGITS: Final = 18
"""Of a length: no body has an exabyte, and to read thousands of digits takes their square in time."""


class Announced(NamedTuple):
    """What a head says of the body behind it; llhttp has checked that it says one thing only."""

    length: int | None
    """Bytes; None when it comes in chunks."""
    expects: bool
    """Whether the caller waits to be told to send it (RFC 9110 section 10.1.1)."""
    flaw: Flaw | None


def announced(fields: Sequence[tuple[bytes, bytes]], *, before_1_1: bool) -> Announced:
    """Read what the fields of a request with a body say of it."""
    length, expects, flaw = None, False, None
    for name, value in fields:
        if name == _CONTENT_LENGTH and len(value) <= _MOST_DIGITS:
            length = int(value)
        elif name == _CONTENT_LENGTH:
            length, flaw = 0, Flaw.LENGTH
        elif name == _EXPECT and not before_1_1:
            expects = value.lower() == _CONTINUE
            flaw = flaw if expects else flaw or Flaw.EXPECT
    if length is None and before_1_1:
        # RFC 9112 section 6.1: whoever wrote this does not know what it means.
        flaw = Flaw.LENGTH
    return Announced(length, expects, flaw)


def head_of_body(fields: Sequence[tuple[bytes, bytes]]) -> bytes:
    """A head that says of a body what these fields say, and nothing else."""
    framing = [b"%b: %b\r\n" % field for field in fields if field[0] in _OF_FRAMING]
    return b"POST / HTTP/1.1\r\n" + b"".join(framing) + b"\r\n"


class BodyFeed:
    """Gives llhttp the body of one request, of `length` bytes or, if that is None, in chunks."""

    __slots__ = ("_left", "_parser", "_tail", "framing")

    def __init__(self, parser: httptools.HttpRequestParser, length: int | None) -> None:
        self._parser = parser
        self._left = length
        self._tail = b""
        self.framing = 0
        """Bytes since the last part of the body; whoever gets the parts sets it back."""

    @property
    def too_long(self) -> bool:
        """Whether more came between two parts than is read."""
        return self.framing > MOST_FRAMING

    def feed(self, data: bytes, incoming: Incoming) -> bytes:
        """Feed what came; returns what follows the body, or is to be fed in another turn.

        Raises:
            HttpParserError: of httptools, the chunks are not in order.
        """
        if self._left is None:
            return self._feed_chunks(data, incoming)
        part = data if len(data) <= self._left else data[: self._left]
        self._left -= len(part)
        self._parser.feed_data(part)
        return data[len(part) :]

    def _feed_chunks(self, data: bytes, incoming: Incoming) -> bytes:
        """A body in chunks ends with an empty line, behind which llhttp would go on with the next request.

        So it gets what came in pieces that end with empty lines.
        """
        joined, fed = self._tail + data, len(self._tail)
        pieces = 0
        while fed < len(joined) and pieces < MOST_PIECES and not incoming.body_read and not self.too_long:
            pieces += 1
            end = joined.find(END_OF_HEAD, max(fed - OVERLAP, 0)) + len(END_OF_HEAD)
            if end < len(END_OF_HEAD):
                end = len(joined)
            self.framing += end - fed
            self._parser.feed_data(joined[fed:end])
            fed = end
        self._tail = joined[max(fed - OVERLAP, 0) : fed]
        return joined[fed:]
