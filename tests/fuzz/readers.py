"""Foreign readers: what h11 makes of the same bytes, and a plain reader of what the gateway has answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import h11

from tests.fuzz.clock import FindingError

_MOST_HEAD = 1 << 20
_FIRST_FINAL = 200


@dataclass
class Message:
    """A request or an answer as h11 reads it."""

    start: tuple[bytes, ...]
    """Method, target and version of a request; status of an answer."""
    fields: list[tuple[bytes, bytes]]
    body: bytes = b""
    whole: bool = False


@dataclass
class Reading:
    """What h11 has read of a stream."""

    messages: list[Message] = field(default_factory=list)
    refused: str | None = None
    """Why it did not go on."""
    ends: bool = False
    """Whether nothing is read of this connection after the last message."""
    behind: bytes = b""
    """What follows an answer."""


def read_requests(stream: bytes) -> Reading:
    """Read a stream of requests, and answer each of them."""
    peer = h11.Connection(h11.SERVER, max_incomplete_event_size=_MOST_HEAD)
    peer.receive_data(stream)
    reading = Reading()
    try:
        while True:
            event = peer.next_event()
            if isinstance(event, h11.Request):
                start = (event.method, event.target, event.http_version)
                reading.messages.append(Message(start, list(event.headers)))
            elif isinstance(event, h11.Data):
                reading.messages[-1].body += event.data
            elif isinstance(event, h11.EndOfMessage):
                reading.messages[-1].whole = True
                # Not 200, which opens a tunnel where the method is CONNECT.
                answer = h11.Response(status_code=404, headers=[(b"content-length", b"0")])
                peer.send(answer)
                peer.send(h11.EndOfMessage())
                if peer.our_state is h11.MUST_CLOSE:
                    reading.ends = True
                    return reading
                peer.start_next_cycle()
            else:
                return reading
    except h11.RemoteProtocolError as error:
        reading.refused = str(error)
        return reading


def read_response(stream: bytes, method: bytes, *, closed: bool) -> Reading:
    """Read the answer to one request; `closed` says that the connection ends behind the stream."""
    peer = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MOST_HEAD)
    peer.send(h11.Request(method=method, target=b"/", headers=[(b"host", b"x")]))
    peer.send(h11.EndOfMessage())
    peer.receive_data(stream)
    reading = Reading()
    try:
        if closed:
            peer.receive_data(b"")
        while True:
            event = peer.next_event()
            if isinstance(event, h11.Response):
                fields = [(name.lower(), value) for name, value in event.headers]
                reading.messages.append(Message((b"%d" % event.status_code,), fields))
            elif isinstance(event, h11.Data):
                reading.messages[-1].body += event.data
            elif isinstance(event, h11.EndOfMessage):
                reading.messages[-1].whole = True
                reading.behind = peer.trailing_data[0]
                reading.ends = peer.their_state is not h11.DONE or bool(reading.behind)
                return reading
            elif not isinstance(event, h11.InformationalResponse):
                return reading
    except h11.RemoteProtocolError as error:
        reading.refused = str(error)
        return reading


class Answer(NamedTuple):
    """An answer of the gateway."""

    status: int
    fields: dict[str, str]
    body: bytes
    whole: bool


def read_answers(data: bytes, methods: list[str]) -> list[Answer]:
    """What the gateway has sent; `methods` are those of the calls, which answers refer to as `call`.

    Raises:
        FindingError: it is no sequence of answers.
    """
    found: list[Answer] = []
    at = 0
    while at < len(data):
        end = data.find(b"\r\n\r\n", at)
        line, *lines = data[at : max(end, at)].decode().split("\r\n")
        if not line.startswith("HTTP/1.1 "):
            raise FindingError(f"this is no answer: {data[at : at + 200]!r}")
        if found and found[-1].status >= _FIRST_FINAL and found[-1].fields.get("connection") == "close":
            raise FindingError(f"answered after the last answer: {line!r}")
        at = end + 4
        status = int(line.split(" ", 2)[1])
        fields = dict(one.split(": ", 1) for one in lines)
        method = methods[int(fields["call"])] if "call" in fields else ""
        body, whole = b"", True
        if status < _FIRST_FINAL or method == "HEAD":
            pass
        elif "transfer-encoding" in fields:
            body, whole, at = _chunks(data, at)
        else:
            length = int(fields.get("content-length", len(data) - at))
            body, whole, at = data[at : at + length], len(data) >= at + length, at + length
        found.append(Answer(status, fields, body, whole))
    return found


def _chunks(data: bytes, at: int) -> tuple[bytes, bool, int]:
    """A body in chunks, whether it has come to its end, and where that is."""
    parts: list[bytes] = []
    while (end := data.find(b"\r\n", at)) >= 0:
        length, at = int(data[at:end], 16), end + 2
        if not length:
            return b"".join(parts), data.startswith(b"\r\n", at), at + 2
        parts.append(data[at : at + length])
        at += length + 2
    return b"".join(parts), False, len(data)
