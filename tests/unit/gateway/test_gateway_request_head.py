"""What the provider is told in the head of a request."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lienthong.gateway.answer import own_headers
from lienthong.gateway.call import Call
from lienthong.gateway.forward import _rest_of_head
from lienthong.gateway.headers import read_headers


def rest_of_head(method: str = "GET", length: int | None = 0, **known: str) -> bytes:
    call = Call("tx-1", datetime(2026, 11, 23, tzinfo=UTC), method, b"/", b"", None)
    for name, value in known.items():
        setattr(call, name, value)
    inbound = read_headers([(b"accept", b"a")], max_bytes=1000, max_count=10)
    return _rest_of_head(call, inbound, own_headers(call), length)


def test_what_the_caller_sent_comes_first_then_what_the_gateway_says() -> None:
    assert rest_of_head(client="C/c", purpose="p") == (
        b"\r\naccept: a\r\nlgsp-transaction-id: tx-1\r\nlgsp-client: C/c\r\nlgsp-purpose: p\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("method", "length", "framing"),
    [
        ("GET", 0, b""),
        ("DELETE", 3, b"\r\ncontent-length: 3"),
        ("POST", 0, b"\r\ncontent-length: 0"),
        ("POST", 12, b"\r\ncontent-length: 12"),
        ("PUT", None, b"\r\ntransfer-encoding: chunked"),
    ],
)
def test_a_body_is_framed_in_one_way(method: str, length: int | None, framing: bytes) -> None:
    assert rest_of_head(method, length) == (
        b"\r\naccept: a\r\nlgsp-transaction-id: tx-1" + framing + b"\r\n\r\n"
    )


@pytest.mark.parametrize("value", ["a\r\nlgsp-client: other", "a\nb", "a\rb"])
def test_no_value_can_begin_a_line_of_its_own(value: str) -> None:
    with pytest.raises(RuntimeError):
        rest_of_head(agreement=value)
