"""When two spellings of an address are the same one (RFC 3986 section 6.2)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.kit.request_uri import normal_uri

SAME = [
    ("https://api.example/a/b", "https://api.example/a/b"),
    ("HTTPS://API.Example/a/b", "https://api.example/a/b"),
    ("https://api.example:443/a", "https://api.example/a"),
    ("https://api.example:/a", "https://api.example/a"),
    ("http://api.example:80/a", "http://api.example/a"),
    ("http://api.example:443/a", "http://api.example:443/a"),
    ("https://api.example", "https://api.example/"),
    ("https://api.example?x=1", "https://api.example/"),
    ("https://api.example/a?x=1#y", "https://api.example/a"),
    ("https://api.example/%61%7e%2f%c3", "https://api.example/a~%2F%C3"),
    ("https://api.example/a/./b/../c", "https://api.example/a/c"),
    ("https://api.example/../../a/..", "https://api.example/"),
    ("https://api.example/a/b/.", "https://api.example/a/b/"),
    ("https://[2001:DB8::1]:8443/a", "https://[2001:db8::1]:8443/a"),
]
NONE = [
    "", "/a", "api.example/a", "ftp://api.example/a", "https:///a", "https://u@api.example/a", "https://api.example:x/",
    "https://api.example:99999/", "https://api example/", "https://api.example/\n", "https://api.example/ệ",
    "https://[::1/a", "https://api.example/" + "a" * 5000,
]  # fmt: skip


@pytest.mark.parametrize(("spelled", "expected"), SAME)
def test_one_spelling(spelled: str, expected: str) -> None:
    assert normal_uri(spelled) == expected


@pytest.mark.parametrize("text", NONE)
def test_what_is_no_address_of_a_request(text: str) -> None:
    assert normal_uri(text) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [("https://a.example/a", "https://a.example/A"), ("https://a.example/a", "https://a.example/a/"),
     ("https://a.example/a", "http://a.example/a"), ("https://a.example/a%2Fb", "https://a.example/a/b"),
     ("https://a.example/a//b", "https://a.example/a/b")],
)  # fmt: skip
def test_what_names_another_resource_stays_apart(one: str, other: str) -> None:
    assert normal_uri(one) != normal_uri(other)


@given(st.text(max_size=60))
def test_the_spelling_stays_as_it_is(rest: str) -> None:
    first = normal_uri(f"https://api.example/{rest}")
    assert first is None or normal_uri(first) == first
