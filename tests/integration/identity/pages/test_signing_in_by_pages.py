"""People sign in by pages, without scripts: from the first link to the own account and out again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyotp
import pytest

from lienthong.kit.policy import Grant, Role
from tests.integration.identity.pages.harness import LOGIN, NAME, PEOPLE, Browser, Desk
from tests.integration.identity.people.harness import PASSWORD

if TYPE_CHECKING:
    import httpx


_SECRET = 'class="secret">([A-Z2-7 ]+)<'


async def sign_in(browser: Browser, login: str = LOGIN, onward: str = "/account") -> httpx.Response:
    await browser.open(f"/sign-in?next={onward}")
    return await browser.send("/sign-in", login=login, password=PASSWORD)


async def enrol(desk: Desk, browser: Browser) -> tuple[str, list[str]]:
    """Sign in for the first time; gives the secret of the application, and the recovery codes."""
    page = await sign_in(browser)
    assert page.url.path == "/sign-in/enrol"
    shown = browser.text(_SECRET)
    wrong = await browser.send("/sign-in/enrol", code="000000")
    assert (wrong.status_code, browser.text(_SECRET)) == (403, shown)
    secret = shown.replace(" ", "")
    code = pyotp.TOTP(secret).at(desk.office.clock.now())
    page = await browser.send("/sign-in/enrol", code=code)
    assert page.status_code == 200, page.text
    codes = [line.split("<")[0] for line in page.text.split("<li>")[1:]]
    assert len(codes) == 10
    return secret, codes


async def test_the_first_administrator_comes_in_by_the_link_and_goes_out_again(
    desk: Desk, browser: Browser
) -> None:
    await desk.first_administrator(browser, PASSWORD)
    secret, codes = await enrol(desk, browser)
    page = await browser.open("/account")
    assert NAME in page.text
    assert "còn 10 mã chưa dùng" in page.text
    assert codes[0] not in page.text
    page = await browser.send("/sign-out")
    assert (page.url.path, "đã đăng xuất" in page.text) == ("/sign-in", True)
    assert (await browser.open("/account")).url.path == "/sign-in"
    desk.office.clock.advance(30)
    assert (await sign_in(browser)).url.path == "/sign-in/second-factor"
    page = await browser.send("/sign-in/second-factor", code=pyotp.TOTP(secret).at(desk.office.clock.now()))
    assert page.url.path == "/account"
    async with desk.browser() as other:
        await sign_in(other)
        await other.open("/sign-in/recovery-code")
        page = await other.send("/sign-in/recovery-code", code=codes[3].lower())
        assert (page.url.path, "còn 9 mã" in page.text) == ("/account", True)


async def test_a_session_that_is_ended_elsewhere_is_out_with_the_next_request(
    desk: Desk, browser: Browser
) -> None:
    await desk.office.person("binh", Grant(Role.DEVELOPER, "H11.05"))
    await sign_in(browser, "binh@example.vn")
    desk.office.clock.advance(60)
    async with desk.browser() as other:
        page = await sign_in(other, "binh@example.vn")
        # The own one has no such form: it is ended by signing out.
        assert page.text.count("/account/sessions/end") == 1
        page = await other.send("/account/sessions/end")
        assert (page.url.path, "Phiên đã kết thúc" in page.text) == ("/account", True)
    assert (await browser.open("/account")).url.path == "/sign-in"


@pytest.mark.parametrize(
    "onward",
    [
        "https://evil.example/account",
        "//evil.example/account",
        "/\\evil.example/account",
        "/account/../sign-out",
        "/account/%2e%2e/authorize",
        "/authorize",
        "/accounts",
        "/sign-out",
        "javascript:alert(1)",
        "/account\r\nSet-Cookie: x=1",
        "/account?" + "x" * 5_000,
        "\x00",
    ],
)
async def test_a_way_on_that_is_not_ours_leads_to_the_own_account(
    desk: Desk, browser: Browser, onward: str
) -> None:
    await desk.office.person("binh")
    await browser.open("/sign-in")
    page = await browser.send("/sign-in", login="binh@example.vn", password=PASSWORD, next=onward)
    assert str(page.url) == f"{PEOPLE}/account" or page.status_code == 400


async def test_the_way_to_a_client_goes_by_a_page_as_redirects_after_forms_may_not_leave(
    desk: Desk, browser: Browser
) -> None:
    await desk.office.person("binh")
    onward = "/authorize?client_id=x&amp=1"
    await browser.open("/sign-in")
    page = await browser.send("/sign-in", login="binh@example.vn", password=PASSWORD, next=onward)
    assert page.status_code == 200
    assert 'http-equiv="refresh" content="0; url=/authorize?client_id=x&amp;amp=1"' in page.text
