"""What a service's HTTP server does by itself, before there is a request: uvicorn's protocol with limits.

uvicorn accepts connections without end, waits for a first request without end, keeps a head of any size in
memory, and answers what is not HTTP in its own words.
"""

from __future__ import annotations

from collections import Counter
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from lienthong.kit.metrics.instruments import CONNECTIONS_DROPPED
from lienthong.kit.problems import PROBLEM_JSON, ProblemError, calls, general
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    import asyncio

    from lienthong.kit.metrics.figures import Figures

IDLE_S: Final = 75.0
"""How long a connection may wait for the next request, from its beginning or the last answer, until the head
of the request is there; longer than the gateway keeps its own."""
MOST_HEAD: Final = 64 * 1024
"""Bytes of a request's head, or of what else in it is no content: the gateway lets half of them pass. A head
that begins in the same read as the end of another request may have twice as many."""
_MALFORMED: Final = ProblemError(
    general.MALFORMED_REQUEST,
    BilingualText("This is not an HTTP request.", "Nội dung nhận được không phải yêu cầu HTTP."),
)
_TOO_LARGE: Final = ProblemError(
    calls.HEADERS_TOO_LARGE,
    BilingualText(
        f"Address and header fields have more than {MOST_HEAD} bytes.",
        f"Địa chỉ và các trường tiêu đề dài hơn {MOST_HEAD} byte.",
    ),
)


class HttpDoor:
    """The connections of one server: at most `most`, each closed after `idle_s` seconds without a request."""

    def __init__(self, most: int, idle_s: float = IDLE_S) -> None:
        self.most = most
        self.idle_s = idle_s
        self.dropped: Counter[str] = Counter()
        """How many connections were closed, by the reason: `full`, `idle`, `malformed`, `head`."""

    def show(self, figures: Figures) -> None:
        """Show how many connections were dropped, and why."""
        figures.observe_each(
            CONNECTIONS_DROPPED,
            lambda: [(number, {"reason": reason}) for reason, number in self.dropped.items()],
        )

    @property
    def protocol(self) -> type[HttpToolsProtocol]:
        """The protocol of its connections, for uvicorn's setting `http`."""
        door = self

        class _Protocol(_BoundedProtocol):
            def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  uvicorn's own
                super().__init__(*args, **options)
                self.door = door

        return _Protocol


class _BoundedProtocol(HttpToolsProtocol):
    """A connection that is closed when the server has too many, or when no request comes."""

    door: HttpDoor
    _idle: asyncio.TimerHandle | None = None
    _waits_since: float | None = None
    """Since when it waits for a request, by the loop's clock; None while there is one."""
    _unfinished = 0
    """Bytes since a head, a part of a body or a request was complete."""
    _progress = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request, unless there are too many already."""
        super().connection_made(transport)
        if len(self.connections) > self.door.most:
            self.door.dropped["full"] += 1
            transport.abort()
            return
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._waits_since = None
        if self._idle is not None:
            self._idle.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came, and of a head, of trailer fields or of a chunk's extensions so much and no more."""
        while data and not self.transport.is_closing():
            room = MOST_HEAD + 1 - self._unfinished
            part, data = data[:room], data[room:]
            self._progress = False
            super().data_received(part)
            self._unfinished = 0 if self._progress else self._unfinished + len(part)
            if self._unfinished > MOST_HEAD and not self.transport.is_closing():
                self._refuse("head", _TOO_LARGE)

    def on_body(self, body: bytes) -> None:
        """A part of a body is there."""
        self._progress = True
        super().on_body(body)

    def on_chunk_header(self) -> None:
        """The size of a part of a body is there."""
        self._progress = True

    def on_message_complete(self) -> None:
        """A whole request is there."""
        self._progress = True
        super().on_message_complete()

    def on_headers_complete(self) -> None:
        """A request is there."""
        self._progress = True
        self._waits_since = None
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """Begin the next request if it is there, or wait for it: uvicorn's own way, with one timer less."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self._wait()

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP as everything else is answered (RFC 9457)."""
        del msg
        self._refuse("malformed", _MALFORMED)

    def _refuse(self, reason: str, problem: ProblemError) -> None:
        self.door.dropped[reason] += 1
        body = msgspec.json.encode(problem.document(None))
        status = HTTPStatus(problem.status)
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: {PROBLEM_JSON}\r\n"
            f"lgsp-error: {problem.code}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode("ascii") + body)
        self.transport.close()

    def _wait(self) -> None:
        self._waits_since = self.loop.time()
        if self._idle is None:
            self._idle = self.loop.call_later(self.door.idle_s, self._look_whether_idle)

    def _look_whether_idle(self) -> None:
        """Close a connection that has waited for so long; one that has not is looked at again, later.

        So a request moves a number, and no timer.
        """
        self._idle = None
        if self._waits_since is None:
            return
        left = self._waits_since + self.door.idle_s - self.loop.time()
        if left > 0:
            self._idle = self.loop.call_later(left, self._look_whether_idle)
        else:
            self.door.dropped["idle"] += 1
            self.transport.close()
