"""What is sent at a fixed rate is charged from its moment on, and an unexpected answer is no figure."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.bench.sender import UnexpectedAnswerError, request, send

if TYPE_CHECKING:
    from collections.abc import Iterator

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@contextmanager
def answering(answer: bytes, pause_s: float = 0.0) -> Iterator[int]:
    """A server of one connection that answers each request, after a pause."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                while connection.recv(65536):
                    time.sleep(pause_s)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(10)


def test_every_request_is_answered() -> None:
    with answering(ANSWER) as port:
        sent = send(port, [request("GET", "/", {})] * 20, connections=1)
    assert sent.requests == len(sent.latencies_ms) == 20
    assert sent.percentile(0) <= sent.percentile(50) <= sent.percentile(100)


def test_a_server_that_is_too_slow_is_charged_for_those_who_waited_to_be_sent() -> None:
    with answering(ANSWER, pause_s=0.01) as port:
        # Due all within a millisecond: the last waits for nine others.
        sent = send(port, [request("GET", "/", {})] * 10, connections=1, per_s=10_000)
    assert sent.percentile(100) >= 90


def test_sending_ends_in_time() -> None:
    with answering(ANSWER, pause_s=0.01) as port:
        sent = send(port, [request("GET", "/", {})] * 1000, connections=1, seconds=0.1)
    assert 1 <= sent.requests <= 11


def test_another_status_is_no_figure() -> None:
    busy = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
    with answering(busy) as port, pytest.raises(UnexpectedAnswerError, match="503"):
        send(port, [request("GET", "/", {})], connections=1)


def test_a_request_with_a_body_says_how_long_it_is() -> None:
    assert request("POST", "/a", {"X": "1"}, b"body") == (
        b"POST /a HTTP/1.1\r\nHost: 127.0.0.1\r\nX: 1\r\nContent-Length: 4\r\n\r\nbody"
    )
