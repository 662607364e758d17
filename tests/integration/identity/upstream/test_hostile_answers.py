"""Answers that are none to what this browser has asked: nobody is signed in by them, and each attempt is
spent."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from tests.integration.identity.pages.harness import forms_of
from tests.integration.identity.people.harness import PASSWORD
from tests.integration.identity.upstream.harness import NATION, PROVINCE, a_place

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tests.integration.identity.upstream.harness import Place, Visitor


@pytest.fixture
async def place(tmp_path: Path, modules: Path) -> AsyncIterator[Place]:
    """On one database: what is looked at here is no query."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'identity.db'}"
    async with a_place(tmp_path, url, modules) as opened:
        await opened.office.person("an")
        yield opened


async def asked(visitor: Visitor, provider: str = PROVINCE) -> None:
    await visitor.open("/sign-in")
    await visitor.chooses("/sign-in/provider", provider)


async def nobody(visitor: Visitor) -> bool:
    return (await visitor.http.get("/account")).url.path == "/sign-in"


CHANGES: dict[str, tuple[Callable[[dict[str, str]], dict[str, str]], int]] = {
    "no state": (lambda said: {**said, "state": ""}, 403),
    "another state": (lambda said: {**said, "state": "A" * 43}, 403),
    "a state of other letters": (lambda said: {**said, "state": "\u0430" * 43}, 403),
    "another issuer": (lambda said: {**said, "iss": "https://evil.example"}, 403),
    "no issuer": (lambda said: {name: said[name] for name in ("code", "state")}, 403),
    "another code": (lambda said: {**said, "code": "x"}, 403),
    "a huge code": (lambda said: {**said, "code": "x" * 6_000}, 403),
    "a huge query": (lambda said: {**said, "more": "x" * 20_000}, 403),
    "no code": (lambda said: {name: said[name] for name in ("iss", "state")}, 403),
    "an error": (lambda said: {"error": "server_error", "iss": said["iss"], "state": said["state"]}, 403),
    "an error with markup": (
        lambda said: {"error": "<script>alert(1)</script>", "iss": said["iss"], "state": said["state"]},
        403,
    ),
}


async def test_a_changed_answer_signs_nobody_in(place: Place) -> None:
    for case, (change, status) in CHANGES.items():
        async with place.visitor() as visitor:
            await asked(visitor)
            address = await visitor.brought("an")
            parts = urlsplit(address)
            said = change(dict(parse_qsl(parts.query)))
            page = await visitor.http.get(f"{parts.path}?{urlencode(said)}")
            assert page.status_code == status, case
            assert "<script>alert" not in page.text, case
            assert page.headers["LGSP-Transaction-Id"] in page.text, case
            assert await nobody(visitor), case


async def test_a_parameter_that_comes_twice_is_none(place: Place) -> None:
    async with place.visitor() as visitor:
        await asked(visitor)
        address = await visitor.brought("an")
        assert (await visitor.http.get(f"{address}&code=other")).status_code == 403
        assert await nobody(visitor)
        # The browser still waits, and the answer is good.
        assert (await visitor.http.get(address)).url.path == "/account"


async def test_an_answer_is_good_once_and_in_the_browser_that_has_asked(place: Place) -> None:
    async with place.visitor() as visitor, place.visitor() as thief:
        await asked(visitor)
        address = await visitor.brought("an")
        await asked(thief)
        assert (await thief.http.get(address)).status_code == 403
        assert await nobody(thief)
        cookies = dict(visitor.http.cookies)
        assert (await visitor.http.get(address)).url.path == "/account"
        # Again, with all that the browser had when it was good.
        async with place.visitor() as again:
            again.http.cookies.update({n: v for n, v in cookies.items() if n.startswith("__Host-upstream-")})
            assert (await again.http.get(address)).status_code == 403
            assert await nobody(again)


async def test_two_who_bring_one_answer_at_once_are_signed_in_once(place: Place) -> None:
    async with place.visitor() as visitor:
        await asked(visitor)
        address = await visitor.brought("an")
        cookies = dict(visitor.http.cookies)

        async def bring() -> int:
            async with place.visitor() as one:
                one.http.cookies.update(cookies)
                return (await one.http.get(address, follow_redirects=False)).status_code

        assert sorted(await asyncio.gather(*[bring() for _ in range(5)])) == [303, 403, 403, 403, 403]


