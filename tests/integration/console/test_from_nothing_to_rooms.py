"""The way of an installation's first people, in Chromium and in both languages: the first administrator by a
one-time link, an agency's administrator whom that one invites, and a developer and a data owner in turn."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import pyotp
import pytest
from playwright.async_api import expect
from typing_extensions import override

from lienthong.kit.policy import Role
from tests.integration.console.browsers import WIDE, chromium_of
from tests.integration.console.harness import a_catalog, a_console
from tests.integration.identity.pages.site import PATIENCE_MS, Site, Visit
from tests.integration.identity.people.harness import LAND, PASSWORD

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.integration.console.harness import Place

WORDS: Final = {
    "vi": {"systems": "Hệ thống", "decisions": "Duyệt thoả thuận", "people": "Người dùng"},
    "en": {"systems": "Systems", "decisions": "Decisions on agreements", "people": "People"},
}


class Member(Visit):
    """Somebody whose authenticator application has the machine's own clock."""

    @override
    def code(self) -> str:
        return pyotp.TOTP(self.secret).now()

    async def enter(self, place: Place, login: str, *, second_factor: bool) -> None:
        """Sign in to the console for the first time, with a password that was just chosen."""
        home = f"{place.settings.console_url}/"
        await self.page.goto(home)
        await self.press("sign in", "link")
        await self.at("/sign-in")
        await self.page.fill("[name=login]", login)
        await self.page.fill("[name=password]", PASSWORD)
        await self.press("sign in")
        if second_factor:
            await self.enrol()
            await self.press("kept", "link")
        await self.page.wait_for_url(home)

    async def enter_room(self, name: str) -> None:
        """Go to a room by the way that every page shows, and see that it is one."""
        title = WORDS[self.language][name]
        await self.page.locator("nav.rooms-wide").get_by_role("link", name=title, exact=True).click()
        await self.page.wait_for_url(re.compile(rf"/{name}$"))
        heading = self.page.get_by_role("heading", level=1, name=title, exact=True)
        await expect(heading).to_be_visible(timeout=PATIENCE_MS)

    async def invite(self, login: str, name: str, role: Role, agency: str | None = None) -> str:
        """Invite a person by the room of people; gives the one-time link."""
        await self.enter_room("people")
        await self.page.locator("main a[href='/people/invite']").first.click()
        await self.page.fill("[name=login]", login)
        await self.page.fill("[name=name]", name)
        if agency is not None:
            await self.page.fill("[name=agency]", agency)
        await self.page.check(f"[name='role:{role}@+']")
        await self.page.locator("main form button").click()
        await self.page.wait_for_selector("#link")
        return await self.page.input_value("#link")


@asynccontextmanager
async def somebody(site: Site, language: str) -> AsyncIterator[Member]:
    """A browser that nobody has used yet."""
    async with site.visit(language, viewport=WIDE) as visit:
        visit.context.set_default_timeout(5 * PATIENCE_MS)
        yield Member(visit.site, visit.context, visit.page, visit.language)


# What hangs ends by the limits of the browser: this many pages take their time on a busy machine.
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("language", ["vi", "en"])
async def test_from_nothing_to_everybody_in_their_room(tmp_path: Path, language: str) -> None:
    first, chief, developer, owner = (
        f"{name}@example.gov.vn" for name in ("first", "chief", "developer", "owner")
    )
    async with a_console(tmp_path) as place, a_catalog(place, tmp_path), chromium_of() as context:
        assert context.browser is not None
        site = Site(place.office, place.settings.people_url, context.browser)
        async with somebody(site, language) as one:
            await one.accept(await site.first_link(), first)
            await one.enter(place, first, second_factor=True)
            link = await one.invite(chief, "Trần Thị Bình", Role.AGENCY_ADMINISTRATOR, LAND)
        async with somebody(site, language) as one:
            await one.accept(link, name=None)
            await one.enter(place, chief, second_factor=True)
            links = [
                await one.invite(developer, "Lê Văn Cường", Role.DEVELOPER),
                await one.invite(owner, "Phạm Thị Dung", Role.DATA_OWNER),
            ]
            await one.enter_room("people")
            for login in (developer, owner):
                await one.see(login)
        for login, link, room, other in (
            (developer, links[0], "systems", "decisions"),
            (owner, links[1], "decisions", "systems"),
        ):
            async with somebody(site, language) as one:
                await one.accept(link, name=None)
                await one.enter(place, login, second_factor=False)
                await one.enter_room(room)
                assert await one.page.locator(f"nav.rooms-wide a[href='/{other}']").count() == 0
