"""The pages of the console, with some people and systems in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from playwright.async_api import async_playwright

from lienthong.identity.people.service.people import NewPerson
from lienthong.kit.policy import Grant, Role
from lienthong.pages.cookies import Cookies
from tests.integration.console.harness import a_catalog, a_console
from tests.integration.identity.pages.site import CHROMIUM, PATIENCE_MS
from tests.integration.identity.people.harness import LAND, OPERATOR
from tests.screenshots.pictures import write_picture

if TYPE_CHECKING:
    from pathlib import Path

_SCREEN: Final[dict[str, Any]] = {
    "viewport": {"width": 1100, "height": 640},
    "timezone_id": "Asia/Ho_Chi_Minh",
}
_PEOPLE: Final = (
    ("anh.nguyen", "Nguyễn Thị Ánh", Role.DATA_OWNER),
    ("binh.tran", "Trần Văn Bình", Role.DEVELOPER),
    ("dung.do", "Đỗ Tiến Dũng", Role.AUDITOR),
)
_PAGES: Final = (
    ("home", "/"),
    ("people", "/people"),
    ("review", "/people?review=due"),
    ("invite", "/people/invite"),
    ("health", "/health"),
    ("agencies", "/agencies"),
    ("agency", f"/agencies/{LAND}"),
    ("systems", "/systems"),
    ("register", "/systems/register"),
    ("system", f"/systems/{LAND}/land"),
    ("room", "/catalog"),
)
"""Pages by the name of their picture."""


async def write_console(folder: Path, language: str) -> None:
    """All pages in one language, as an operator of the platform sees them."""
    async with a_console(folder) as place, a_catalog(place, folder), async_playwright() as playwright:
        made = []
        for login, name, role in _PEOPLE:
            wanted = NewPerson(f"{login}@example.gov.vn", name, LAND, frozenset({Grant(role, LAND)}))
            account, _ = await place.process.core.people.people.invite(OPERATOR, wanted)
            made.append(account.id)
        operator = await place.office.person("an.nguyen", Grant(Role.PLATFORM_OPERATOR), agency="")
        begun = await operator.enrol()
        chromium = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        context = await chromium.new_context(**_SCREEN)
        context.set_default_timeout(PATIENCE_MS)
        home, account_pages = f"{place.settings.console_url}", place.settings.people_url
        session = Cookies(account_pages).name("session")
        await context.add_cookies(
            [
                {"name": "language", "value": language, "url": home},
                {"name": session, "value": begun.token, "url": account_pages},
            ]
        )
        page = await context.new_page()
        await page.goto(home)
        await write_picture(page, f"console-welcome-{language}")
        await page.goto(f"{home}/sign-in")
        await page.wait_for_url(f"{home}/")
        for name, path in (*_PAGES, ("person", f"/people/{made[0]}")):
            await page.goto(f"{home}{path}")
            await write_picture(page, f"console-{name}-{language}")
        # A link is made by a form: its page has an address of its own in no other way.
        await page.goto(f"{home}/people/{made[1]}")
        await page.locator("summary", has_text="liên kết mới" if language == "vi" else "new link").click()
        await page.locator("form[action$='/link'] button").click()
        await page.wait_for_url("**/link")
        await write_picture(page, f"console-link-{language}")
        await chromium.close()
