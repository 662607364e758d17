"""People sign in by providers that nobody here wrote (oidc-provider), two of them at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.identity.people.service.people import NewPerson
from lienthong.kit.policy import Grant, Role
from tests.integration.identity.people.harness import LAND, OPERATOR, PASSWORD
from tests.integration.identity.upstream.harness import NATION, PROVINCE, a_place, rotated

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.identity.upstream.harness import Place, Visitor


async def signs_in(visitor: Visitor, provider: str, who: str) -> str:
    """Where somebody is in the end who signs in by a provider."""
    await visitor.open("/sign-in")
    await visitor.chooses("/sign-in/provider", provider)
    return (await visitor.says(who)).url.path


async def links(visitor: Visitor, provider: str, who: str) -> str:
    """What the own account says after linking."""
    await visitor.open("/account")
    await visitor.chooses("/account/providers", provider)
    page = await visitor.says(who)
    assert page.url.path == "/account", page.text
    return page.text


async def by_password(visitor: Visitor, login: str) -> None:
    await visitor.open("/sign-in")
    assert (await visitor.send("/sign-in", login=login, password=PASSWORD)).url.path == "/account"


async def test_somebody_links_an_identity_and_signs_in_by_it_at_two_providers(place: Place) -> None:
    person = await place.office.person("an", Grant(Role.DEVELOPER, LAND))
    async with place.visitor() as visitor:
        assert "Đăng nhập bằng Định danh &lt;quốc gia&gt;" in (await visitor.open("/sign-in")).text
        await by_password(visitor, person.account.login)
        told = await links(visitor, NATION, "an")
        assert "Định danh &lt;quốc gia&gt;: NGUYỄN VĂN AN · an@example.vn" in told
        await links(visitor, PROVINCE, "an")
        await visitor.send("/sign-out")
    for provider in (NATION, PROVINCE):
        async with place.visitor() as visitor:
            assert await signs_in(visitor, provider, "an") == "/account"
            session = (await place.office.core.people.sessions.of(person.account.id))[0]
            assert (session.via.provider, session.factors) == (provider, ("upstream",))
            out = await visitor.send("/sign-out")
            assert f'href="/upstream/{provider}/sign-out"' in out.text
            there = await visitor.http.get(f"/upstream/{provider}/sign-out")
            assert (there.status_code, there.url.host) == (200, place.foreign[provider].host)
    kinds = [one["action"] for one in await place.office.records()]
    assert kinds.count("person.link-provider") == 2
    signed_in = await place.office.records("person.sign-in")
    assert [one["detail"].get("provider") for one in signed_in] == [None, NATION, PROVINCE]
    # Neither subject nor label of the other side is on record.
    assert "NGUYỄN" not in repr(await place.office.records())


async def test_nobody_comes_in_who_is_linked_to_no_account(place: Place) -> None:
    async with place.visitor() as visitor:
        await visitor.open("/sign-in")
        await visitor.chooses("/sign-in/provider", NATION)
        page = await visitor.says("an")
        assert (page.status_code, "chưa được liên kết" in page.text) == (403, True)
        assert "LGSP-Transaction-Id" in page.headers
        assert page.headers["LGSP-Transaction-Id"] in page.text
        assert 'href="/sign-in"' in page.text
        assert (await visitor.http.get("/account")).url.path == "/sign-in"


async def test_a_login_is_believed_of_a_trusted_provider_that_has_verified_it(place: Place) -> None:
    for name in ("an", "binh", "chi"):
        await place.office.person(name)
    async with place.visitor() as visitor:
        assert await signs_in(visitor, PROVINCE, "an") == "/account"
    async with place.visitor() as visitor:
        # Not verified there.
        assert await signs_in(visitor, PROVINCE, "binh") == f"/upstream/{PROVINCE}/callback"
    async with place.visitor() as visitor:
        # A letter that looks like another.
        assert await signs_in(visitor, PROVINCE, "chi") == f"/upstream/{PROVINCE}/callback"
    async with place.visitor() as visitor:
        # The other provider says the same login, and is not trusted to.
        assert await signs_in(visitor, NATION, "an") == f"/upstream/{NATION}/callback"
    assert len(await place.office.records("person.link-provider")) == 1


async def test_our_second_factor_is_asked_for_unless_two_were_proved_there(place: Place) -> None:
    officer = await place.office.person("binh", Grant(Role.SECURITY_OFFICER, LAND))
    await officer.enrol()
    place.clock.advance(30)
    async with place.visitor() as visitor:
        await visitor.open("/sign-in")
        await visitor.send("/sign-in", login=officer.account.login, password=PASSWORD)
        await visitor.send("/sign-in/second-factor", code=officer.code())
        await links(visitor, PROVINCE, "binh")
        await links(visitor, NATION, "an")
    place.clock.advance(1)
    async with place.visitor() as visitor:
        # `amr` has `mfa`.
        assert await signs_in(visitor, PROVINCE, "binh") == "/account"
    async with place.visitor() as visitor:
        assert await signs_in(visitor, NATION, "an") == "/sign-in/second-factor"
        place.clock.advance(30)
        assert (await visitor.send("/sign-in/second-factor", code=officer.code())).url.path == "/account"
        session = (await place.office.core.people.sessions.of(officer.account.id))[0]
        assert (session.via.provider, session.factors) == (NATION, ("upstream", "otp"))


async def test_two_factors_are_read_from_acr_where_the_operator_says_so(place: Place) -> None:
    operator = await place.office.person("gold", Grant(Role.PLATFORM_OPERATOR))
    await operator.enrol()
    place.clock.advance(30)
    async with place.visitor() as visitor:
        await visitor.open("/sign-in")
        await visitor.send("/sign-in", login=operator.account.login, password=PASSWORD)
        await visitor.send("/sign-in/second-factor", code=operator.code())
        await links(visitor, NATION, "gold")
    place.clock.advance(1)
    async with place.visitor() as visitor:
        assert await signs_in(visitor, NATION, "gold") == "/account"
        session = (await place.office.core.people.sessions.of(operator.account.id))[0]
        assert session.factors == ("upstream-two",)


async def test_an_invitation_is_accepted_by_a_provider_without_a_password(place: Place) -> None:
    people = place.office.core.people.people
    wanted = NewPerson("dung@example.vn", "Dũng", LAND, frozenset({Grant(Role.DEVELOPER, LAND)}))
    account, link = await people.invite(OPERATOR, wanted)
    async with place.visitor() as visitor:
        await visitor.open("/invitation")
        await visitor.send("/invitation/open", link=link.token)
        await visitor.chooses("/invitation/provider", NATION)
        assert (await visitor.says("an")).url.path == "/account"
        # The link is used, and there is no other way in to remove this one for.
        assert (await visitor.open("/account")).status_code == 200
        page = await visitor.send("/account/providers/remove")
        assert (page.status_code, "Phải giữ lại một cách đăng nhập" in page.text) == (409, True)
        await visitor.send("/sign-out")
    found = await people.get(OPERATOR, account.id)
    assert (found.state, found.password_hash) == ("active", None)
    async with place.visitor() as other:
        await other.open("/invitation")
        assert (await other.send("/invitation/open", link=link.token)).status_code == 403
        assert await signs_in(other, NATION, "an") == "/account"
    # Suspended and let in again, the account is not an invitation once more.
    await people.suspend(OPERATOR, account.id)
    assert (await people.resume(OPERATOR, account.id)).state == "active"
    # A new link takes the older way in away.
    renewed = await people.renew_link(OPERATOR, account.id)
    await people.accept(renewed.token, PASSWORD)
    async with place.visitor() as other:
        assert await signs_in(other, NATION, "an") == f"/upstream/{NATION}/callback"


async def test_an_identity_belongs_to_one_account_and_can_be_unlinked(place: Place) -> None:
    await place.office.person("an")
    await place.office.person("binh")
    async with place.visitor() as first, place.visitor() as second:
        await by_password(first, "an@example.vn")
        await by_password(second, "binh@example.vn")
        await links(first, NATION, "an")
        await second.open("/account")
        await second.chooses("/account/providers", NATION)
        page = await second.says("an")
        assert (page.status_code, "Đã được liên kết" in page.text) == (409, True)
        await first.open("/account")
        page = await first.send("/account/providers/remove")
        assert page.url.params["done"] == "removed"
        await links(second, NATION, "an")
    assert len(await place.office.records("person.unlink-provider")) == 1


async def test_ways_in_are_changed_shortly_after_a_proof_and_a_session_there_is_none(place: Place) -> None:
    await place.office.person("an")
    async with place.visitor() as visitor:
        await by_password(visitor, "an@example.vn")
        await links(visitor, NATION, "an")
        await visitor.send("/sign-out")
        assert await signs_in(visitor, NATION, "an") == "/account"
        await visitor.open("/account")
        await visitor.send("/sign-out")
        place.clock.advance(700)
        # The provider still knows the browser, and asks nothing.
        await visitor.open("/sign-in")
        assert (await visitor.chooses("/sign-in/provider", NATION)).url.path == "/account"
        page = await visitor.chooses("/account/providers", PROVINCE)
        assert (page.url.path, page.url.params["done"]) == ("/sign-in", "again")
        assert "Bạn đang đăng nhập với tài khoản" in page.text


async def test_a_provider_that_signs_with_a_new_key_is_believed_again(tmp_path: Path, modules: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'identity.db'}"
    async with a_place(tmp_path, url, modules, run=()) as place:
        await place.office.person("an")
        foreign = place.foreign[PROVINCE]
        async with foreign.runs(modules), place.visitor() as visitor:
            assert await signs_in(visitor, PROVINCE, "an") == "/account"
        rotated(foreign)
        place.clock.advance(11)
        async with foreign.runs(modules), place.visitor() as visitor:
            assert await signs_in(visitor, PROVINCE, "an") == "/account"
