"""Origins of pages that may read the answers of a service."""

from __future__ import annotations

import pytest

from lienthong.catalog.errors import InvalidValueError
from lienthong.catalog.services.domain.origins import check_origins, origin


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("https://portal.example.vn", "https://portal.example.vn"),
        ("HTTPS://Portal.Example.VN:443", "https://portal.example.vn"),
        ("http://portal.example.vn:80", "http://portal.example.vn"),
        ("http://portal.example.vn:443", "http://portal.example.vn:443"),
        ("https://xn--bnhthun-7wa.vn:8443", "https://xn--bnhthun-7wa.vn:8443"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("*", "*"),
    ],
)
def test_an_origin_is_kept_as_browsers_write_it(written: str, canonical: str) -> None:
    assert origin(written) == canonical
    assert origin(canonical) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "portal.example.vn",
        "//portal.example.vn",
        "https://",
        "https://portal.example.vn/",
        "https://portal.example.vn/path",
        "https://portal.example.vn?x",
        "https://portal.example.vn#x",
        "https://user@portal.example.vn",
        "https://portal.example.vn:0",
        "https://portal.example.vn:65536",
        "https://portal.example.vn:",
        "https://portal..vn",
        "https://bìnhthuận.vn",
        "ftp://portal.example.vn",
        "file://",
        "https://portal.example.vn\n",
        "https://a.vn, https://b.vn",
        "https://" + "a" * 300,
    ],
)
def test_what_no_browser_sends_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError, match="write an origin as"):
        origin(text)


@pytest.mark.parametrize("text", ["https://*.example.vn", "*.example.vn", "https://*", "**"])
def test_whoever_wants_a_pattern_is_told_to_name_each(text: str) -> None:
    with pytest.raises(InvalidValueError, match="an origin is named whole"):
        origin(text)


def test_every_origin_stands_alone() -> None:
    assert check_origins(["*"]) == ["*"]
    with pytest.raises(InvalidValueError, match="allows every page"):
        check_origins(["https://portal.example.vn", "*"])
