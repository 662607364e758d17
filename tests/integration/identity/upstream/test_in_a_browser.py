"""Signing in by a provider that nobody here wrote, in Chromium, in both languages: our policy lets the
browser leave, and it comes back."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

import pytest
from joserfc.jwk import ECKey

from lienthong.identity.people.service.people import NewPerson
from lienthong.kit.clock import ManualClock, SystemClock
from lienthong.kit.policy import Grant, Role
from tests.integration.identity.openid.harness import CALLBACK, answer_of
from tests.integration.identity.openid.harness import a_place as an_identity
from tests.integration.identity.pages.site import CHROMIUM, Site, Visit, opened
from tests.integration.identity.people.harness import LAND, OPERATOR
from tests.integration.identity.upstream.harness import PROVINCE, Foreign, providers_file, province
from tests.support.databases import skip_or_fail
from tests.support.ports import take_free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.integration.identity.openid.harness import Place

SMALL = 320
PATIENCE_MS = 60_000
BUTTON = {"vi": "Đăng nhập bằng Cổng của tỉnh", "en": "Sign in with The province"}
ACCEPT = {"vi": "Nhận tài khoản bằng Cổng của tỉnh", "en": "Take it over with The province"}


@asynccontextmanager
async def a_site(folder: Path, modules: Path) -> AsyncIterator[tuple[Place, Site, Foreign]]:
    if CHROMIUM is None:
        skip_or_fail("there is no Chromium on this machine")
    url, own_key = f"http://localhost:{take_free_port()}", ECKey.generate_key("P-256")
    foreign = province(own_key, people_url=url)
    options = {
        "people_url": url,
        "provider_networks": "127.0.0.0/8",
        "identity_providers_file": providers_file(folder, own_key, foreign),
    }
    database = f"sqlite+aiosqlite:///{folder / 'identity.db'}"
    # The provider has the clock of the machine, too.
    clock = cast("ManualClock", SystemClock())
    async with (
        foreign.runs(modules),
        an_identity(folder, database, clock=clock, **options) as place,
        opened(place.office, place.process.settings) as site,
    ):
        yield place, site, foreign


async def sound(visit: Visit) -> None:
    """Nothing serious is found, and the page fits a small telephone."""
    assert await visit.faults() == []
    wide = visit.page.viewport_size
    assert wide is not None
    await visit.page.set_viewport_size({"width": SMALL, "height": 640})
    assert await visit.page.evaluate("document.documentElement.scrollWidth") <= SMALL
    await visit.page.set_viewport_size(wide)


@asynccontextmanager
async def patient(site: Site, language: str = "vi", **options: Any) -> AsyncIterator[Visit]:  # noqa: ANN401
    """A visit that waits for two servers and a browser on a busy machine."""
    async with site.visit(language, **options) as visit:
        visit.context.set_default_timeout(PATIENCE_MS)
        yield visit


async def says(visit: Visit, who: str) -> None:
    """Say at the provider who one is."""
    await visit.page.fill("[name=who]", who)
    await visit.page.get_by_role("button", name="Sign in there").click()


async def test_an_invitation_a_sign_in_and_an_application_by_a_provider(
    tmp_path: Path, modules: Path
) -> None:
    async with a_site(tmp_path, modules) as (place, site, _):
        application = await place.application()
        for language, who in (("vi", "binh"), ("en", "an")):
            wanted = NewPerson(f"{language}@example.vn", "An", LAND, frozenset({Grant(Role.DEVELOPER, LAND)}))
            _, link = await place.office.core.people.people.invite(OPERATOR, wanted)
            async with patient(site, language) as visit:
                await visit.page.goto(f"{site.url}/invitation#{link.token}")
                await visit.page.wait_for_selector("input[type=password]")
                await sound(visit)
                await visit.page.get_by_role("button", name=ACCEPT[language]).click()
                await says(visit, who)
                await visit.at("/account")
                await sound(visit)
                await visit.open("/sign-in")
                await sound(visit)
                await visit.press("sign out")
                await visit.at("/sign-in")
                await sound(visit)
            async with patient(site, language) as visit:
                asked = {"client_id": application.client_id, "request_uri": await application.reference()}
                await visit.open(f"/authorize?{urlencode(asked)}")
                await visit.at("/sign-in")
                await visit.see({"vi": "Một cửa", "en": "One-stop"}[language])
                await sound(visit)
                await visit.page.get_by_role("button", name=BUTTON[language]).click()
                await visit.page.wait_for_selector("[name=who]")
                async with visit.page.expect_request(lambda sent: sent.url.startswith(CALLBACK)) as back:
                    await says(visit, who)
                assert answer_of((await back.value).url)["code"]


async def test_who_signs_out_there_is_signed_out_here(tmp_path: Path, modules: Path) -> None:
    async with a_site(tmp_path, modules) as (place, site, _), patient(site) as visit:
        person = await place.office.person("an")
        await visit.open("/sign-in")
        await visit.page.get_by_role("button", name=BUTTON["vi"]).click()
        await says(visit, "an")
        await visit.at("/account")
        await visit.see("qua Cổng của tỉnh")
        await visit.open(f"/upstream/{PROVINCE}/sign-out")
        await visit.page.get_by_role("button", name="Yes, sign me out").click()
        await visit.at("/sign-in")

        async with asyncio.timeout(30):
            while await place.office.core.people.sessions.of(person.account.id):
                await visit.open("/account")
        (record,) = await place.office.records("person.sign-out")
        assert record["detail"]["reason"] == "signed-out-at-provider"
        await visit.open("/account")
        await visit.at("/sign-in")


@pytest.mark.parametrize("scripts", [True, False])
async def test_somebody_whom_nobody_here_knows_is_told_what_to_do(
    tmp_path: Path, modules: Path, scripts: bool
) -> None:
    async with a_site(tmp_path, modules) as (_, site, _), patient(site, java_script_enabled=scripts) as visit:
        await visit.open("/sign-in")
        await visit.page.get_by_role("button", name=BUTTON["vi"]).click()
        await says(visit, "binh")
        await visit.at(f"/upstream/{PROVINCE}/callback")
        await visit.see("chưa được liên kết")
        if scripts:
            await sound(visit)
        await visit.page.get_by_role("link", name="Về trang đăng nhập").click()
        await visit.at("/sign-in")
