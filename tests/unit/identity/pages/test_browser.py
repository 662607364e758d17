"""What is made of a browser's request: where it comes from, what the browser is called, where it may go."""

from __future__ import annotations

from typing import Any, cast

import pytest
from starlette.requests import Request

from lienthong.identity.pages.browser import BrowserSessions, next_path
from lienthong.identity.pages.pictures import shown_totp
from lienthong.identity.people.service.factors import NewTotp
from lienthong.pages.browsers import browser_name
from lienthong.pages.cookies import Cookies


def request(*forwarded: str) -> Request:
    headers = [(b"x-forwarded-for", one.encode()) for one in forwarded]
    return Request({"type": "http", "headers": headers, "client": ("10.0.0.9", 1)})


def address(proxies: int, *forwarded: str) -> str:
    browser = BrowserSessions(cast("Any", None), Cookies("http://localhost:8091"), proxies=proxies)
    return browser.origin(request(*forwarded)).address


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, ["192.0.2.1"], "10.0.0.9"),
        (1, ["192.0.2.1"], "192.0.2.1"),
        (1, ["203.0.113.9, 192.0.2.1"], "192.0.2.1"),
        (1, ["203.0.113.9", "192.0.2.1"], "192.0.2.1"),
        (2, ["203.0.113.9, 192.0.2.1, 10.1.1.1"], "192.0.2.1"),
        (2, ["192.0.2.1"], "10.0.0.9"),
        (1, [], ""),
        (1, ["192.0.2.1:4711"], "192.0.2.1"),
        (1, ["[2001:db8::1]:4711"], "2001:db8::1"),
        (1, ["2001:db8::1"], "2001:db8::1"),
        (1, ["unknown"], ""),
        (1, ["x" * 10_000], ""),
    ],
)
def test_failures_are_counted_by_the_address_that_our_own_proxy_saw(
    proxies: int, forwarded: list[str], expected: str
) -> None:
    assert address(proxies, *forwarded) == expected


@pytest.mark.parametrize(
    ("client", "name"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/156.0 Safari/537.36", "Chrome trên Windows"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/156.0 Safari/537.36 Edg/156.0", "Edge trên Windows"),
        ("Mozilla/5.0 (Windows NT 10.0) coc_coc_browser/120 Chrome/114 Safari/537", "Cốc Cốc trên Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Safari/604.1", "Safari trên iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Firefox/150.0", "Firefox trên Linux"),
        ("curl/8.0", "curl/8.0"),
        ("", "Trình duyệt không rõ"),
    ],
)
def test_a_browser_is_called_what_people_call_it(client: str, name: str) -> None:
    assert browser_name(client).vi == name


@pytest.mark.parametrize("path", ["/account", "/account/password", "/account?x=1", "/authorize?a=b"])
def test_the_way_on_is_the_own_account_or_an_application(path: str) -> None:
    assert next_path(path) == path


@pytest.mark.parametrize("path", [None, "", "/", "/authorize", "/accounts", "/sign-out", "//account", "/a"])
def test_any_other_way_on_is_the_own_account(path: str | None) -> None:
    assert next_path(path) == "/account"


def test_a_picture_has_no_markup_of_what_it_draws() -> None:
    shown = shown_totp(NewTotp("<b>" * 3, "<script>" * 20))
    assert shown["groups"] == "<b>< b><b >"
    assert "<script" not in shown["qr"]
    assert shown["qr"].startswith("<svg")
