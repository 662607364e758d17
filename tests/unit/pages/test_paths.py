"""Paths that somebody else may have written: browsers must read them as paths of our own origin."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.pages.paths import LONGEST_PATH, local_path

ORIGIN = "https://account.example"


@pytest.mark.parametrize("path", ["/", "/account", "/authorize?client_id=a%2Fb&x=//y", "/a/b.c?d=e#f"])
def test_a_path_of_our_own_stays(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "account",
        "//evil.example",
        "/\\evil.example",
        "/a//b",
        "/../x",
        "/a/..",
        "/a/%2e%2E/b",
        "/a/.%2e/b",
        "/a\tb",
        "/a\nb",
        "/é",
        "https://evil.example/",
        "javascript:alert(1)",
        "/" + "a" * LONGEST_PATH,
    ],
)
def test_what_could_lead_elsewhere_is_no_path(path: str) -> None:
    assert local_path(path) is None


@given(st.text(alphabet="/\\.%2eE:@?#ab \t\n\x00é", max_size=20))
def test_whatever_is_taken_leads_to_our_own_origin(text: str) -> None:
    path = local_path(text)
    if path is not None:
        # Browsers read backslashes as slashes, and leave tabs and line ends out (URL Standard §4.4).
        read = path.replace("\\", "/").translate({9: None, 10: None, 13: None})
        assert urlsplit(urljoin(f"{ORIGIN}/x", read)).netloc == "account.example"
