"""Reading the requests of one connection: the end of a head is found, llhttp reads it, and is fed the body.

A head is given to llhttp whole, so that the same bytes are the same request however they come in pieces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import httptools

from lienthong.gateway.http1.framing import OVERLAP, BodyFeed, announced, head_of_body
from lienthong.gateway.http1.head import (
    CRLF,
    END_OF_HEAD,
    Flaw,
    UnreadableError,
    check_beginning,
    check_line,
    flaw_of,
    has_bare_lf,
    read_line,
)
from lienthong.gateway.http1.incoming import Incoming

if TYPE_CHECKING:
    from lienthong.gateway.http1.incoming import CallersConnection

_MOST_EMPTY_LINES: Final = 8
"""Bytes of empty lines before a request line (RFC 9112 section 2.2)."""
_NO_PARSER: Final = httptools.HttpRequestParser(object())


class FlawedHeadError(Exception):
    """What came of a head can only be refused: `beginning` is what there is of it, `flaw` says why."""

    def __init__(self, beginning: bytes, flaw: Flaw) -> None:
        super().__init__(flaw.name)
        self.beginning = beginning
        self.flaw = flaw


class RequestInput:
    """Reads one request after the other; `most` is how many bytes a head may have."""

    __slots__ = ("_empty", "_incoming", "_most", "_parser", "expects", "feed", "rest")

    def __init__(self, most: int) -> None:
        self.rest = b""
        """After `find`: what follows the head, or what there is of one that is not complete."""
        self.feed: BodyFeed | None = None
        """What gives llhttp the body of the request that has begun, if it has one."""
        self.expects = False
        """Whether the caller waits to be told to send it (RFC 9110 section 10.1.1)."""
        self._most = most
        self._empty = 0
        self._parser = httptools.HttpRequestParser(self)
        self._incoming: Incoming | None = None

    def find(self, data: bytes, seen: int) -> bytes:
        """The head at the beginning of `data`, of whose bytes `seen` were looked at before; empty: not yet.

        Raises:
            UnreadableError: no request begins so.
            FlawedHeadError: a request begins so, but it cannot be served.
        """
        while data.startswith(CRLF):
            data, seen = data[len(CRLF) :], 0
            self._empty += len(CRLF)
            if self._empty > _MOST_EMPTY_LINES:
                raise UnreadableError
        end = data.find(END_OF_HEAD, max(seen - OVERLAP, 0)) + len(END_OF_HEAD)
        if len(END_OF_HEAD) <= end <= self._most:
            self.rest = data[end:] if len(data) > end else b""
            return data[:end] if self.rest else data
        if len(data) > self._most:
            beginning = data[: self._most]
            raise FlawedHeadError(beginning, Flaw.FIELDS if has_bare_lf(beginning, 0) else Flaw.TOO_LARGE)
        if has_bare_lf(data, seen):
            raise FlawedHeadError(data, Flaw.FIELDS)
        line_end = data.find(CRLF)
        if line_end < 0:
            if data not in (b"", b"\r"):
                check_beginning(data, seen)
        elif line_end >= seen - 1:
            read_line(data[:line_end])
            check_line(data[:line_end])
        self.rest = data
        return b""

    def begin(self, head: bytes, connection: CallersConnection) -> Incoming:
        """Begin a request with a head that is here as a whole.

        Raises:
            UnreadableError: it has no proper first line.
        """
        first = head[: head.find(b"\n")].removesuffix(b"\r")
        line = read_line(first)
        self._incoming = incoming = Incoming(line, connection)
        incoming.head = head
        self._empty = 0
        if line.flaw is None:
            try:
                if has_bare_lf(head, 0):
                    incoming.flaw = Flaw.FIELDS
                else:
                    self._parse(head, incoming)
            except httptools.HttpParserError as error:
                incoming.flaw = flaw_of(error)
        if incoming.flaw is not None:
            self._incoming = None
            check_line(first)
            incoming.keep_alive = incoming.body_read = False
        elif not incoming.body_read:
            length, self.expects, incoming.flaw = announced(incoming.fields, before_1_1=line.before_1_1)
            self.feed = BodyFeed(self._parser, length)
        return incoming

    def end(self) -> None:
        """The request is over: nothing that comes belongs to it."""
        self._incoming = None

    def renew(self) -> None:
        """Make ready for the next request."""
        if self.feed is not None:
            # llhttp takes fields behind a body in chunks for fields of the head, such as `Connection`.
            self.feed, self._parser = None, httptools.HttpRequestParser(self)

    def close(self) -> None:
        """Let go of the parser, which refers to this: no cycle is left for the garbage collector."""
        self.feed, self._parser = None, _NO_PARSER

    def _parse(self, head: bytes, incoming: Incoming) -> None:
        """Have llhttp read a head.

        Raises:
            HttpParserError: it is not in order.
        """
        try:
            self._parser.feed_data(head)
        except httptools.HttpParserUpgrade:
            # Nobody upgrades here: it is a request like any other (RFC 9110 section 7.8). But llhttp
            # takes its body for another protocol: so it is told of that alone.
            fields, keep_alive = incoming.fields, incoming.keep_alive
            self._parser = httptools.HttpRequestParser(self)
            incoming.head_read = incoming.body_read = False
            incoming.fields = []
            self._parser.feed_data(head_of_body(fields))
            incoming.fields, incoming.keep_alive = fields, keep_alive

    # llhttp

    def on_header(self, name: bytes, value: bytes) -> None:
        """Store a field; trailers are dropped (RFC 9110 section 6.5.1)."""
        incoming = self._incoming
        if incoming is not None and not incoming.head_read:
            # llhttp leaves the white space after a value in it (RFC 9112 section 5.1).
            incoming.fields.append((name.lower(), value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        """Note whether the connection is kept; only here llhttp knows."""
        incoming = self._incoming
        if incoming is None or incoming.head_read:
            raise RuntimeError("a second head in what was to be one request")
        incoming.head_read = True
        incoming.keep_alive = self._parser.should_keep_alive()

    def on_body(self, part: bytes) -> None:
        """Hand a part of the body on."""
        if self._incoming is not None and self.feed is not None:
            self.feed.framing = 0
            self._incoming.receive(part)

    def on_message_complete(self) -> None:
        """Note that all of the request is here."""
        if self._incoming is not None:
            self._incoming.body_read = True
