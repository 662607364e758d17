"""Base addresses of providers are taken apart once, and what cannot be one is refused."""

from __future__ import annotations

import pytest

from lienthong.gateway.http1.address import Address, Origin
from lienthong.gateway.http1.upstreams import Upstreams


@pytest.mark.parametrize(
    ("text", "origin", "authority", "path"),
    [
        ("http://10.0.0.5", Origin("10.0.0.5", 80, tls=False), b"10.0.0.5", b""),
        ("http://10.0.0.5:8201/base", Origin("10.0.0.5", 8201, tls=False), b"10.0.0.5:8201", b"/base"),
        ("https://land.example", Origin("land.example", 443, tls=True), b"land.example", b""),
        ("https://land.example:443/", Origin("land.example", 443, tls=True), b"land.example", b""),
        ("https://land.example:80/a/b//", Origin("land.example", 80, tls=True), b"land.example:80", b"/a/b"),
        ("http://land.example:443", Origin("land.example", 443, tls=False), b"land.example:443", b""),
        ("HTTP://LAND.example/A", Origin("land.example", 80, tls=False), b"land.example", b"/A"),
        ("http://[::1]", Origin("::1", 80, tls=False), b"[::1]", b""),
        ("https://[fd00::5]:8443/x", Origin("fd00::5", 8443, tls=True), b"[fd00::5]:8443", b"/x"),
    ],
)
def test_an_address_is_taken_apart(text: str, origin: Origin, authority: bytes, path: bytes) -> None:
    address = Address.parse(text)
    assert (address.origin, address.authority, address.path) == (origin, authority, path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "http://",
        "http:///path",
        "https://:443",
        "10.0.0.5:8201",
        "land.example",
        "ftp://land.example",
        "unix:///run/provider",
        "http://land.example:port",
        "http://land.example:65536",
        "http://land.example:-1",
        "http://[::1",
        "http://[land]",
        "http://ấp.example",
        "http://land.example/ấp",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  some of the messages are urlsplit's
        Address.parse(text)


def test_an_address_keeps_its_text() -> None:
    assert Address.parse("https://land.example/base/").text == "https://land.example/base"


def test_a_certificate_is_for_the_name_without_the_dot_that_makes_it_absolute() -> None:
    origin = Address.parse("https://land.example.").origin
    assert (origin.host, origin.name) == ("land.example.", "land.example")


def test_addresses_are_taken_in_turn_each_once() -> None:
    upstreams = Upstreams(["http://a", "http://b", "http://c"])
    found = [b"".join(address.authority for address in upstreams.in_order()) for _ in range(4)]
    assert found == [b"abc", b"bca", b"cab", b"abc"]


def test_one_bad_address_is_told_at_once() -> None:
    with pytest.raises(ValueError, match="ftp://b"):
        Upstreams(["http://a", "ftp://b"])


def test_each_round_begins_with_an_address_as_often_as_its_weight_says_and_evenly() -> None:
    upstreams = Upstreams(["http://a", "http://b"], weights=(30, 10))
    begun = b"".join(upstreams.in_order()[0].authority for _ in range(8))
    assert begun == b"aabaaaba"


def test_there_is_one_weight_for_each_address() -> None:
    with pytest.raises(ValueError, match="zip"):
        Upstreams(["http://a", "http://b"], weights=(1,))
