"""What the provider is told in the head of a request."""

from __future__ import annotations

import pytest

from lienthong.gateway.http1.address import Address
from lienthong.gateway.http1.fields import written
from lienthong.gateway.http1.request import provider_request
from lienthong.gateway.request_headers import read_headers

ADDRESS = Address.parse("http://land.example/base")
HEAD = b" /base/x?y HTTP/1.1\r\nhost: land.example"


def rest_of_head(method: str = "GET", length: int | None = 0, **known: str) -> bytes:
    """What follows the Host field."""
    own = written(
        (f"lgsp-{name}".encode(), value.encode())
        for name, value in {"transaction-id": "tx-1", **known}.items()
    )
    request = provider_request(
        method,
        b"/x?y",
        passed=read_headers([(b"accept", b"a")], max_bytes=1000, max_count=10).passed,
        own=own,
        authorization=None,
        length=length,
        body=b"",
    )
    sent = request.to(ADDRESS)
    beginning = method.encode() + HEAD
    assert sent.startswith(beginning)
    return sent.removeprefix(beginning)


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


def test_the_platforms_own_services_get_the_authorization_and_a_small_body_goes_with_the_head() -> None:
    request = provider_request(
        "POST", b"/", passed=[], own=[], authorization=b"Bearer x", length=2, body=b"{}"
    )
    assert request.to(Address.parse("https://[fd00::5]:8443")) == (
        b"POST / HTTP/1.1\r\nhost: [fd00::5]:8443\r\nauthorization: Bearer x\r\ncontent-length: 2\r\n\r\n{}"
    )
