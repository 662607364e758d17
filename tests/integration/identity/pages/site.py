"""The pages on a real port, and real browsers before them: Chromium, found on the machine."""

from __future__ import annotations

import asyncio
import re
import shutil
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import pyotp
import uvicorn
from playwright.async_api import async_playwright, expect

from lienthong.identity.bootstrap import create_pages
from tests.integration.identity.harness import settings_for
from tests.integration.identity.pages.harness import LOGIN, NAME
from tests.integration.identity.people.harness import PASSWORD, Office, an_office
from tests.support.axe import serious_faults
from tests.support.ports import take_free_port
from tests.support.waiting import ended, eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playwright.async_api import Browser, BrowserContext, Page

    from lienthong.identity.settings import IdentitySettings

CHROMIUM: Final = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
BUTTONS: Final[dict[str, dict[str, str]]] = {
    "vi": {
        "sign in": "Đăng nhập",
        "continue": "Tiếp tục",
        "confirm": "Xác nhận",
        "make": "Lập tài khoản",
        "kept": "Đã lưu, tiếp tục",
        "sign out": "Đăng xuất",
        "by passkey": "Đăng nhập bằng khoá truy cập",
        "use passkey": "Dùng khoá truy cập",
        "make passkey": "Tạo khoá truy cập",
        "add passkey": "Tạo trên thiết bị này",
        "recovery": "Dùng mã khôi phục",
        "my account": "Tài khoản của tôi",
    },
    "en": {
        "sign in": "Sign in",
        "continue": "Continue",
        "confirm": "Confirm",
        "make": "Make the account",
        "kept": "I have kept them: continue",
        "sign out": "Sign out",
        "by passkey": "Sign in with a passkey",
        "use passkey": "Use a passkey",
        "make passkey": "Make a passkey",
        "add passkey": "Make it on this device",
        "recovery": "Use a recovery code",
        "my account": "My account",
    },
}
"""What people press and read, in each language."""
PATIENCE_MS: Final = 60_000
START_MS: Final = 120_000
"""What Chromium may take to start: it is the first time that its files are read."""


@dataclass
class Visit:
    """Somebody at a browser of their own, who reads pages in one language."""

    site: Site
    context: BrowserContext
    page: Page
    language: str
    secret: str = ""
    recovery_codes: list[str] = field(default_factory=list)

    async def open(self, path: str) -> None:
        await self.page.goto(f"{self.site.url}{path}")

    async def press(self, what: str, role: Any = "button") -> None:  # noqa: ANN401 - a literal of Playwright's
        await self.page.get_by_role(role, name=BUTTONS[self.language][what], exact=True).first.click()

    async def at(self, path: str) -> None:
        """Wait until the browser is at this path."""
        await self.page.wait_for_url(re.compile(rf"^{re.escape(self.site.url + path)}(\?.*)?$"))

    async def accept(self, link: str, login: str = LOGIN, name: str | None = NAME) -> None:
        """Open a one-time link and take the account over."""
        await self.page.goto(link)
        await self.page.wait_for_selector("input[type=password]")
        assert "#" not in self.page.url
        if name is not None:
            await self.page.fill("[name=login]", login)
            await self.page.fill("[name=name]", name)
        await self.page.fill("[name=password]", PASSWORD)
        await self.press("make")
        await self.at("/sign-in")

    async def password(self, login: str = LOGIN) -> None:
        """Begin to sign in."""
        await self.open("/sign-in")
        await self.page.fill("[name=login]", login)
        await self.page.fill("[name=password]", PASSWORD)
        await self.press("sign in")

    async def enrol(self) -> None:
        """Scan the code of the page, confirm it, and keep the recovery codes."""
        await self.at("/sign-in/enrol")
        self.secret = (await self.page.locator(".secret").text_content() or "").replace(" ", "")
        await self.page.fill("[name=code]", self.code())
        await self.press("confirm")
        self.recovery_codes = await self.codes()

    async def codes(self) -> list[str]:
        """The ten recovery codes of the page, when it is there."""
        shown = self.page.locator(".codes li")
        await expect(shown).to_have_count(10, timeout=PATIENCE_MS)
        return await shown.all_inner_texts()

    def code(self) -> str:
        """A code of the application that was not used."""
        self.site.office.clock.advance(30)
        return pyotp.TOTP(self.secret).at(self.site.office.clock.now())

    async def authenticator(self) -> None:
        """Give the device a passkey authenticator that knows its owner (WebDriver's virtual one, by CDP)."""
        session = await self.context.new_cdp_session(self.page)
        await session.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        await session.send("WebAuthn.addVirtualAuthenticator", {"options": options})

    async def faults(self) -> list[str]:
        """What axe-core finds serious on the page that is open."""
        return await serious_faults(self.page)

    async def see(self, text: str) -> None:
        await expect(self.page.get_by_text(text).first).to_be_visible(timeout=PATIENCE_MS)


@dataclass
class Site:
    """Pages that answer on a port of this machine."""

    office: Office
    url: str
    chromium: Browser

    @asynccontextmanager
    async def visit(self, language: str = "vi", **options: Any) -> AsyncIterator[Visit]:  # noqa: ANN401
        """A browser that nobody has used yet."""
        context = await self.chromium.new_context(**options)
        context.set_default_timeout(PATIENCE_MS)
        await context.add_cookies([{"name": "language", "value": language, "url": self.url}])
        try:
            yield Visit(self, context, await context.new_page(), language)
        finally:
            await context.close()

    async def first_link(self) -> str:
        link = await self.office.core.people.people.administrator_link()
        return f"{self.url}/invitation#{link.token}"


@asynccontextmanager
async def a_site(
    folder: Path,
    database_url: str,
    **more: Any,  # noqa: ANN401 - settings of the process
) -> AsyncIterator[Site]:
    """Accounts, their pages on a free port, and Chromium."""
    url = f"http://localhost:{take_free_port()}"
    settings = settings_for(folder, database_url, people_url=url, **more)
    async with (
        an_office(folder, database_url, settings=settings) as office,
        opened(office, settings) as site,
    ):
        yield site


@asynccontextmanager
async def opened(office: Office, settings: IdentitySettings) -> AsyncIterator[Site]:
    """The pages of an office, at the address that its settings name, and Chromium."""
    port = urlsplit(settings.people_url).port or 0
    config = uvicorn.Config(create_pages(settings, office.core), port=port, log_config=None)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    await eventually(lambda: server.started)
    try:
        async with async_playwright() as playwright:
            chromium = await playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"], timeout=START_MS
            )
            yield Site(office, settings.people_url, chromium)
            await chromium.close()
    finally:
        server.should_exit = True
        await ended("the HTTP server", serving)
