"""What other sites, and whoever builds requests by hand, get from these pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lienthong.pages.forms import MAX_FORM, TOKEN_FIELD
from tests.integration.identity.pages.harness import PEOPLE, Browser, Desk, forms_of
from tests.integration.identity.people.harness import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Callable

FORM = "application/x-www-form-urlencoded"


async def filled_in(browser: Browser) -> dict[str, str]:
    """The fields of a form that would sign somebody in."""
    page = await browser.open("/sign-in")
    return forms_of(page)["/sign-in"].fields | {"login": "binh@example.vn", "password": PASSWORD}


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://account.example"},
        {"Origin": f"{PEOPLE}.evil.example"},
        {"Origin": f"{PEOPLE}:444"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
async def test_a_form_that_comes_from_elsewhere_is_refused(
    desk: Desk, browser: Browser, headers: dict[str, str]
) -> None:
    await desk.office.person("binh")
    answer = await browser.post("/sign-in", await filled_in(browser), **headers)
    assert (answer.status_code, answer.headers["lgsp-error"]) == (403, "form-refused")
    assert "__Host-session" not in browser.http.cookies


@pytest.mark.parametrize(
    "change",
    [
        lambda fields: fields.pop(TOKEN_FIELD),
        lambda fields: fields.update({TOKEN_FIELD: ""}),
        lambda fields: fields.update({TOKEN_FIELD: "0" * 64}),
        lambda fields: fields.update({TOKEN_FIELD: "é"}),
    ],
)
async def test_a_form_without_the_token_of_this_browser_is_refused(
    desk: Desk, browser: Browser, change: Callable[[dict[str, str]], object]
) -> None:
    await desk.office.person("binh")
    fields = await filled_in(browser)
    change(fields)
    assert (await browser.post("/sign-in", fields)).headers["lgsp-error"] == "form-refused"


async def test_the_token_of_another_browser_is_worth_nothing_here(desk: Desk, browser: Browser) -> None:
    await desk.office.person("binh")
    async with desk.browser() as other:
        fields = await filled_in(other)
    await browser.open("/sign-in")
    assert (await browser.post("/sign-in", fields)).headers["lgsp-error"] == "form-refused"
    browser.http.cookies.clear()
    assert (await browser.post("/sign-in", fields)).headers["lgsp-error"] == "form-refused"


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"login=" + b"a" * MAX_FORM, FORM, 413),
        (b"&".join(b"f%d=1" % n for n in range(21)), FORM, 400),
        (b"login=a&login=b", FORM, 400),
        (b"login=%ff", FORM, 400),
        (b"login=%00", FORM, 400),
        ("login=ế".encode(), FORM, 400),
        (b"nothing", FORM, 400),
        (b"{}", "application/json", 415),
        (b"--x--", "multipart/form-data; boundary=x", 415),
    ],
)
async def test_what_is_no_form_is_refused_before_anything_looks_at_it(
    browser: Browser, body: bytes, content_type: str, status: int
) -> None:
    await browser.open("/sign-in")
    answer = await browser.http.post("/sign-in", content=body, headers={"Content-Type": content_type})
    assert answer.status_code == status
    assert "Mã giao dịch" in answer.text


async def test_cookies_belong_to_this_host_alone(desk: Desk, browser: Browser) -> None:
    await desk.office.person("binh")
    await browser.open("/sign-in")
    browser.http.follow_redirects = False
    page = await browser.send("/sign-in", login="binh@example.vn", password=PASSWORD)
    given = page.headers.get_list("set-cookie")
    assert {cookie.partition("=")[0] for cookie in given} == {
        "__Host-session",
        "__Host-sign-in",
        "__Host-passkey-sign-in",
        "__Host-device",
    }
    for cookie in given:
        assert {"HttpOnly", "Secure", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
        assert "Domain" not in cookie


async def test_every_answer_has_the_headers_of_pages(browser: Browser) -> None:
    for path, status in (
        ("/sign-in", 200),
        ("/nothing-here", 404),
        ("/account", 303),
        ("/sign-in?x=%ff", 400),
    ):
        answer = await browser.http.get(path, follow_redirects=False)
        assert answer.status_code == status
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["strict-transport-security"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert len(answer.headers["lgsp-transaction-id"]) == 36


async def test_a_transaction_id_that_a_browser_sends_is_not_ours(browser: Browser) -> None:
    answer = await browser.http.get("/nothing-here", headers={"LGSP-Transaction-Id": "mine"})
    assert answer.headers["lgsp-transaction-id"] != "mine"
    assert answer.headers["lgsp-transaction-id"] in answer.text


async def test_what_somebody_types_is_text_on_the_page(browser: Browser) -> None:
    await browser.open("/sign-in")
    page = await browser.send("/sign-in", login='"><script>alert(1)</script>', password="x")
    assert (page.status_code, "<script>alert" in page.text) == (403, False)


async def test_pages_are_read_in_both_languages_and_come_back_where_they_were(browser: Browser) -> None:
    page = await browser.open("/sign-in?next=/account/x")
    assert '<html lang="vi">' in page.text
    page = await browser.send("/preferences", language="en")
    assert '<html lang="en">' in page.text
    assert str(page.url) == f"{PEOPLE}/sign-in?next=/account/x"
    page = await browser.send("/preferences", theme="dark")
    assert '<html lang="en" data-bs-theme="dark">' in page.text
    page = await browser.send("/preferences", theme="<b>", language="fr", back="//evil.example")
    assert page.url.host == "account.example"


async def test_files_beside_pages_are_kept_and_packed(browser: Browser) -> None:
    page = await browser.open("/sign-in")
    addresses = [part.split('"')[0] for part in page.text.split('"/static/')[1:]]
    assert len(addresses) >= 4
    size = len(page.content)
    for address in set(addresses):
        answer = await browser.http.get(f"/static/{address}")
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-encoding"] == "gzip"
        size += int(answer.headers["content-length"])
    assert size < 100_000
    assert (await browser.http.get("/static/0000000000000000/house.css")).status_code == 404


async def test_somebody_who_failed_too_often_is_told_what_to_do(desk: Desk, browser: Browser) -> None:
    await desk.office.person("binh")
    for _ in range(10):
        await browser.open("/sign-in")
        assert (await browser.send("/sign-in", login="binh@example.vn", password="x")).status_code == 403
    page = await browser.send("/sign-in", login="binh@example.vn", password=PASSWORD)
    assert (page.status_code, page.headers["retry-after"]) == (429, "60")
    assert "Đăng nhập sai quá nhiều lần" in page.text
    assert "dùng thiết bị đã từng đăng nhập" in page.text
