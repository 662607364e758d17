"""Cookies of the pages: their names, and what a request may bring."""

from __future__ import annotations

import pytest
from starlette.requests import Request
from starlette.responses import Response

from lienthong.pages.cookies import LONGEST_COOKIE, Cookies


def request(cookie: str) -> Request:
    return Request({"type": "http", "headers": [(b"cookie", cookie.encode())]})


@pytest.mark.parametrize(
    ("origin", "name"), [("https://account.example", "__Host-session"), ("http://localhost:8091", "session")]
)
def test_browsers_keep_the_name_to_the_host_where_there_is_tls(origin: str, name: str) -> None:
    cookies = Cookies(origin)
    response = Response()
    cookies.set(response, "session", "secret", seconds=60)
    given = response.headers["set-cookie"]
    assert given.startswith(f"{name}=secret; HttpOnly; Max-Age=60; Path=/; SameSite=lax")
    assert ("Secure" in given) == origin.startswith("https")
    assert cookies.read(request(f"{name}=secret"), "session") == "secret"


def test_a_cookie_without_the_prefix_is_not_ours() -> None:
    cookies = Cookies("https://account.example")
    assert cookies.read(request("session=forged"), "session") is None


def test_a_value_that_is_too_long_is_not_looked_at() -> None:
    cookies = Cookies("http://localhost:8091")
    assert cookies.read(request("session=" + "a" * (LONGEST_COOKIE + 1)), "session") is None
    assert cookies.read(request("session="), "session") is None


def test_names_can_begin_with_what_tells_two_sites_of_one_host_apart() -> None:
    assert Cookies("http://localhost:8090", prefix="console-").name("session") == "console-session"
    assert Cookies("https://console.example", prefix="console-").name("session") == "__Host-console-session"
