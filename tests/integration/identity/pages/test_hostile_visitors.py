"""What visitors try who want to keep others out, or to guess from where they have found a browser open."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from lienthong.kit.policy import Grant, Role
from tests.integration.identity.pages.harness import forms_of
from tests.integration.identity.people.harness import HOME, PASSWORD
from tests.integration.identity.people.test_signing_in import refused

if TYPE_CHECKING:
    from tests.integration.identity.pages.harness import Browser, Desk

STALLED = 600
"""Forms of 32 KiB that say they come: more than there is room for."""


async def test_forms_that_never_come_take_no_room_from_others(desk: Desk, browser: Browser) -> None:
    await desk.office.person("an")
    page = await browser.open("/sign-in")
    cookie = "; ".join(f"{name}={value}" for name, value in browser.http.cookies.items())
    stalled = [asyncio.create_task(_stalled(desk, cookie)) for _ in range(STALLED)]
    await asyncio.sleep(0)
    fields = forms_of(page)["/sign-in"].fields | {"login": "an@example.vn", "password": PASSWORD}
    answer = await browser.post("/sign-in", fields)
    assert answer.url.path == "/account"
    turned_away = [task for task in stalled if task.done()]
    assert STALLED - len(turned_away) == 32, "one network's share of the room"
    for task in stalled:
        task.cancel()
    await asyncio.gather(*stalled, return_exceptions=True)


async def test_a_form_without_our_cookie_is_refused_before_it_has_come(desk: Desk) -> None:
    async with asyncio.timeout(30):
        assert await _stalled(desk, "") == 403


async def test_what_is_drawn_is_what_was_made_here_whatever_the_form_says(
    desk: Desk, browser: Browser
) -> None:
    page = await browser.open("/sign-in")
    token = next(iter(forms_of(page).values())).fields["form_token"]
    began, number = time.process_time(), 20
    for _ in range(number):
        page = await browser.post(
            "/sign-in/enrol", {"form_token": token, "code": "1", "uri": "\N{GRINNING FACE}" * 500}
        )
        assert ("<svg" in page.text, 'name="password"' in page.text) == (False, True)
    of_others = time.process_time() - began
    began = time.process_time()
    for _ in range(number):
        await browser.post("/sign-in/enrol", {"form_token": token, "code": "1"})
    assert of_others < 3 * (time.process_time() - began) + 0.1

    person = await desk.office.person("chi", Grant(Role.SECURITY_OFFICER, "H11.05"))
    await browser.open("/sign-in")
    page = await browser.send("/sign-in", login=person.account.login, password=PASSWORD)
    drawn = page.text[page.text.index("<svg") : page.text.index("</svg>")]
    page = await browser.send("/sign-in/enrol", code="000000")
    assert drawn in page.text, "what a telephone has read stays good"


async def test_the_password_is_not_guessed_where_somebody_is_signed_in(desk: Desk, browser: Browser) -> None:
    await desk.office.person("an")
    await browser.open("/sign-in")
    await browser.send("/sign-in", login="an@example.vn", password=PASSWORD)
    await browser.open("/account/password")
    new = "a new long password"
    guessed = [
        (await browser.send("/account/password", old=f"wrong {number}", new=new)).status_code
        for number in range(12)
    ]
    assert guessed == [403] * 10 + [429] * 2
    page = await browser.send("/account/password", old=PASSWORD, new=new)
    assert page.status_code == 429
    desk.office.clock.advance(61)
    page = await browser.send("/account/password", old=PASSWORD, new=new)
    assert page.url.params["done"] == "password"


async def test_who_uses_up_the_sign_ins_of_a_network_stops_no_known_device(desk: Desk) -> None:
    person = await desk.office.person("an")
    begun = await person.sign_in()
    signs_in = desk.office.sign_ins
    while (problem := await _begins(desk)) is None:
        pass
    assert problem == "rate-limited"
    assert await refused(signs_in.password("an@example.vn", PASSWORD, HOME)) == "rate-limited"
    assert await refused(signs_in.password("an@example.vn", PASSWORD, HOME, "no device")) == "rate-limited"
    assert begun.device is not None
    await signs_in.password("an@example.vn", PASSWORD, HOME, begun.device)
    await signs_in.begin_passkey(HOME, begun.device)


async def _begins(desk: Desk) -> str | None:
    try:
        await desk.office.sign_ins.begin_passkey(HOME)
    except Exception as problem:  # noqa: BLE001 - whatever it is, the test says what it expects
        return str(getattr(problem, "code", problem))
    return None


async def _stalled(desk: Desk, cookie: str) -> int:
    """A form that is announced and does not come; the status of the answer, if there is one."""
    statuses: list[int] = []
    headers = {
        "host": "account.example",
        "cookie": cookie,
        "content-type": "application/x-www-form-urlencoded",
        "content-length": "32768",
    }
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "https",
        "path": "/sign-in",
        "raw_path": b"/sign-in",
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items() if value],
        "client": ("203.0.113.5", 1),
        "server": ("account.example", 443),
    }

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(3600)
        raise AssertionError

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await desk.app(scope, receive, send)  # type: ignore[operator]
    return statuses[0]
