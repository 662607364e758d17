"""The pages of the console, as an operator of the demo province sees them."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import pyotp
from playwright.async_api import async_playwright

from tests.integration.identity.pages.site import CHROMIUM, PATIENCE_MS, START_MS
from tests.integration.identity.people.harness import PASSWORD
from tests.screenshots.pictures import write_picture
from tests.screenshots.province import a_province

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playwright.async_api import Browser, Page

    from tests.screenshots.province import Province

_SCREEN: Final[dict[str, Any]] = {
    "viewport": {"width": 1100, "height": 640},
    # Wide pages, and many: smaller, they are still easy to read.
    "device_scale_factor": 0.8,
    "timezone_id": "Asia/Ho_Chi_Minh",
}
_LOGIN, _NAME = "anh.nguyen@binh-thuan.example", "Nguyễn Thị Ánh"
_AGENCY, _SYSTEM = "H11.05", "H11.05/land"
_PAGES: Final = (
    ("home", "/"),
    ("people", "/people"),
    ("review", "/people?review=due"),
    ("invite", "/people/invite"),
    ("health", "/health"),
    ("agencies", "/agencies"),
    ("agency", f"/agencies/{_AGENCY}"),
    ("register-agency", "/agencies/register"),
    ("systems", "/systems"),
    ("register", f"/systems/register?agency={_AGENCY}"),
    ("system", f"/systems/{_SYSTEM}"),
    ("suspend", f"/systems/{_SYSTEM}/suspend"),
    ("find", "/catalog?q=thua+dat"),
    ("service", f"/catalog/services/{_SYSTEM}/parcels-v1"),
    ("requests", "/requests"),
    ("late-requests", "/requests/late"),
    ("request-agreement", f"/requests/new?service={_SYSTEM}/parcels-v1"),
    ("agreement", "/agreements/one-stop-parcels"),
    ("services", "/services"),
    ("own-service", f"/services/{_SYSTEM}/parcels-v1"),
    ("usage", "/usage"),
    ("usage-errors", "/usage?view=errors"),
    ("usage-graph", "/usage/graph"),
)
"""Pages by the name of their picture."""
_OF_A_PERSON: Final = "minh.le"


async def write_console(folder: Path, languages: tuple[str, ...]) -> None:
    """All pages in these languages."""
    async with a_province(folder) as province, async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"], timeout=START_MS
        )
        for language in languages:
            async with _a_page(chromium, province, language) as page:
                await page.goto(province.console)
                await write_picture(page, f"console-welcome-{language}")
        async with _a_page(chromium, province, languages[0]) as page:
            await _enter(page, province)
            for language in languages:
                await _choose(page, province, language)
                await _write(page, province.console, language)
        await chromium.close()


@asynccontextmanager
async def _a_page(chromium: Browser, province: Province, language: str) -> AsyncIterator[Page]:
    """A page of a browser that nobody has used yet."""
    context = await chromium.new_context(**_SCREEN)
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    await _choose(page, province, language)
    yield page
    await context.close()


async def _choose(page: Page, province: Province, language: str) -> None:
    await page.context.add_cookies([{"name": "language", "value": language, "url": province.console}])


async def _enter(page: Page, province: Province) -> None:
    """Become the first administrator, and sign in to the console with a new authenticator application."""
    await page.goto(province.first_link)
    for field, value in (("login", _LOGIN), ("name", _NAME), ("password", PASSWORD)):
        await page.fill(f"[name={field}]", value)
    await page.click("form[action='/invitation/accept'] button[type=submit]")
    await page.wait_for_url(f"{province.people}/sign-in*")
    await page.goto(f"{province.console}/sign-in")
    for field, value in (("login", _LOGIN), ("password", PASSWORD)):
        await page.fill(f"[name={field}]", value)
    await page.click("form[action='/sign-in'] button[type=submit]")
    secret = (await page.locator(".secret").text_content() or "").replace(" ", "")
    await page.fill("[name=code]", pyotp.TOTP(secret).at(datetime.now(UTC)))
    await page.click("form[action='/sign-in/enrol'] button[type=submit]")
    await page.wait_for_selector(".codes")
    await page.goto(f"{province.console}/sign-in")
    await page.wait_for_url(f"{province.console}/")


async def _write(page: Page, home: str, language: str) -> None:
    for name, path in _PAGES:
        await page.goto(f"{home}{path}")
        await write_picture(page, f"console-{name}-{language}")
    await page.goto(f"{home}/people?q={_OF_A_PERSON}")
    await page.click("main .list .name a")
    await page.wait_for_url(f"{home}/people/*")
    await write_picture(page, f"console-person-{language}")
    # A link is made by a form: its page has an address of its own in no other way.
    make = page.locator("form[action$='/link'] button")
    await page.locator("details", has=make).locator("summary").click()
    await make.click()
    await page.wait_for_url("**/link")
    await write_picture(page, f"console-link-{language}")
