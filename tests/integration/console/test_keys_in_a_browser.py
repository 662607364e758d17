"""A developer registers a system, and makes its key in Chromium: the private half leaves the browser as a
file only, and with it the system really gets a token."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from joserfc.jwk import ECKey, OKPKey
from playwright.async_api import async_playwright, expect

from lienthong.identity.events import SystemEvent
from lienthong.identity.people.service.sessions import Begun
from lienthong.kit.policy import Grant, Role
from lienthong.pages.cookies import Cookies
from tests.integration.console.harness import Place, a_catalog, a_console
from tests.integration.identity.harness import ASSERTION_TYPE, assertion, system_event
from tests.integration.identity.pages.site import CHROMIUM, PATIENCE_MS
from tests.integration.identity.people.harness import LAND
from tests.support.axe import serious_faults
from tests.support.databases import skip_or_fail

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Page, Request

WORDS = {
    "vi": {
        "register": "Đăng ký", "make": "Tạo khoá", "jwk": "Tải key.jwk", "pem": "Tải key.pem (PKCS#8)",
        "send": "Đăng ký khoá công khai", "retire": "Gỡ khoá", "good": "Khoá mới có hiệu lực",
        "gone": "Đã gỡ khoá.",
    },
    "en": {
        "register": "Register", "make": "Make the key", "jwk": "Download key.jwk",
        "pem": "Download key.pem (PKCS#8)", "send": "Register the public key", "retire": "Retire",
        "good": "The new key is good", "gone": "The key is retired.",
    },
}  # fmt: skip
SYSTEM = f"{LAND}/parcels"


async def made(page: Page, words: dict[str, str], kind: str, button: str) -> str:
    """Have the page make a key, and register it; gives the file that was saved."""
    await page.select_option("#kind", kind)
    await page.get_by_role("button", name=words["make"], exact=True).click()
    send = page.get_by_role("button", name=words["send"], exact=True)
    await expect(send).to_be_disabled()
    async with page.expect_download() as saved:
        await page.get_by_role("button", name=words[button], exact=True).click()
    text = await asyncio.to_thread(Path(await (await saved.value).path()).read_text, "utf-8")
    await send.click()
    await expect(page.get_by_text(words["good"])).to_be_visible()
    return text


async def token(place: Place, key: ECKey | OKPKey) -> httpx.Response:
    """Ask identity for a token with a key, after it has heard from the catalog."""
    async with httpx.AsyncClient() as http:
        return await http.post(
            f"{place.settings.issuer}/oauth2/token",
            data={
                "grant_type": "client_credentials",
                "client_assertion_type": ASSERTION_TYPE,
                "client_assertion": assertion(key, SYSTEM, aud=place.settings.issuer),
            },
        )


async def told_identity(place: Place, keys: list[ECKey | OKPKey], version: int) -> None:
    """What the catalog's event does in an installation."""
    event = system_event(SYSTEM, list(keys), version=version)
    await place.process.core.registry.follow(SystemEvent.model_validate_json(event))


@asynccontextmanager
async def a_developer(folder: Path, language: str) -> AsyncIterator[tuple[Place, Page]]:
    """A developer of the land department who has just signed in, by a browser on a small screen."""
    if CHROMIUM is None:
        skip_or_fail("there is no Chromium on this machine")
    async with a_console(folder) as place, a_catalog(place, folder), async_playwright() as playwright:
        person = await place.office.person("dev", Grant(Role.DEVELOPER, LAND))
        begun = await person.begin()
        assert isinstance(begun, Begun)
        chromium = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        context = await chromium.new_context(viewport={"width": 320, "height": 640})
        context.set_default_timeout(PATIENCE_MS)
        home, session = f"{place.settings.console_url}/", Cookies(place.settings.people_url).name("session")
        await context.add_cookies(
            [
                {"name": "language", "value": language, "url": home},
                {"name": session, "value": begun.token, "url": place.settings.people_url},
            ]
        )
        page = await context.new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        await page.goto(f"{home}sign-in")
        await page.wait_for_url(home)
        yield place, page
        assert said == []
        await chromium.close()


@pytest.mark.parametrize("language", ["vi", "en"])
async def test_a_key_is_made_in_the_browser_and_gets_a_token(tmp_path: Path, language: str) -> None:
    words = WORDS[language]
    async with a_developer(tmp_path, language) as (place, page):
        home = f"{place.settings.console_url}/"
        sent: list[str] = []

        def note(request: Request) -> None:
            sent.append(f"{request.url} {request.post_data or ''}")

        page.on("request", note)
        await page.goto(f"{home}systems/register")
        for name, value in (("code", "parcels"), ("name_vi", "Thửa đất"), ("name_en", "Parcels")):
            await page.fill(f"[name={name}]", value)
        await page.get_by_role("button", name=words["register"], exact=True).click()
        await page.wait_for_url(lambda url: url.split("?")[0] == f"{home}systems/{SYSTEM}")

        first = ECKey.import_key(json.loads(await made(page, words, "P-256", "jwk")))
        assert first.is_private
        await told_identity(place, [first], 1)
        assert (await token(place, first)).status_code == 200
        # The next one, while the first is still good; then the first is retired.
        second = OKPKey.import_key(await made(page, words, "Ed25519", "pem"))
        await told_identity(place, [first, second], 2)
        assert [(await token(place, key)).status_code for key in (first, second)] == [200, 200]
        assert await serious_faults(page) == []
        await page.locator("summary", has_text=words["retire"]).first.click()
        await page.get_by_role("button", name=words["retire"]).first.click()
        await expect(page.get_by_text(words["gone"])).to_be_visible()
        await told_identity(place, [second], 3)
        assert [(await token(place, key)).status_code for key in (first, second)] == [401, 200]

        for secret in (first.as_dict(private=True)["d"], second.as_dict(private=True)["d"]):
            assert not any(str(secret) in one for one in sent)
