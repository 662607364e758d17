"""Signing in on the way to an application of another site, in Chromium: our pages' policy lets it leave."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from lienthong.kit.policy import Grant, Role
from tests.integration.identity.openid.harness import CALLBACK, SIGNED_OUT, a_place, answer_of
from tests.integration.identity.pages.site import CHROMIUM, opened
from tests.integration.identity.people.harness import LAND
from tests.support.databases import skip_or_fail
from tests.support.ports import take_free_port

if TYPE_CHECKING:
    from pathlib import Path


async def test_somebody_signs_in_to_an_application_and_out_again(tmp_path: Path) -> None:
    if CHROMIUM is None:
        skip_or_fail("there is no Chromium on this machine")
    database, url = f"sqlite+aiosqlite:///{tmp_path / 'identity.db'}", f"http://localhost:{take_free_port()}"
    async with (
        a_place(tmp_path, database, people_url=url) as place,
        opened(place.office, place.process.settings) as site,
        site.visit("en") as visit,
    ):
        person = await place.office.person("an", Grant(Role.DATA_OWNER, LAND))
        application = await place.application()
        asked = {"client_id": application.client_id, "request_uri": await application.reference()}
        await visit.open(f"/authorize?{urlencode(asked)}")
        await visit.at("/sign-in")
        await visit.page.fill("[name=login]", person.account.login)
        await visit.page.fill("[name=password]", person.password)
        async with visit.page.expect_request(lambda sent: sent.url.startswith(CALLBACK)) as back:
            await visit.press("sign in")
        code = answer_of((await back.value).url)["code"]
        tokens = (await application.redeem(code)).json()
        assert (await application.userinfo(tokens["access_token"])).json()["name"] == "An"

        # Nobody answers at the application's address; what comes next is seen in another tab.
        visit.page = await visit.context.new_page()
        await visit.open(f"/end-session?{urlencode({'client_id': application.client_id})}")
        assert await visit.faults() == []
        leaving = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": SIGNED_OUT}
        async with visit.page.expect_request(lambda sent: sent.url.startswith(SIGNED_OUT)):
            await visit.open(f"/end-session?{urlencode(leaving)}")
        visit.page = await visit.context.new_page()
        await visit.open("/account")
        await visit.at("/sign-in")
