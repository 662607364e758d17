"""The pages of people: who is seen, inviting, roles, suspending, sessions, and the half-yearly review."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from lienthong.identity.people.repository import accounts
from lienthong.identity.people.service.people import NewPerson
from lienthong.kit.policy import Grant, Role
from tests.integration.console.harness import Place, a_console
from tests.integration.console.reading import forms_of
from tests.integration.identity.people.harness import LAND, ONE_STOP, OPERATOR, PASSWORD

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

ADMIN, DEVELOPER = Grant(Role.AGENCY_ADMINISTRATOR, LAND), Grant(Role.DEVELOPER, LAND)
OFFICER = Grant(Role.SECURITY_OFFICER, LAND)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with a_console(tmp_path) as opened:
        yield opened


async def test_an_administrator_sees_the_own_agencys_people_and_no_others(place: Place) -> None:
    office = place.office
    admin = await office.person("admin", ADMIN)
    other = await office.person("nobody", Grant(Role.DEVELOPER, ONE_STOP), agency=ONE_STOP)
    async with place.signed_in(admin) as visitor:
        page = await visitor.open("/people")
        assert "an@example.vn" in page.text
        assert "admin@example.vn" in page.text
        assert "nobody@example.vn" not in page.text
        hidden = await visitor.open(f"/people/{other.account.id}")
        assert (hidden.status_code, hidden.headers["lgsp-error"]) == (404, "unknown-person")
        assert "nobody" not in hidden.text
        found = await visitor.open("/people?q=AN%20example")
        assert ("an@example.vn" in found.text, "Nobody was found" in found.text) == (True, False)
        assert "Không tìm thấy ai" in (await visitor.open("/people?q=xyz")).text


async def test_somebody_is_invited_by_a_link_that_is_shown_once(place: Place) -> None:
    admin = await place.office.person("admin", ADMIN)
    async with place.signed_in(admin) as visitor:
        form = await visitor.open("/people/invite")
        typed = {"login": "binh@example.vn", "name": "Trần Bình", "role:developer@+": "1"}
        page = await visitor.post(form, "/people/invite", **typed)
        assert page.status_code == 200
        (link,) = re.findall(rf'value="({place.settings.people_url}/invitation#[\w-]+)"', page.text)
        account = await place.process.core.people.people.accept(link.partition("#")[2], PASSWORD)
        assert account.grants == {DEVELOPER}
        assert (account.login, account.agency) == ("binh@example.vn", LAND)
        again = await visitor.post(form, "/people/invite", **typed)
        assert (again.status_code, "Tên đăng nhập đã được dùng" in again.text) == (409, True)
        assert "Trần Bình" in again.text, "what was typed is kept"


async def test_what_was_typed_wrongly_is_marked(place: Place) -> None:
    admin = await place.office.person("admin", ADMIN)
    async with place.signed_in(admin) as visitor:
        form = await visitor.open("/people/invite")
        page = await visitor.post(form, "/people/invite", login="nobody", name="Аn")
        assert page.status_code == 422
        assert 'id="login-error"' in page.text
        assert 'id="name-error"' in page.text
        assert "Mã giao dịch" in page.text


async def test_a_role_for_an_agency_never_becomes_one_for_the_platform(place: Place) -> None:
    operator = await place.office.person("op", Grant(Role.PLATFORM_OPERATOR), agency="")
    async with place.signed_in(operator) as visitor:
        form = await visitor.open("/people/invite")
        typed = {"login": "binh@example.vn", "name": "Bình", "role:auditor@+": "1"}
        page = await visitor.post(form, "/people/invite", **typed)
        assert (page.status_code, 'id="agency-error"' in page.text) == (422, True)
        page = await visitor.post(form, "/people/invite", **typed, agency="h11.05")
        assert page.status_code == 200
        assert f"Kiểm toán ({LAND})" in (await visitor.open("/people?q=binh")).text


async def test_an_administrator_gives_no_role_elsewhere_whatever_the_form_says(place: Place) -> None:
    admin = await place.office.person("admin", ADMIN)
    async with place.signed_in(admin) as visitor:
        page = await visitor.open(f"/people/{place.person_id}")
        action = f"/people/{place.person_id}/roles"
        assert not any("platform-operator" in name for name in forms_of(page)[action].fields)
        for name in ("role:platform-operator", f"role:developer@{ONE_STOP}"):
            refused = await visitor.post(page, action, **{name: "1"})
            assert (refused.status_code, "Vai trò của bạn không cho phép" in refused.text) == (403, True)


async def test_roles_are_changed_and_those_held_elsewhere_stay(place: Place) -> None:
    office = place.office
    elsewhere = Grant(Role.DEVELOPER, ONE_STOP)
    people = place.process.core.people.people
    await people.change_grants(OPERATOR, place.person_id, {Grant(Role.DATA_OWNER, LAND), elsewhere})
    admin = await office.person("admin", ADMIN)
    async with place.signed_in(admin) as visitor:
        page = await visitor.open(f"/people/{place.person_id}")
        action = f"/people/{place.person_id}/roles"
        fields = dict(forms_of(page)[action].fields)
        assert fields.pop(f"role:data-owner@{LAND}") == "1"
        fields[f"role:developer@{LAND}"] = "1"
        done = await visitor.send(f"{place.settings.console_url}{action}", fields)
        assert "Đã đổi vai trò." in done.text
        assert (await people.get(OPERATOR, place.person_id)).grants == {DEVELOPER, elsewhere}
        # The page from before was made from other roles.
        stale = await visitor.send(f"{place.settings.console_url}{action}", fields)
        assert (stale.status_code, "đã được người khác thay đổi" in stale.text) == (409, True)


async def test_a_person_is_suspended_let_in_again_and_signed_out(place: Place) -> None:
    officer = await place.office.person("officer", OFFICER)
    admin = await place.office.person("admin", ADMIN)
    async with place.signed_in(officer) as visitor, place.signed_in(admin) as manager, place.visitor() as an:
        await an.sign_in()
        here = f"/people/{place.person_id}"
        page = await visitor.open(here)
        assert f"{here}/roles" not in forms_of(page)
        assert "Đã kết thúc" not in page.text
        done = await visitor.post(page, f"{here}/sessions/end")
        assert "Phiên đã kết thúc." in done.text
        assert "an@example.vn" not in (await an.home()).text
        done = await visitor.post(await visitor.open(here), f"{here}/suspend")
        assert "Đã tạm ngừng." in done.text
        assert f"{here}/resume" not in forms_of(done), "who stops does not start"
        done = await manager.post(await manager.open(here), f"{here}/resume")
        assert "Người đó lại đăng nhập được." in done.text
        await an.sign_in()
        done = await manager.post(await manager.open(here), f"{here}/sign-out")
        assert "Mọi phiên của người đó đã kết thúc." in done.text
        link = await manager.post(await manager.open(here), f"{here}/link")
        assert "/invitation#" in link.text


async def test_nobody_changes_the_own_account(place: Place) -> None:
    admin = await place.office.person("admin", ADMIN)
    async with place.signed_in(admin) as visitor:
        here = f"/people/{admin.account.id}"
        page = await visitor.open(here)
        assert "Đây là tài khoản của bạn" in page.text
        assert set(forms_of(page)) == {"/sign-out", "/preferences"}
        token = forms_of(page)["/sign-out"].fields
        forced = await visitor.send(f"{place.settings.console_url}{here}/suspend", token)
        assert (forced.status_code, forced.headers["lgsp-error"]) == (403, "own-account")


async def test_accounts_are_reviewed_one_after_the_other(place: Place) -> None:
    core = place.process.core
    admin = await place.office.person("admin", ADMIN)
    async with core.database.transaction() as session:
        account = await accounts.lock(session, place.person_id)
        assert account is not None
        await accounts.save(session, replace(account, reviewed_at=account.reviewed_at - timedelta(days=200)))
    async with place.signed_in(admin) as visitor:
        home = await visitor.home()
        assert '<span class="number">1</span><small>tài khoản cần rà soát</small>' in home.text
        due = await visitor.open("/people?review=due")
        assert "admin@example.vn" not in due.text
        done = await visitor.post(due, f"/people/{place.person_id}/review")
        assert "Đã xác nhận" in done.text
        assert "Không có tài khoản nào cần rà soát." in done.text


async def test_the_list_goes_on_where_the_page_ended(place: Place) -> None:
    people = place.process.core.people.people
    for number in range(30):
        wanted = NewPerson(f"p{number}@example.vn", f"P {number}", LAND, frozenset({DEVELOPER}))
        await people.invite(OPERATOR, wanted)
    admin = await place.office.person("admin", ADMIN)
    async with place.signed_in(admin) as visitor:
        first = await visitor.open("/people?q=example")
        (onward,) = re.findall(r'href="(/people\?[^"]*cursor=[^"]*)"', first.text)
        second = await visitor.open(onward.replace("&amp;", "&"))
        logins = [re.findall(r"<small>([\w.]+@example\.vn)</small>", page.text) for page in (first, second)]
        assert [len(one) for one in logins] == [25, 7]
        assert not set(logins[0]) & set(logins[1])
        assert "Trang đầu" in second.text


@pytest.mark.parametrize("path", ["/people/x%2F..%2Fapplications", "/people/..", "/people/%00", "/people/ế"])
async def test_no_address_leads_elsewhere_on_the_platform(place: Place, path: str) -> None:
    admin = await place.office.person("admin", ADMIN)
    async with place.signed_in(admin) as visitor:
        page = await visitor.open(path)
        assert page.status_code in (400, 404) or page.url.path == "/"


async def test_who_comes_by_a_link_is_there_after_signing_in(place: Place) -> None:
    async with place.visitor() as visitor:
        page = await visitor.open("/records?q=a%26b")
        assert page.url.path == "/"
        page = await visitor.sign_in()
        assert str(page.url) == f"{place.settings.console_url}/records?q=a%26b"
        again = await visitor.open("/sign-in")
        assert again.url.path == "/", "where one wanted to go is forgotten"


async def test_a_form_after_the_session_has_ended_does_nothing_and_says_so(place: Place) -> None:
    admin = await place.office.person("admin", ADMIN)
    async with place.signed_in(admin) as visitor:
        page = await visitor.open(f"/people/{place.person_id}")
        sessions = place.process.core.people.sessions
        for one in await sessions.of(admin.account.id):
            await sessions.end(OPERATOR, admin.account.id, one.id)
        told = await visitor.post(page, f"/people/{place.person_id}/suspend")
        assert "thao tác vừa rồi chưa được thực hiện" in told.text
        account = await place.process.core.people.people.get(OPERATOR, place.person_id)
        assert account.state.value == "active"
