"""Pages in Chromium, in both languages: from nothing to the first administrator, passkeys, ended sessions.

What axe-core calls serious, what the browser refuses by the content security policy, and pages that are wider
than a small telephone fail a test wherever they are met.
"""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from lienthong.identity.people.service.people import NewPerson
from lienthong.kit.policy import Grant, Role
from tests.integration.identity.pages.site import CHROMIUM, Site, Visit, a_site
from tests.integration.identity.people.harness import OPERATOR
from tests.support.databases import skip_or_fail

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

# What hangs ends by the limits of the browser; on a busy machine axe takes its time.
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(900)]
LANGUAGES = ("vi", "en")
SMALL = 320


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    if CHROMIUM is None:
        skip_or_fail("there is no Chromium on this machine")
    folder = tmp_path_factory.mktemp("site")
    async with a_site(folder, f"sqlite+aiosqlite:///{folder / 'identity.db'}") as opened:
        yield opened


@asynccontextmanager
async def watched(site: Site, language: str = "vi", **options: Any) -> AsyncIterator[Visit]:  # noqa: ANN401
    """A visit in which the browser finds nothing to complain of."""
    async with site.visit(language, **options) as visit:
        complaints: list[str] = []
        visit.page.on("pageerror", lambda error: complaints.append(str(error)))
        visit.page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        yield visit
        # That a form was answered with 403 is told, too; it was looked at where it happened.
        assert [one for one in complaints if "status of 4" not in one] == []


async def sound(visit: Visit) -> None:
    """Nothing serious is found on the page, light and dark, on a desk and on a small telephone."""
    wide = visit.page.viewport_size
    for theme in ("light", "dark"):
        await visit.page.evaluate("t => document.documentElement.setAttribute('data-bs-theme', t)", theme)
        assert await visit.faults() == [], f"{visit.page.url}, {theme}"
    await visit.page.set_viewport_size({"width": SMALL, "height": 640})
    width = await visit.page.evaluate("document.documentElement.scrollWidth")
    assert width <= SMALL, visit.page.url
    assert wide is not None
    await visit.page.set_viewport_size(wide)


async def administrator(visit: Visit, login: str) -> None:
    """An administrator with an authenticator application, signed in."""
    await visit.accept(await visit.site.first_link(), login)
    await visit.password(login)
    await visit.enrol()
    await visit.press("kept", "link")
    await visit.at("/account")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_from_nothing_to_the_first_administrator(site: Site, language: str) -> None:
    login = f"first.{language}@example.gov.vn"
    async with watched(site, language) as visit:
        await visit.open("/invitation")
        await sound(visit)
        await visit.page.goto(await site.first_link())
        await visit.page.wait_for_selector("[name=login]")
        await sound(visit)
        await visit.page.fill("[name=login]", login)
        await visit.page.fill("[name=name]", "Trần Thị Bình")
        await visit.page.fill("[name=password]", "too short")
        await visit.press("make")
        await visit.page.wait_for_selector(".field-error")
        assert await visit.page.locator("[name=password]").get_attribute("aria-invalid") == "true"
        await sound(visit)
        await visit.accept(await site.first_link(), login)
        await sound(visit)
        await visit.password(login)
        await visit.at("/sign-in/enrol")
        await sound(visit)
        await visit.enrol()
        await sound(visit)
        await visit.press("kept", "link")
        await visit.at("/account")
        await sound(visit)
        for path in ("/account/password", "/account/authenticator", "/nowhere"):
            await visit.open(path)
            await sound(visit)
        await visit.open("/account")
        await visit.press("sign out")
        await visit.at("/sign-in")
        await visit.password(login)
        await visit.at("/sign-in/second-factor")
        await sound(visit)
        await visit.page.fill("[name=code]", visit.code())
        await visit.press("continue")
        await visit.at("/account")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_passkey_alone_and_as_second_factor(site: Site, language: str) -> None:
    login = f"passkey.{language}@example.gov.vn"
    async with watched(site, language) as visit:
        await visit.authenticator()
        # Else the virtual authenticator would answer as soon as the page offers a passkey beside the login.
        await visit.page.add_init_script("PublicKeyCredential.isConditionalMediationAvailable = undefined")
        await visit.accept(await site.first_link(), login)
        await visit.password(login)
        await visit.at("/sign-in/enrol")
        await visit.press("make passkey")
        await visit.press("kept", "link")
        await visit.at("/account")
        await visit.press("sign out")
        await visit.at("/sign-in")
        await visit.press("by passkey")
        await visit.at("/account")
        await visit.press("sign out")
        await visit.at("/sign-in")
        await visit.password(login)
        await visit.at("/sign-in/second-factor")
        await visit.press("use passkey")
        await visit.at("/account")
        # The device has one of this account, and says so.
        await visit.page.locator("details summary").click()
        await visit.press("add passkey")
        await visit.see({"vi": "đã có khoá truy cập", "en": "has a passkey of the account"}[language])


