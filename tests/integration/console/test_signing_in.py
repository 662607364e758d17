"""Signing in to the console and out of it, by its own pages and from elsewhere."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from lienthong.console.errors import CredentialsUnusableError
from lienthong.console.openid import read_key
from lienthong.kit.policy import Grant, Role
from lienthong.relying.attempts import MOST_ATTEMPTS
from tests.integration.console.harness import Place, a_console, onward_of
from tests.integration.console.reading import forms_of, links_of
from tests.integration.identity.openid.harness import answer_of
from tests.integration.identity.people.harness import LAND, OPERATOR

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with a_console(tmp_path) as opened:
        yield opened


async def test_somebody_signs_in_and_out(place: Place) -> None:
    async with place.visitor() as visitor:
        assert 'href="/sign-in"' in (await visitor.home()).text
        home = await visitor.sign_in()
        assert home.status_code == 200
        assert str(home.url) == f"{place.settings.console_url}/"
        assert f"Chủ quản dữ liệu ({LAND})" in home.text
        assert "an@example.vn" in home.text
        assert "Duyệt thoả thuận" in home.text
        assert "Hệ thống<small>" not in home.text
        # Neither side took the other's cookies, although both are on one host.
        account = await visitor.http.get(f"{place.settings.people_url}/account")
        assert account.url.path == "/account"

        fields = forms_of(home)["/sign-out"].fields
        bye = await visitor.send(f"{place.settings.console_url}/sign-out", fields)
        back = await visitor.http.get(onward_of(bye))
        assert onward_of(back) == f"{place.settings.console_url}/"
        welcome = (await visitor.home()).text
        assert 'href="/sign-in"' in welcome
        assert "Bạn đã đăng xuất." in welcome
        assert "Bạn đã đăng xuất." not in (await visitor.home()).text
        account = await visitor.http.get(f"{place.settings.people_url}/account")
        assert account.url.path == "/sign-in"


async def test_the_browser_holds_no_token(place: Place) -> None:
    async with place.visitor() as visitor:
        await visitor.sign_in()
        ours = [one for one in visitor.http.cookies.jar if one.name.startswith("console-")]
        assert {one.name for one in ours} >= {"console-session", "console-form"}
        assert all(len(one.value or "") == 43 for one in ours)


async def test_a_session_that_ends_elsewhere_ends_here_with_the_next_request(place: Place) -> None:
    async with place.visitor() as visitor:
        await visitor.sign_in()
        sessions = place.process.core.people.sessions
        for one in await sessions.of(place.person_id):
            await sessions.end(OPERATOR, place.person_id, one.id)
        page = await visitor.home()
        assert 'href="/sign-in"' in page.text
        assert "an@example.vn" not in page.text
        assert "Phiên của bạn đã kết thúc." in page.text
        assert "Phiên của bạn đã kết thúc." not in (await visitor.home()).text


async def test_roles_are_those_of_the_moment(place: Place) -> None:
    async with place.visitor() as visitor:
        await visitor.sign_in()
        people = place.process.core.people.people
        await people.change_grants(OPERATOR, place.person_id, frozenset({Grant(Role.DEVELOPER, LAND)}))
        page = await visitor.home()
        assert "Chủ quản dữ liệu" not in page.text
        assert "Duyệt thoả thuận" not in page.text


async def test_an_old_access_token_is_followed_by_the_next_one_once(place: Place) -> None:
    async with place.visitor() as visitor:
        await visitor.sign_in()
        (session,) = place.sessions._held.values()
        before = session.tokens
        session.tokens = replace(before, access="old")
        pages = await asyncio.gather(*(visitor.home() for _ in range(5)))
        assert all("an@example.vn" in page.text for page in pages)
        assert session.tokens.refresh != before.refresh


@pytest.mark.parametrize(
    "changed",
    [
        {"state": "x"},
        {"state": "ễ"},
        {"iss": "https://else.example"},
        {"code": ""},
        {"code": "x" * 600},
        {"code": "x"},
    ],
)
async def test_a_wrong_answer_signs_nobody_in(place: Place, changed: dict[str, str]) -> None:
    async with place.visitor() as visitor:
        answer = answer_of(await visitor.answer()) | changed
        page = await visitor.http.get(f"{place.settings.console_url}/signed-in?{urlencode(answer)}")
        assert page.status_code == 403
        assert page.headers["lgsp-error"] == "sign-in-expired"
        assert "Mã giao dịch" in page.text
        assert 'href="/sign-in"' in (await visitor.home()).text


async def test_an_answer_is_good_in_the_browser_that_asked_and_once(place: Place) -> None:
    async with place.visitor() as visitor, place.visitor() as other:
        address = await visitor.answer()
        assert (await other.http.get(address)).status_code == 403
        assert (await visitor.http.get(address)).status_code == 200
        assert (await visitor.http.get(address)).status_code == 403


async def test_two_tabs_sign_in_whichever_comes_first(place: Place) -> None:
    begin = f"{place.settings.console_url}/sign-in"
    async with place.visitor() as visitor:
        first = await visitor.http.get(begin, follow_redirects=False)
        second = await visitor.answer()
        page = await visitor.http.get(first.headers["location"])
        assert "an@example.vn" in page.text
        assert "an@example.vn" in (await visitor.http.get(second)).text


async def test_few_sign_ins_are_under_way_in_one_browser_and_the_oldest_is_forgotten(place: Place) -> None:
    begin = f"{place.settings.console_url}/sign-in"
    async with place.visitor() as visitor:
        first = await visitor.answer()
        for _ in range(MOST_ATTEMPTS):
            await visitor.http.get(begin, follow_redirects=False)
        ours = [one for one in visitor.http.cookies.jar if one.name.startswith("console-sign-in-")]
        assert len(ours) == MOST_ATTEMPTS
        told = await visitor.http.get(first)
        assert told.status_code == 403
        assert "đã được thay bằng một lượt mới hơn" in told.text
        assert '<a class="btn-main" href="/sign-in">Đăng nhập</a>' in told.text
        assert "tên đăng nhập và mật khẩu" not in told.text


async def test_a_form_of_another_site_signs_nobody_out(place: Place) -> None:
    async with place.visitor() as visitor:
        home = await visitor.sign_in()
        fields = forms_of(home)["/sign-out"].fields
        address = f"{place.settings.console_url}/sign-out"
        refused = await visitor.send(address, fields, Origin=place.settings.people_url)
        assert refused.status_code == 403
        refused = await visitor.send(address, fields | {"form_token": "x"})
        assert refused.status_code == 403
        assert "an@example.vn" in (await visitor.home()).text


async def test_identity_is_away(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    async with place.visitor() as visitor:
        await visitor.sign_in()
        monkeypatch.setattr(place.sessions._openid, "_gateway", "http://127.0.0.1:9")
        page = await visitor.home()
        assert page.status_code == 503
        assert page.headers["lgsp-error"] == "platform-unavailable"
        assert "Thử lại" in page.text
        assert "/sign-out" in forms_of(page)
        async with place.visitor() as stranger:
            other = await stranger.http.get(f"{place.settings.console_url}/sign-in")
            assert (other.status_code, "/sign-out" in forms_of(other)) == (503, False)
        monkeypatch.undo()
        assert "an@example.vn" in (await visitor.home()).text


async def test_a_failure_leaves_the_ways_to_everything_else(place: Place) -> None:
    failures = [("/people/invite", 403, "role-required"), ("/nowhere", 404, "not-found")]
    async with place.visitor() as visitor, place.visitor() as stranger:
        home = await visitor.sign_in()
        for path, status, code in failures:
            page = await visitor.open(path)
            assert (page.status_code, page.headers["lgsp-error"]) == (status, code)
            assert {*links_of(home)} <= {*links_of(page)}
            assert "/decisions" in links_of(page)
            assert "/sign-out" in forms_of(page)
        refused = await visitor.send(f"{place.settings.console_url}/people/invite", {"login": "x"})
        assert (refused.status_code, "/decisions" in links_of(refused)) == (403, True)
        page = await stranger.open("/nowhere")
        assert (page.status_code, page.headers["lgsp-error"]) == (404, "not-found")
        assert "/decisions" not in links_of(page)
        assert "/sign-out" not in forms_of(page)


async def test_the_session_used_longest_ago_makes_room(place: Place) -> None:
    place.sessions._most = 1
    async with place.visitor() as first, place.visitor() as second:
        await first.sign_in()
        assert "an@example.vn" in (await second.sign_in()).text
        assert 'href="/sign-in"' in (await first.home()).text


def test_a_damaged_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(CredentialsUnusableError, match=r"key\.jwk"):
        read_key(tmp_path)
    (tmp_path / "key.jwk").write_text('{"kty": "EC"}', "utf-8")
    with pytest.raises(CredentialsUnusableError, match=r"key\.jwk"):
        read_key(tmp_path)


async def test_who_begins_to_sign_in_without_end_is_stopped_and_nobody_else(place: Place) -> None:
    address = f"{place.settings.console_url}/sign-in"
    async with place.visitor() as visitor:
        begun = [await visitor.http.get(address, follow_redirects=False) for _ in range(60)]
        statuses = [answer.status_code for answer in begun]
        assert statuses == [303] * 50 + [429] * 10
        assert "Giới hạn sign-ins là 50 yêu cầu cùng lúc" in begun[-1].text
        forwarded = {"X-Forwarded-For": "192.0.2.7"}
        answer = await visitor.http.get(address, headers=forwarded, follow_redirects=False)
        assert answer.status_code == 429, "nobody is believed who writes it"
