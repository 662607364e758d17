"""Requests sent from one thread: at a fixed rate, or as fast as they are answered.

At a fixed rate each request has its moment, whatever became of those before it, and its latency counts from
that moment: a server that stood still is charged for all who would have come meanwhile (no coordinated
omission). Waiting is by select(2), whose time-out has microseconds; those of epoll and of uvloop's timers
have milliseconds, which is what is to be measured.
"""

from __future__ import annotations

import gc
import os
import select
import socket
import ssl
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of requests: latencies in milliseconds, in order of size, and how late the sender was."""

    requests: int
    seconds: float
    latencies_ms: Sequence[float]
    late_p99_ms: float

    @property
    def per_s(self) -> float:
        """Answers a second."""
        return self.requests / self.seconds

    def percentile(self, percent: float) -> float:
        """The latency that so many per cent of the answers did not exceed."""
        return self.latencies_ms[min(int(len(self.latencies_ms) * percent / 100), len(self.latencies_ms) - 1)]


class UnexpectedAnswerError(Exception):
    """An answer has another status, or a connection broke; a figure made of these would be worth nothing."""


def request(method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """The bytes of a request of HTTP/1.1."""
    fields = {"Host": "127.0.0.1", **headers}
    if body:
        fields["Content-Length"] = str(len(body))
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode() + body


def send(
    port: int,
    requests: Sequence[bytes],
    *,
    connections: int,
    per_s: float | None = None,
    seconds: float = TIMEOUT_S,
    status: int = 200,
    core: int | None = None,
    authority: Path | None = None,
) -> Sent:
    """Send requests to 127.0.0.1, in their order over so many connections, pinned to a core.

    Where an `authority` is given they are of TLS, to a server that it has certified.

    It ends when all are answered, or those that were sent within so many seconds.

    Raises:
        UnexpectedAnswerError: an answer has not this status, or a connection broke.
    """
    if core is not None:
        os.sched_setaffinity(0, {core})
    gc.collect()
    gc.disable()
    tls = ssl.create_default_context(cafile=authority) if authority is not None else None
    every = [_Connection(port, status, tls) for _ in range(connections)]
    try:
        return _send(list(every), requests, per_s, seconds)
    finally:
        gc.enable()
        for connection in every:
            connection.socket.close()


def _send(idle: list[_Connection], requests: Sequence[bytes], per_s: float | None, most: float) -> Sent:
    clock: Callable[[], float] = time.perf_counter
    busy: dict[socket.socket, _Connection] = {}
    latencies, late = list[float](), list[float]()
    pause = 1 / per_s if per_s else 0.0
    began = clock() + 0.01
    number, total = 0, len(requests)
    while len(latencies) < total:
        now = clock()
        if now - began > most:
            total = number
            if len(latencies) == total:
                break
        while number < total and idle and (due := began + number * pause) <= now:
            connection = idle.pop()
            moment = due if per_s else now
            late.append(now - moment)
            connection.begin(requests[number], moment)
            busy[connection.socket] = connection
            number += 1
            now = clock()
        until_next = max(began + number * pause - now, 0) if number < total and idle else TIMEOUT_S
        readable, _, _ = select.select(list(busy), [], [], until_next)
        if not readable and until_next == TIMEOUT_S:
            raise UnexpectedAnswerError(f"no answer within {TIMEOUT_S:.0f} s")
        for one in readable:
            connection = busy[one]
            if connection.has_answer():
                latencies.append((clock() - connection.since) * 1000)
                del busy[one]
                idle.append(connection)
    seconds = clock() - began
    late_p99 = statistics.quantiles(late, n=100)[98] * 1000 if len(late) > 1 else 0.0
    return Sent(total, seconds, sorted(latencies), late_p99)


class _Connection:
    """A connection with one request under way at most; answers have a Content-Length."""

    def __init__(self, port: int, status: int, tls: ssl.SSLContext | None) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_hostname="127.0.0.1")
        self.since = 0.0
        self._begins = f"HTTP/1.1 {status} ".encode()
        self._read = b""

    def begin(self, content: bytes, moment: float) -> None:
        """Send a request, whose latency counts from a moment."""
        self.since = moment
        self._read = b""
        self.socket.sendall(content)

    def has_answer(self) -> bool:
        """Read on; whether the answer is whole."""
        read = self.socket.recv(65536)
        # What TLS has taken from the socket already makes no select() return.
        while isinstance(self.socket, ssl.SSLSocket) and self.socket.pending():
            read += self.socket.recv(65536)
        self._read += read
        head, blank, body = self._read.partition(b"\r\n\r\n")
        if not read or (blank and not head.startswith(self._begins)):
            raise UnexpectedAnswerError(self._read[:2000].decode("utf-8", "replace"))
        if not blank:
            return False
        _, _, length = head.lower().partition(b"content-length:")
        return len(body) >= int(length.partition(b"\r\n")[0])
