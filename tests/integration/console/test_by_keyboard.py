"""Somebody signs in, gets to a room and out again by the keyboard alone, and sees where it is all the time
(WCAG 2.2, 2.1.1, 2.4.1 and 2.4.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.integration.console.browsers import chromium_of
from tests.integration.console.harness import LOGIN, a_catalog, a_console
from tests.integration.identity.people.harness import PASSWORD

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Page

MOST_STOPS: Final = 60
IS_AT: Final = "selector => document.activeElement.matches(selector)"
IS_SEEN: Final = """() => {
  const style = getComputedStyle(document.activeElement);
  const place = document.activeElement.getBoundingClientRect();
  const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
  return (outlined || style.boxShadow !== 'none') && place.width > 0 && place.bottom > 0 && place.right > 0;
}"""


async def tab_to(page: Page, selector: str) -> None:
    """Press Tab until that has the focus; each stop on the way has to be seen."""
    for _ in range(MOST_STOPS):
        await page.keyboard.press("Tab")
        where = await page.evaluate("document.activeElement.outerHTML")
        assert await page.evaluate(IS_SEEN), where
        if await page.evaluate(IS_AT, selector):
            return
    pytest.fail(f"no way to {selector} by the keyboard")


# What hangs ends by the limits of the browser.
@pytest.mark.timeout(900)
async def test_the_keyboard_is_enough(tmp_path: Path) -> None:
    async with a_console(tmp_path) as place, a_catalog(place, tmp_path), chromium_of() as context:
        page = await context.new_page()
        home = f"{place.settings.console_url}/"
        await page.goto(home)
        await tab_to(page, "main a[href='/sign-in']")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("[name=login]")
        if not await page.evaluate(IS_AT, "[name=login]"):
            await tab_to(page, "[name=login]")
        await page.keyboard.type(LOGIN)
        await tab_to(page, "[name=password]")
        await page.keyboard.type(PASSWORD)
        await page.keyboard.press("Enter")
        await page.wait_for_url(home)

        # The first stop leads past the head and the ways to the rooms.
        await page.keyboard.press("Tab")
        assert await page.evaluate(IS_AT, "a.skip")
        assert await page.evaluate(IS_SEEN)
        await page.keyboard.press("Enter")
        assert await page.evaluate(IS_AT, "main#content")
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.querySelector('main').contains(document.activeElement)")

        await page.goto(home)
        await tab_to(page, "nav a[href='/decisions']")
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"{home}decisions")
        await tab_to(page, "form[action='/sign-out'] button")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("main a[href='/sign-in']")
