"""What a provider says of its own address leads callers through the gateway."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.gateway.http1.address import Address
from lienthong.gateway.http1.fields import written
from lienthong.gateway.locations import public_location, public_locations

PREFIX = b"/api/H11.05/land/parcels-v1"
ROOT = "http://10.0.0.5:8201"
BASE = "http://10.0.0.5:8201/base"
TLS = "https://Land.Example/base/v1"


def public(value: str, address: str) -> str:
    return public_location(value.encode(), Address.parse(address), PREFIX).decode()


@pytest.mark.parametrize(
    ("address", "value", "rest"),
    [
        (ROOT, "http://10.0.0.5:8201/parcels/7", "/parcels/7"),
        (ROOT, "http://10.0.0.5:8201/", "/"),
        (ROOT, "http://10.0.0.5:8201", ""),
        (ROOT, "http://10.0.0.5:8201?a=b", "?a=b"),
        (ROOT, "http://10.0.0.5:8201/parcels?next=/../x#part", "/parcels?next=/../x#part"),
        (ROOT, "HTTP://10.0.0.5:8201/Parcels", "/Parcels"),
        (ROOT, "//10.0.0.5:8201/parcels", "/parcels"),
        (ROOT, "http://10.0.0.5:8201//evil.example/x", "//evil.example/x"),
        (ROOT, "/parcels/7", "/parcels/7"),
        (ROOT, "/", "/"),
        (ROOT, "/thửa đất/1", "/thửa đất/1"),
        (ROOT, "/\\evil.example", "/\\evil.example"),
        (BASE, "http://10.0.0.5:8201/base/parcels/7?a=b", "/parcels/7?a=b"),
        (BASE, "http://10.0.0.5:8201/base", ""),
        (BASE, "http://10.0.0.5:8201/base#part", "#part"),
        (BASE, "/base/parcels/7", "/parcels/7"),
        (BASE, "/base/..parcels/.x/a..", "/..parcels/.x/a.."),
        (TLS, "https://land.example/base/v1/parcels", "/parcels"),
        (TLS, "https://LAND.example:443/base/v1/parcels", "/parcels"),
        ("http://land.example", "http://land.example:80/parcels", "/parcels"),
        ("http://[fd00::5]:8201", "http://[FD00::5]:8201/parcels", "/parcels"),
    ],
)
def test_what_is_below_the_address_is_below_the_public_path(address: str, value: str, rest: str) -> None:
    assert public(value, address) == PREFIX.decode() + rest


@pytest.mark.parametrize(
    ("address", "value", "rest"),
    [
        (ROOT, "{prefix}/parcels/7", "/parcels/7"),
        (ROOT, "{prefix}", ""),
        (ROOT, "http://10.0.0.5:8201{prefix}/parcels/7?a#b", "/parcels/7?a#b"),
        # The prefix before the whole path that came, as most frameworks write it.
        (BASE, "http://10.0.0.5:8201{prefix}/base/parcels/7", "/parcels/7"),
        (BASE, "{prefix}/base?a", "?a"),
        # The prefix in place of the base path, as servlet containers write it.
        (BASE, "{prefix}/parcels/7", "/parcels/7"),
        (BASE, "{prefix}/basement", "/basement"),
    ],
)
def test_the_prefix_of_a_provider_that_knows_it_is_not_put_there_twice(
    address: str, value: str, rest: str
) -> None:
    assert public(value.format(prefix=PREFIX.decode()), address) == PREFIX.decode() + rest


@pytest.mark.parametrize(
    ("address", "value"),
    [
        (ROOT, ""),
        (ROOT, "7"),
        (ROOT, "../parcels/7"),
        (ROOT, "?page=2"),
        (ROOT, "#part"),
        (ROOT, "https://10.0.0.5:8201/parcels"),
        (ROOT, "http://10.0.0.5/parcels"),
        (ROOT, "http://10.0.0.5:82011/parcels"),
        (ROOT, "http://10.0.0.50:8201/parcels"),
        (ROOT, "http://10.0.0.5:8201@evil.example/parcels"),
        (ROOT, "http://evil@10.0.0.5:8201/parcels"),
        (ROOT, "http://10.0.0.5:8201.evil.example/parcels"),
        (ROOT, "http://10.0.0.5:8201\\parcels"),
        (ROOT, "//evil.example/parcels"),
        (ROOT, "///evil.example"),
        (ROOT, "ftp://10.0.0.5:8201/parcels"),
        (ROOT, "http:/parcels"),
        (ROOT, "urn:lgsp:parcels"),
        (ROOT, "https://portal.example.vn/x?to=http://10.0.0.5:8201/parcels"),
        (ROOT, "/../parcels"),
        (BASE, "/parcels"),
        (BASE, "/basement"),
        (BASE, "/base/../secret"),
        (BASE, "/base/%2E%2e/secret"),
        (BASE, "/base/..;a/secret"),
        (BASE, "/base/x\\..\\..\\secret"),
        (BASE, "/api/H11.05/land/parcels-v10/7"),
        (TLS, "http://land.example/base/v1/parcels"),
        (TLS, "https://land.example:80/base/v1/parcels"),
    ],
)
def test_what_is_not_the_address_passes_untouched(address: str, value: str) -> None:
    assert public(value, address) == value


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("http://10.0.0.5:8201/login?a", "/login?a"),
        ("http://10.0.0.5:8201", "/"),
        ("http://10.0.0.5:8201?a", "/?a"),
        ("http://10.0.0.5:8201/basement", "/basement"),
        ("http://10.0.0.5:8201/base/../secret", "/base/../secret"),
        ("http://10.0.0.5:8201//evil.example/x", "/evil.example/x"),
        ("http://10.0.0.5:8201/\\evil.example/x", "/evil.example/x"),
        ("http://10.0.0.5:8201/\t/evil.example/x", "/evil.example/x"),
    ],
)
def test_of_the_rest_of_the_origin_the_path_alone_is_told(value: str, path: str) -> None:
    assert public(value, BASE) == path


PARTS = [
    *("http:", "https:", "//", "/", "10.0.0.5:8201", ":80", "@", "evil.example", "\\", "?", "#", " ", "\t"),
    *(PREFIX.decode(), "base", "parcels", "đ", "..", ".", "%2e"),
]
VALUES = st.lists(st.sampled_from(PARTS), max_size=8).map("".join)


@given(VALUES, st.sampled_from([ROOT, BASE]))
def test_no_rewritten_location_leads_to_another_host_or_tells_the_address(value: str, address: str) -> None:
    found = public(value, address)
    # As browsers read it (the URL standard, section 4.4).
    browsers = found.replace("\t", "").replace("\\", "/")
    if found != value:
        assert urlsplit(urljoin("https://gateway.example/x", browsers)).netloc == "gateway.example"
    assert not found.lower().startswith(("http://10.0.0.5:8201/", "//10.0.0.5:8201/"))


def test_each_location_is_rewritten_and_no_other_field() -> None:
    fields = [
        (b"location", b"http://10.0.0.5:8201/parcels/7"),
        (b"link", b"<http://10.0.0.5:8201/parcels/7>"),
        (b"content-location", b"/parcels/7"),
        (b"location", b"https://portal.example.vn/"),
        (b"x-copy", b"\r\nlocation: "),
    ]
    before = written(fields)
    assert public_locations(before, Address.parse(ROOT), PREFIX) == written(
        [
            (b"location", PREFIX + b"/parcels/7"),
            (b"link", b"<http://10.0.0.5:8201/parcels/7>"),
            (b"content-location", PREFIX + b"/parcels/7"),
            (b"location", b"https://portal.example.vn/"),
            (b"x-copy", b"\r\nlocation: "),
        ]
    )
    assert before == written(fields)