async def test_the_answer_of_one_provider_is_none_of_another(place: Place) -> None:
    async with place.visitor() as visitor:
        await asked(visitor)
        address = await visitor.brought("an")
        mixed = address.replace(f"/upstream/{PROVINCE}/", f"/upstream/{NATION}/")
        assert (await visitor.http.get(mixed)).status_code == 403
        # It is spent.
        assert (await visitor.http.get(address)).status_code == 403
        assert (await visitor.http.get(address.replace(PROVINCE, "other"))).status_code == 404
        assert await nobody(visitor)


async def test_an_answer_that_comes_too_late_is_none(place: Place) -> None:
    async with place.visitor() as visitor:
        await asked(visitor)
        address = await visitor.brought("an")
        place.clock.advance(601)
        assert (await visitor.http.get(address)).status_code == 403


async def test_who_turns_back_there_is_told_so_here(place: Place) -> None:
    async with place.visitor() as visitor:
        await asked(visitor)
        page = await visitor.says("nobody that the provider knows")
        assert (page.status_code, "đã không đăng nhập cho bạn (access_denied)" in page.text) == (403, True)
        assert 'href="/sign-in"' in page.text


@pytest.mark.parametrize(
    "onward",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/account/../x"],
)
async def test_nobody_is_led_elsewhere_afterwards(place: Place, onward: str) -> None:
    async with place.visitor() as visitor:
        page = await visitor.open("/sign-in")
        fields = forms_of(page)["/sign-in/provider"].fields | {"provider": PROVINCE, "next": onward}
        visitor.page = await visitor.post("/sign-in/provider", fields)
        address = visitor.text(r'url=(http[^"]+)"').replace("&amp;", "&")
        visitor.page = await visitor.http.get(address)
        assert (await visitor.says("an")).url.path == "/account"


async def test_forms_of_others_begin_nothing(place: Place) -> None:
    async with place.visitor() as visitor:
        for path in ("/sign-in/provider", "/account/providers", "/invitation/provider"):
            page = await visitor.post(path, {"provider": PROVINCE}, Origin="https://evil.example")
            assert page.status_code == 403
        await visitor.open("/sign-in")
        assert (await visitor.send("/sign-in/provider", provider="other")).status_code == 404


async def test_a_link_needs_the_session_that_has_asked_for_it(place: Place) -> None:
    async with place.visitor() as visitor:
        await visitor.open("/sign-in")
        await visitor.send("/sign-in", login="an@example.vn", password=PASSWORD)
        await visitor.open("/account")
        await visitor.chooses("/account/providers", NATION)
        address = await visitor.brought("binh")
        await visitor.open("/account")
        await visitor.send("/sign-out")
        assert (await visitor.http.get(address)).status_code == 403
        assert await place.office.records("person.link-provider") == []


async def test_a_provider_that_is_away_is_told_in_words_and_holds_up_nobody_else(
    tmp_path: Path, modules: Path
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'identity.db'}"
    async with a_place(tmp_path, url, modules, run=(PROVINCE,)) as place:
        await place.office.person("an")
        async with place.visitor() as visitor:
            await visitor.open("/sign-in")
            page = await visitor.send("/sign-in/provider", provider=NATION)
            assert (page.status_code, "hiện không phản hồi đúng" in page.text) == (503, True)
            assert "LGSP-Transaction-Id" in page.headers
            await asked(visitor)
            assert (await visitor.says("an")).url.path == "/account"


async def test_a_provider_that_says_who_has_signed_out_there_is_heard(place: Place) -> None:
    async with place.visitor() as visitor:
        await asked(visitor)
        assert (await visitor.says("an")).url.path == "/account"
        for form in ({}, {"logout_token": "x"}, {"logout_token": "a.b.c"}):
            answer = await visitor.http.post(f"/upstream/{PROVINCE}/back-channel-logout", data=form)
            assert (answer.status_code, answer.json()) == (400, {"error": "invalid_request"})
        answer = await visitor.http.post(f"/upstream/{PROVINCE}/back-channel-logout", content=b"x" * 50_000)
        assert answer.status_code == 400
        answer = await visitor.http.post("/upstream/other/back-channel-logout", data={"logout_token": "x"})
        assert answer.status_code == 404
        assert not await nobody(visitor)
