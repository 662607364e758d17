"""Chromium before the console, where the machine has it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from playwright.async_api import ViewportSize, async_playwright

from tests.integration.identity.pages.site import CHROMIUM, PATIENCE_MS, START_MS
from tests.support.databases import skip_or_fail

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import BrowserContext

WIDE = ViewportSize(width=1280, height=800)


@asynccontextmanager
async def chromium_of() -> AsyncIterator[BrowserContext]:
    """A browser that nobody has used yet."""
    if CHROMIUM is None:
        skip_or_fail("there is no Chromium on this machine")
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"], timeout=START_MS
        )
        context = await chromium.new_context(viewport=WIDE)
        context.set_default_timeout(PATIENCE_MS)
        yield context
        await chromium.close()
