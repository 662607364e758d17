"""Where an application asks for a new proof of who someone is, the other applications do not notice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from tests.integration.identity.openid.harness import answer_of
from tests.integration.identity.openid.test_browser import OWNER, at, signed_in, went
from tests.integration.identity.people.harness import OPERATOR, PASSWORD

if TYPE_CHECKING:
    from tests.integration.identity.openid.harness import Place

HOUR = 3600


@pytest.mark.parametrize("how", [{"prompt": "login"}, {"max_age": "60"}])
async def test_a_new_proof_for_one_application_signs_out_of_no_other(
    place: Place, how: dict[str, str]
) -> None:
    application, other = await place.application(), await place.other()
    async with place.browser() as browser:
        own = (await application.redeem(await signed_in(place, browser, application))).json()
        back = await went(browser, at(other, await other.reference()))
        others = (await other.redeem(answer_of(back.headers["location"])["code"])).json()
        before = await other.introspect(others["refresh_token"])
        stolen = httpx.Cookies(browser.http.cookies)
        place.clock.advance(61)
        reference = at(application, await application.reference(**how))
        asked = await browser.open(reference)
        assert asked.url.path == "/sign-in"
        assert "Ứng dụng yêu cầu bạn đăng nhập lại." in asked.text
        await browser.send("/sign-in", login="an@example.vn", password=PASSWORD)
        back = await went(browser, reference)
        newer = (await application.redeem(answer_of(back.headers["location"])["code"])).json()

        now = await other.introspect(others["refresh_token"])
        assert now["active"]
        assert now["sid"] == before["sid"] == (await application.introspect(newer["refresh_token"]))["sid"]
        assert now["auth_time"] == before["auth_time"] + 61
        assert now["exp"] == before["exp"] + 61
        assert (await application.introspect(own["refresh_token"]))["active"]
        assert len(await place.process.core.people.sessions.of(now["sub"])) == 1
        (record,) = await place.records("person.renew-session")
        assert record["actor"] == f"person/{now['sub']}"
        assert record["detail"]["session"] == now["sid"]

        # What the browser had before is worth nothing.
        browser.http.cookies, kept = stolen, browser.http.cookies
        assert (await went(browser, "/account")).headers["location"].startswith("/sign-in")
        browser.http.cookies = kept
        assert (await went(browser, "/account")).status_code == 200

        # All of it ends together, as before.
        await place.process.core.people.people.sign_out(OPERATOR, now["sub"])
        for one, tokens in ((application, own), (application, newer), (other, others)):
            assert not (await one.introspect(tokens["refresh_token"]))["active"]


async def test_a_renewed_session_lasts_as_long_as_a_new_one(place: Place) -> None:
    application, other = await place.application(), await place.other()
    async with place.browser() as browser:
        code = await signed_in(place, browser, application)
        token = (await application.redeem(code)).json()["refresh_token"]
        for hour in range(14):
            for _ in range(3):
                place.clock.advance(HOUR // 3)
                answer = await application.refresh(token)
                assert answer.status_code == 200, hour
                token = answer.json()["refresh_token"]
                await place.process.core.openid.upkeep.forget()
                await place.process.core.people.upkeep.forget()
            if hour == 8:
                reference = at(other, await other.reference(prompt="login"))
                assert (await browser.open(reference)).url.path == "/sign-in"
                await browser.send("/sign-in", login="an@example.vn", password=PASSWORD)
        assert (await application.introspect(token))["active"]


async def test_another_person_ends_the_session_that_the_browser_had(place: Place) -> None:
    application = await place.application()
    await place.office.person("binh", OWNER)
    async with place.browser() as browser:
        own = (await application.redeem(await signed_in(place, browser, application))).json()
        place.clock.advance(1)
        reference = at(application, await application.reference(prompt="login"))
        asked = await browser.open(reference)
        assert asked.url.path == "/sign-in"
        assert "Ứng dụng yêu cầu bạn đăng nhập lại." in asked.text
        await browser.send("/sign-in", login="binh@example.vn", password=PASSWORD)
        assert not (await application.introspect(own["refresh_token"]))["active"]
        back = await went(browser, reference)
        newer = (await application.redeem(answer_of(back.headers["location"])["code"])).json()
        assert (await application.introspect(newer["refresh_token"]))["username"] == "binh@example.vn"
        assert await place.records("person.renew-session") == []
