"""A client and a provider that show the bytes: what is sent is written out, what comes is kept as it came."""

from __future__ import annotations

import socket
import socketserver
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


def exchange(address: str, request: bytes, *, timeout_s: float = 60) -> bytes:
    """Send the bytes of one request to `http://host:port`, and return everything until the other side closes.

    The request says `Connection: close`.
    """
    parts = urlsplit(address)
    with socket.create_connection((parts.hostname, parts.port), timeout=timeout_s) as connection:
        connection.sendall(request)
        received = b""
        while part := connection.recv(65_536):
            received += part
    return received


def head(method: str, target: str, *fields: str, body: bytes | None = None) -> bytes:
    """The bytes of a request; with a body its length is announced."""
    lines = [f"{method} {target} HTTP/1.1", "Host: gateway.test", "Connection: close", *fields]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join((*lines, "", "")).encode() + (body or b"")


def status(answer: bytes) -> int:
    """The status of an answer."""
    return int(answer.split(b" ", 2)[1])


def body(answer: bytes) -> bytes:
    """The body of an answer that is not chunked."""
    return answer.partition(b"\r\n\r\n")[2]


class Provider:
    """Answers every request with 200 and keeps the first line of each."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        lines = self.lines

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                while first := self.rfile.readline():
                    lines.append(first.rstrip(b"\r\n"))
                    length = 0
                    while (line := self.rfile.readline()) not in {b"\r\n", b""}:
                        if line.lower().startswith(b"content-length:"):
                            length = int(line.split(b":")[1])
                    self.rfile.read(length)
                    self.wfile.write(OK)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    @contextmanager
    def running(self) -> Iterator[Provider]:
        """Answer while the block lasts."""
        thread = threading.Thread(target=self._server.serve_forever)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()