async def test_a_passkey_is_offered_where_the_browser_fills_in_names(site: Site) -> None:
    login = "autofill@example.gov.vn"
    async with watched(site) as visit:
        await visit.accept(await site.first_link(), login)
        await visit.password(login)
        await visit.at("/sign-in/enrol")
        await visit.authenticator()
        await visit.press("make passkey")
        await visit.press("kept", "link")
        await visit.at("/account")
        await visit.press("sign out")
        # The page asks by itself, and the virtual authenticator stands for a person who chooses the passkey.
        await visit.at("/account")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_recovery_code_lets_in_once(site: Site, language: str) -> None:
    login = f"recovery.{language}@example.gov.vn"
    async with watched(site, language) as visit:
        await administrator(visit, login)
        code = visit.recovery_codes[0]
        for good in (True, False):
            await visit.password(login)
            await visit.at("/sign-in/second-factor")
            await visit.press("recovery", "link")
            await visit.at("/sign-in/recovery-code")
            await visit.page.fill("[name=code]", code.lower().replace("-", " "))
            await visit.press("continue")
            if good:
                await visit.at("/account")
        await visit.see({"vi": "Mã không đúng hoặc đã dùng", "en": "Not right, or used already"}[language])
        await visit.at("/sign-in/recovery-code")
        await sound(visit)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_session_that_is_ended_in_another_browser_is_out_with_the_next_request(
    site: Site, language: str
) -> None:
    login = f"sessions.{language}@example.gov.vn"
    async with watched(site, language) as visit, watched(site, language) as other:
        await administrator(visit, login)
        other.secret = visit.secret
        await other.password(login)
        await other.page.fill("[name=code]", other.code())
        await other.press("continue")
        await other.at("/account")
        await other.page.get_by_role("button", name=re.compile("^(Kết thúc|End)")).click()
        await other.page.wait_for_url(re.compile("[?&]done="))
        await visit.open("/account")
        await visit.at("/sign-in")
        await other.open("/account")
        await other.at("/account")


async def test_without_scripts_everything_is_there_but_passkeys(site: Site) -> None:
    login = "no.scripts@example.gov.vn"
    async with watched(site, java_script_enabled=False) as visit:
        await visit.page.goto(await site.first_link())
        await visit.page.fill("[name=link]", await site.first_link())
        await visit.press("continue")
        await visit.page.fill("[name=login]", login)
        await visit.page.fill("[name=name]", "Lê Văn Cường")
        await visit.page.fill("[name=password]", "ba con trâu ngoài đồng")
        await visit.press("make")
        await visit.password(login)
        await visit.at("/sign-in/enrol")
        assert await visit.page.get_by_role("button", name="Tạo khoá truy cập").count() == 0
        await visit.enrol()
        await visit.press("kept", "link")
        await visit.at("/account")
        await visit.open("/account/password")
        await visit.page.fill("[name=old]", "ba con trâu ngoài đồng")
        await visit.page.fill("[name=new]", "bốn con trâu ngoài đồng")
        await visit.page.get_by_role("button", name="Đổi mật khẩu").click()
        await visit.see("Đã đổi mật khẩu")
        await visit.page.get_by_role("link", name="Tạo mã mới").click()
        await visit.page.get_by_role("button", name="Tạo mười mã mới").click()
        assert len(await visit.codes()) == 10


async def test_an_invited_person_without_a_demanding_role_needs_a_password_alone(site: Site) -> None:
    wanted = NewPerson("dung@example.vn", "Phạm Dũng", "H11.05", frozenset({Grant(Role.DEVELOPER, "H11.05")}))
    _, link = await site.office.core.people.people.invite(OPERATOR, wanted)
    async with watched(site) as visit:
        await visit.accept(f"{site.url}/invitation#{link.token}", name=None)
        await visit.password(wanted.login)
        await visit.at("/account")
        await visit.see("Nhà phát triển (H11.05)")
        await visit.page.goto(f"{site.url}/invitation#{link.token}")
        await visit.see("Liên kết không dùng được")


async def test_the_first_page_is_small_and_quick(site: Site) -> None:
    loads: list[float] = []
    for _ in range(3):
        # Each visit has nothing kept yet.
        async with watched(site) as visit:
            await visit.open("/sign-in")
            took, size = await visit.page.evaluate(
                "[performance.getEntriesByType('navigation')[0].loadEventStart, "
                "[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]"
                ".reduce((sum, one) => sum + one.encodedBodySize, 0)]"
            )
            loads.append(took)
            assert 10_000 < size < 300_000
    # The machine may do something else meanwhile, but not each time.
    assert min(loads) < 1_000


async def test_colours_follow_the_device_until_somebody_chooses(site: Site) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    async with watched(site, color_scheme="dark") as visit:
        await visit.open("/sign-in")
        dark = await visit.page.evaluate(background)
        assert await visit.faults() == []
        await visit.page.get_by_role("button", name="Sáng").click()
        await visit.page.wait_for_selector("html[data-bs-theme=light]")
        assert await visit.page.evaluate(background) != dark
        await visit.page.get_by_role("button", name="Theo thiết bị").click()
        await visit.page.wait_for_selector("html:not([data-bs-theme])")
        assert await visit.page.evaluate(background) == dark


async def test_times_are_in_the_zone_of_who_looks(site: Site) -> None:
    async with watched(site, timezone_id="America/New_York") as visit:
        await administrator(visit, "zone@example.gov.vn")
        await visit.open("/account")
        shown = await visit.page.locator("small").last.inner_text()
        found = re.search(r"(\d\d):(\d\d) \((?:\d\d/\d\d )?(\d\d):\2 UTC\)", shown)
        assert found is not None, shown
        assert (int(found[3]) - int(found[1])) % 24 == 5


async def test_a_keyboard_finds_the_way_to_the_content(site: Site) -> None:
    async with watched(site) as visit:
        await visit.open("/sign-in")
        await visit.page.keyboard.press("Tab")
        skip = visit.page.get_by_role("link", name="Tới nội dung chính")
        assert await skip.evaluate("one => one === document.activeElement")
        assert await skip.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"
        await visit.page.keyboard.press("Enter")
        assert await visit.page.evaluate("document.activeElement.id") == "content"
