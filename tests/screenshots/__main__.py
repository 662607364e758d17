"""Writes a screenshot of every page into docs/images, in both languages and both colours.

`python -m tests.screenshots`: Chromium has to be on the machine. Pictures have few colours, so that all of
them together take some hundred kilobytes.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from tests.integration.identity.pages.site import CHROMIUM, a_site
from tests.screenshots.console import write_console
from tests.screenshots.pictures import IMAGES, write_picture

if TYPE_CHECKING:
    from tests.integration.identity.pages.site import Site, Visit

LANGUAGES: Final = ("vi", "en")
SCREEN: Final[dict[str, Any]] = {
    "viewport": {"width": 720, "height": 520},
    "timezone_id": "Asia/Ho_Chi_Minh",
    "user_agent": "Mozilla/5.0 (Windows NT 10.0) Chrome/156.0",
}


async def shoot(visit: Visit, name: str) -> None:
    """Write the page that is open, in light and dark."""
    await write_picture(visit.page, f"{name}-{visit.language}")


async def first_administrator(visit: Visit) -> None:
    """From the link to the own account."""
    await visit.open("/invitation")
    await shoot(visit, "invitation")
    await visit.page.goto(await visit.site.first_link())
    await visit.page.wait_for_selector("input[type=password]")
    await shoot(visit, "accept")
    await visit.accept(await visit.site.first_link())
    await shoot(visit, "sign-in")
    await visit.password()
    await visit.at("/sign-in/enrol")
    await shoot(visit, "enrol")
    await visit.enrol()
    await shoot(visit, "recovery-codes")


async def own_account(visit: Visit) -> None:
    """The own account, with a passkey and a session elsewhere."""
    await visit.authenticator()
    await visit.press("kept", "link")
    await visit.page.locator("details summary").click()
    await visit.page.fill("#passkey-name", "Máy tính cơ quan")
    await visit.press("add passkey")
    await visit.at("/account")
    async with visit.site.visit(visit.language, **SCREEN | {"user_agent": "iPhone Safari/605.1"}) as other:
        await other.password()
        await other.at("/sign-in/second-factor")
        await shoot(other, "second-factor")
        await other.open("/sign-in/recovery-code")
        await shoot(other, "recovery-code")
        await other.page.fill("[name=code]", visit.recovery_codes[0])
        await other.press("continue")
        await other.at("/account")
        await visit.open("/account")
        await shoot(visit, "account")
    await visit.open("/account/password")
    await shoot(visit, "password")
    await visit.open("/account/authenticator")
    await shoot(visit, "authenticator")


async def failures(visit: Visit) -> None:
    """What pages say when something is wrong."""
    await visit.open("/nowhere")
    await shoot(visit, "problem")
    for _ in range(11):
        await visit.open("/sign-in")
        await visit.page.fill("[name=login]", "binh.tran@example.gov.vn")
        await visit.page.fill("[name=password]", "?")
        await visit.press("sign in")
    await shoot(visit, "blocked")


def providers_file(folder: Path) -> Path:
    """Two providers; nobody asks them for a picture."""
    secret = {"method": "client_secret_basic", "secret_file": "secret"}
    named = {
        "tinh": {"vi": "Tài khoản cán bộ của tỉnh", "en": "Account of the province"},
        "quoc-gia": {"vi": "Định danh quốc gia", "en": "National identity"},
    }
    written = [
        {
            "id": name,
            "name": title,
            "issuer": f"https://{name}.example.gov.vn",
            "client_id": "lgsp",
            "authentication": secret,
        }
        for name, title in named.items()
    ]
    (folder / "secret").write_text("secret", "utf-8")
    file = folder / "providers.yaml"
    file.write_text(yaml.safe_dump({"providers": written}), "utf-8")
    return file


async def by_providers(site: Site, language: str) -> None:
    """Signing in where other providers are offered, and to who is signed in already."""
    await site.office.person("an")
    async with site.visit(language, **SCREEN) as visit:
        await visit.open("/sign-in")
        await shoot(visit, "sign-in-providers")
        await visit.password("an@example.vn")
        await visit.at("/account")
        await visit.open("/sign-in")
        await shoot(visit, "signed-in-already")


async def write(site: Site, language: str) -> None:
    """All pages in one language."""
    async with site.visit(language, **SCREEN) as visit:
        await first_administrator(visit)
        await own_account(visit)
    async with site.visit(language, **SCREEN) as visit:
        await failures(visit)


async def main() -> None:
    """Of the pages for signing in one installation for each language: both begin with the first
    administrator. The console's are those of one whole province."""
    if CHROMIUM is None:
        sys.exit("Chromium is not here: install the package chromium, or run make screenshots as root.")
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        await write_console(Path(folder), LANGUAGES)
    for language in LANGUAGES:
        with tempfile.TemporaryDirectory() as folder:
            url = f"sqlite+aiosqlite:///{folder}/identity.db"
            async with a_site(Path(folder), url) as site:
                await write(site, language)
        with tempfile.TemporaryDirectory() as folder:
            url = f"sqlite+aiosqlite:///{folder}/identity.db"
            file = providers_file(Path(folder))
            async with a_site(Path(folder), url, identity_providers_file=file) as site:
                await by_providers(site, language)
    total = sum(one.stat().st_size for one in IMAGES.glob("*.png"))
    print(f"{IMAGES}: {total // 1024} KiB")


if __name__ == "__main__":
    asyncio.run(main())
