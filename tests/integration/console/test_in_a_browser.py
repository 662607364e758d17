"""Signing in to the console and out of it, in Chromium and in both languages; axe finds nothing serious."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from playwright.async_api import async_playwright, expect

from tests.integration.console.harness import LOGIN, a_console
from tests.integration.identity.pages.site import CHROMIUM, PATIENCE_MS, START_MS
from tests.integration.identity.people.harness import PASSWORD
from tests.support.axe import serious_faults
from tests.support.databases import skip_or_fail

if TYPE_CHECKING:
    from pathlib import Path

WORDS = {
    "vi": {"in": "Đăng nhập", "out": "Đăng xuất", "role": "Chủ quản dữ liệu"},
    "en": {"in": "Sign in", "out": "Sign out", "role": "Data owner"},
}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("language", ["vi", "en"])
async def test_somebody_signs_in_and_out(tmp_path: Path, language: str) -> None:
    if CHROMIUM is None:
        skip_or_fail("there is no Chromium on this machine")
    words = WORDS[language]
    async with a_console(tmp_path) as place, async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"], timeout=START_MS
        )
        context = await chromium.new_context(viewport={"width": 320, "height": 640})
        context.set_default_timeout(PATIENCE_MS)
        home = f"{place.settings.console_url}/"
        await context.add_cookies([{"name": "language", "value": language, "url": home}])
        page = await context.new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        await page.goto(home)
        assert await serious_faults(page) == []
        await page.get_by_role("link", name=words["in"], exact=True).click()
        await page.wait_for_url(lambda url: urlsplit(url).path == "/sign-in")
        assert page.url.startswith(place.settings.people_url)
        await page.fill("[name=login]", LOGIN)
        await page.fill("[name=password]", PASSWORD)
        await page.get_by_role("button", name=words["in"], exact=True).first.click()
        await page.wait_for_url(home)
        await expect(page.get_by_role("definition").filter(has_text=words["role"])).to_be_visible(
            timeout=PATIENCE_MS
        )
        assert await serious_faults(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        await page.get_by_role("button", name=words["out"], exact=True).click()
        await page.wait_for_url(home)
        await expect(page.get_by_role("link", name=words["in"], exact=True)).to_be_visible(
            timeout=PATIENCE_MS
        )
        assert said == []
        await chromium.close()
