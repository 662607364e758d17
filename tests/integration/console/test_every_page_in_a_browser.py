"""Every page of the console in Chromium, in both languages, light and dark, on a small screen and a wide one:
axe finds nothing serious, nothing scrolls sideways, and the first page is light."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import pytest
from playwright.async_api import ViewportSize

from lienthong.identity.people.service.sessions import Begun
from lienthong.kit.policy import Grant, Role
from lienthong.pages.cookies import Cookies
from tests.integration.console.browsers import WIDE, chromium_of
from tests.integration.console.harness import Place, a_catalog, a_console, a_ledger
from tests.integration.console.test_roles import table
from tests.integration.identity.pages.site import PATIENCE_MS
from tests.integration.identity.people.harness import LAND
from tests.support.axe import serious_faults

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playwright.async_api import BrowserContext, Page, Response

SMALL: Final = ViewportSize(width=320, height=640)
LOOKS: Final = {
    "vi": ((SMALL, "light"), (WIDE, "dark")),
    "en": ((SMALL, "dark"), (WIDE, "light")),
}
"""Each width and each theme in each language; both together in one language or the other."""
PAGES: Final = {
    Role.PLATFORM_OPERATOR: (
        "/", "/people", "/people?review=due", "/people/invite", "/people/{person}", "/health", "/agencies",
        "/agencies/register", f"/agencies/{LAND}", "/systems", "/systems/register", f"/systems/{LAND}/land",
        f"/systems/{LAND}/land/suspend", f"/systems/{LAND}/land/resume", "/catalog",
        "/catalog?q=thua+dat&kind=Service", "/catalog?q=a+b+c+d+e+f+g+h+i+j+k", "/catalog?q=khongco",
        f"/catalog/services/{LAND}/land/parcels-v1", f"/catalog/event-types/{LAND}/land/parcel-changed-v1",
        f"/catalog/services/{LAND}/land/parcels-v1/samples",
        "/services", "/services/new", f"/services/{LAND}/land/parcels-v1",
        f"/services/{LAND}/land/parcels-v1/change", "/requests", "/requests/late",
        f"/requests/new?service={LAND}/land/parcels-v1", "/agreements/on-h11-05",
        "/agreements/on-h11-05/amend", "/decisions",
        "/usage", "/usage?view=errors", "/usage/graph", "/records",
        "/nowhere",
    ),
    Role.DEVELOPER: (
        "/", "/agencies", f"/systems/{LAND}/land", "/systems/register", "/catalog", "/requests", "/health",
        "/people", "/usage?view=errors", "/usage?view=from&service=none",
    ),
    Role.DATA_OWNER: (
        "/", "/services", f"/services/{LAND}/land/parcels-v1", "/decisions", "/agreements/on-h11-05",
        "/usage", "/usage/graph", "/records", "/records?status=twohundred", "/records?client=none", "/health",
    ),
}  # fmt: skip
"""Also pages that are closed to that role, and what is nowhere."""
NOT_LOOKED_AT: Final = {"/sign-in", "/signed-in", "/sign-out", "/static/{digest}/{name}"}
"""They lead on to others, or are no pages."""
REFUSED_FORMS: Final = ("/people/invite", "/agencies/register", "/systems/register", "/services/new")
"""Sent with nothing typed: what is wrong is told beside the fields."""
LIGHT_BYTES: Final = 300_000
LINK: Final = "contains(@action, '/link')"


def test_every_page_is_looked_at() -> None:
    routes = {path for method, path in table() if method == "GET"} - NOT_LOOKED_AT
    looked_at = [path.partition("?")[0] for paths in PAGES.values() for path in paths]
    assert {route for route in routes if not any(matches(route, path) for path in looked_at)} == set()


def matches(route: str, path: str) -> bool:
    return re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", route), path) is not None


# What hangs ends by the limits of the browser; on a busy machine axe takes its time.
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("language", LOOKS)
async def test_pages_have_no_faults_and_fit_every_screen(tmp_path: Path, language: str) -> None:
    async with (
        a_console(tmp_path) as place,
        a_catalog(place, tmp_path),
        a_ledger(place, tmp_path),
        chromium_of() as context,
    ):
        person = await place.office.person("minh", Grant(Role.DEVELOPER, LAND))
        wrong = []
        for role, paths in PAGES.items():
            async with signed_in(place, context, role, language) as page:
                for path in paths:
                    await page.goto(address(place, path.replace("{person}", person.account.id)))
                    wrong += [fault async for fault in faults(page, language)]
                if role is Role.PLATFORM_OPERATOR:
                    # A link is made by a form: its page has an address of its own in no other way.
                    await page.goto(address(place, f"/people/{person.account.id}"))
                    await page.locator("summary", has=page.locator(f"xpath=..//form[{LINK}]")).click()
                    await page.locator(f"xpath=//form[{LINK}]//button").click()
                    await page.wait_for_url("**/link")
                    wrong += [fault async for fault in faults(page, language)]
                    for path in REFUSED_FORMS:
                        await page.goto(address(place, path))
                        form = page.locator(f"main form[action='{path}']")
                        # As browsers do that do not look at `required` themselves.
                        await form.evaluate("form => { form.noValidate = true; form.requestSubmit() }")
                        await page.wait_for_selector("main [aria-invalid=true]")
                        wrong += [fault async for fault in faults(page, language)]
        await context.clear_cookies()
        await context.add_cookies([{"name": "language", "value": language, "url": address(place, "/")}])
        welcome = await context.new_page()
        await welcome.goto(address(place, "/"))
        wrong += [fault async for fault in faults(welcome, language)]
        assert wrong == []


@pytest.mark.parametrize("language", LOOKS)
async def test_the_first_page_is_light(tmp_path: Path, language: str) -> None:
    async with (
        a_console(tmp_path) as place,
        a_catalog(place, tmp_path),
        a_ledger(place, tmp_path),
        chromium_of() as context,
    ):
        async with signed_in(place, context, Role.PLATFORM_OPERATOR, language) as signed:
            answers: list[Response] = []
            # Another browser has nothing of it yet.
            fresh = await context.browser.new_context() if context.browser else context
            await fresh.add_cookies([dict(one) for one in await context.cookies()])  # type: ignore[misc]
            page = await fresh.new_page()
            page.set_default_timeout(PATIENCE_MS)
            page.on("response", lambda one: answers.append(one))
            await page.goto(signed.url, wait_until="networkidle")
            weights = {one.url: len(await one.body()) for one in answers}
            took = await page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
            await fresh.close()
        assert len(weights) > 1
        assert sum(weights.values()) < LIGHT_BYTES, (took, weights)


def address(place: Place, path: str) -> str:
    return f"{place.settings.console_url}{path}"


@asynccontextmanager
async def signed_in(place: Place, context: BrowserContext, role: Role, language: str) -> AsyncIterator[Page]:
    """The first page of somebody of this role; the page may say nothing on the browser's console."""
    everywhere = role is Role.PLATFORM_OPERATOR
    person = await place.office.person(
        role.value, Grant(role, "" if everywhere else LAND), agency="" if everywhere else LAND
    )
    begun = await (person.enrol() if everywhere else person.begin())
    assert isinstance(begun, Begun)
    await context.clear_cookies()
    session = Cookies(place.settings.people_url).name("session")
    await context.add_cookies(
        [
            {"name": "language", "value": language, "url": address(place, "/")},
            {"name": session, "value": begun.token, "url": place.settings.people_url},
        ]
    )
    page = await context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    await page.goto(address(place, "/sign-in"))
    await page.wait_for_url(address(place, "/"))
    yield page
    assert [one for one in said if not REFUSED.search(one)] == []
    await page.close()


REFUSED: Final = re.compile(r"responded with a status of 4(03|04|22)")
"""What Chromium itself says of pages that are closed, or nowhere, and of forms that are refused."""


async def faults(page: Page, language: str) -> AsyncIterator[str]:
    """What is wrong with the page that is open, with all that can be unfolded."""
    await page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    assert await page.locator("html").get_attribute("lang") == language
    for screen, theme in LOOKS[language]:
        await page.set_viewport_size(screen)
        await page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        where = f"{page.url} {theme} {screen['width']}"
        if not await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"):
            yield f"{where}: scrolls sideways"
        for one in await serious_faults(page):
            yield f"{where}: {one}"
