"""People of two agencies come to an agreement and their systems use it, in Chromium and in both languages: a
service from draft to published, a request, two owners, a call that both sides find, an end that is told in
time, an amendment, a refusal, and a merger."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from playwright.async_api import expect

from binh_thuan.people import DATA_OWNER, Administration, DemoPerson
from lienthong.client import Client, Credentials, LienthongError, operations
from tests.e2e.province import Province
from tests.integration.console.browsers import WIDE, chromium_of
from tests.integration.identity.pages.site import BUTTONS, PATIENCE_MS
from tests.support.ports import take_free_offset
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from playwright.async_api import Browser, Page

ROOT: Final = Path(__file__).resolve().parents[2]
DOCUMENT: Final = ROOT / "examples" / "binh-thuan" / "openapi" / "civil-status.yaml"
OWNERS: Final = ("bich.ngo@binh-thuan.example", "khoa.vu@binh-thuan.example")
PASSWORD: Final = "một câu dài mà không ai đoán ra"
BIRTH: Final = "/births/KS-2020-02521"
LAM_DONG: Final = """\
apiVersion: lienthong/v1
kind: Agency
metadata: {id: H68}
spec: {class: GOV, name: {vi: UBND tỉnh Lâm Đồng, en: People's Committee of Lâm Đồng province}}
---
apiVersion: lienthong/v1
kind: Agency
metadata: {id: H68.04}
spec: {class: GOV, parent: H68, name: {vi: Sở Tư pháp, en: Department of Justice}}
"""
WORDS: Final = {
    "vi": {
        "in-review": "đang xem xét", "published": "đã công bố", "endorsed": "chờ người thứ hai duyệt",
        "in-force": "đang có hiệu lực", "rejected": "đã từ chối", "ends": "Thoả thuận sắp hết hạn",
        "key": "Tạo khoá", "saved": "Tải key.jwk", "register": "Đăng ký khoá công khai",
        "suspended": "đang tạm ngừng",
    },
    "en": {
        "in-review": "in review", "published": "published", "endorsed": "awaits a second approval",
        "in-force": "in force", "rejected": "rejected", "ends": "The agreement ends soon",
        "key": "Make the key", "saved": "Download key.jwk", "register": "Register the public key",
        "suspended": "suspended",
    },
}  # fmt: skip


@pytest.fixture
def province(tmp_path: Path) -> Iterator[Province]:
    """A province of its own: people and agreements stay in it."""
    running = Province.start(tmp_path / "home", take_free_offset())
    try:
        yield running
    finally:
        running.stop()


@dataclass
class Somebody:
    """Somebody at a browser of their own, signed in to the console."""

    page: Page
    console: str
    words: dict[str, str]

    async def open(self, path: str) -> None:
        await self.page.goto(f"{self.console}{path}")

    async def at(self, path: str) -> None:
        """Wait until the browser is at this path, whatever the query."""
        await self.page.wait_for_url(re.compile(rf"^{re.escape(self.console + path)}(\?.*)?$"))

    async def see(self, text: str) -> None:
        await expect(self.page.locator("main").get_by_text(text).first).to_be_visible(timeout=PATIENCE_MS)

    async def take(self, path: str, step: str, *, of_amendment: bool = False, **typed: str) -> None:
        """Take a step of an agreement by its form."""
        of = ":has(input[name=of])" if of_amendment else ":not(:has(input[name=of]))"
        form = self.page.locator(f"form[action='{path}/{step}']{of}")
        if not await form.is_visible():
            await self.page.locator("details", has=form).locator("summary").first.click()
        for name, text in typed.items():
            await form.locator(f"[name={name}]").fill(text)
        await form.locator("button").click()
        await self.page.wait_for_url(re.compile(rf"{re.escape(path)}\?done={step}$"))

    async def move(self, path: str, stage: str) -> None:
        """Bring a service into another stage."""
        form = self.page.locator("form", has=self.page.locator(f"input[name=stage][value={stage}]"))
        await form.locator("button").click()
        await self.see(self.words[stage])


async def sign_in(page: Page, language: str, console: str, login: str, password: str) -> Somebody:
    buttons = BUTTONS[language]
    await page.goto(f"{console}/")
    await page.get_by_role("link", name=buttons["sign in"], exact=True).first.click()
    await page.fill("[name=login]", login)
    await page.fill("[name=password]", password)
    await page.get_by_role("button", name=buttons["sign in"], exact=True).first.click()
    await page.wait_for_url(f"{console}/")
    return Somebody(page, console, WORDS[language])


@dataclass
class Offices:
    """The two agencies' people before a running province."""

    province: Province
    chromium: Browser
    language: str

    @asynccontextmanager
    async def somebody(self, login: str, password: str, link: str | None = None) -> AsyncIterator[Somebody]:
        """Who signs in; who has a link chooses the password first."""
        people, console = self.province.addresses["people"], self.province.addresses["console"]
        context = await self.chromium.new_context(viewport=WIDE)
        context.set_default_timeout(PATIENCE_MS)
        await context.add_cookies(
            [{"name": "language", "value": self.language, "url": one} for one in (people, console)]
        )
        try:
            page = await context.new_page()
            if link is not None:
                await page.goto(link)
                await page.fill("[name=password]", password)
                await page.get_by_role("button", name=BUTTONS[self.language]["make"], exact=True).click()
                await page.wait_for_url(re.compile("/sign-in"))
            yield await sign_in(page, self.language, console, login, password)
        finally:
            await context.close()

    def link(self, login: str, role: str, agency: str) -> str:
        """The one-time link of a person whom the operator invites."""
        person = DemoPerson(login, "Đỗ Bình An", role, agency, DATA_OWNER)
        with Administration.of(self.province.home / "operator", self.province.gateway) as administration:
            (found,) = administration.sign_ins([person])
        assert found.link is not None
        return found.link

    def password(self, login: str) -> str:
        found: dict[str, str] = json.loads((self.province.home / "demo" / "owners.json").read_text())
        return found[login]


async def registered(developer: Somebody, code: str) -> dict[str, Any]:
    """Register a system, and have the browser make its key; gives the key that it saved."""
    await developer.open("/systems/register")
    page, words = developer.page, developer.words
    for name in ("code", "name_vi", "name_en"):
        await page.fill(f"[name={name}]", code)
    await page.locator("main form button").click()
    await developer.at(f"/systems/H11.05/{code}")
    await page.get_by_role("button", name=words["key"], exact=True).click()
    async with page.expect_download() as saved:
        await page.get_by_role("button", name=words["saved"], exact=True).click()
    text = await asyncio.to_thread(Path(await (await saved.value).path()).read_text, "utf-8")
    await page.get_by_role("button", name=words["register"], exact=True).click()
    await page.wait_for_url(re.compile("done=key-added"))
    found: dict[str, Any] = json.loads(text)
    return found


async def asked(developer: Somebody, service: str, consumer: str, until: str) -> str:
    """Ask for one operation of a service; gives the path of the agreement."""
    await developer.open(f"/requests/new?service={service}")
    page = developer.page
    await page.select_option("#consumer", consumer)
    await page.locator("input[name='operation:getBirth']").check()
    await page.fill("[name=purposes]", "TTHC.DAT-DAI")
    await page.fill("[name=legalGround]", "Luật Đất đai số 31/2024/QH15")
    if until:
        await page.fill("[name=validTo]", until)
    await page.locator("main form button.btn-main").click()
    await page.wait_for_url(re.compile("done=request$"))
    return page.url.removeprefix(developer.console).partition("?")[0]


@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("language", ["vi", "en"])
async def test_two_agencies_come_to_an_agreement_and_use_it(province: Province, language: str) -> None:
    service = "H11.04/civil-status/births-v1"
    upstream = f"http://127.0.0.1:{8203 + province.offset}"
    builder, caller = "an.do@binh-thuan.example", "binh.ly@binh-thuan.example"
    soon = (datetime.now(UTC) + timedelta(days=5)).date().isoformat()
    async with chromium_of() as context:
        assert context.browser is not None
        offices = Offices(province, context.browser, language)
        links = {
            builder: offices.link(builder, "developer", "H11.04"),
            caller: offices.link(caller, "developer", "H11.05"),
        }
        async with (
            offices.somebody(builder, PASSWORD, links[builder]) as developer,
            offices.somebody(caller, PASSWORD, links[caller]) as consumer,
            offices.somebody(OWNERS[0], offices.password(OWNERS[0])) as first,
            offices.somebody(OWNERS[1], offices.password(OWNERS[1])) as second,
        ):
            # A developer drafts a service of the own system, an owner publishes it.
            await developer.open("/services/new?system=H11.04/civil-status")
            for name, text in (("code", "births-v1"), ("name_vi", "Khai sinh"), ("name_en", "Births")):
                await developer.page.fill(f"[name={name}]", text)
            await developer.page.fill("[name=upstreams]", upstream)
            await developer.page.set_input_files("#document-file", DOCUMENT)
            await expect(developer.page.locator("#document")).not_to_have_value("")
            await developer.page.locator("main form button.btn-main").click()
            await developer.at(f"/services/{service}")
            await developer.move(f"/services/{service}", "in-review")
            await first.open(f"/services/{service}")
            await first.move(f"/services/{service}", "published")

            # Another agency's developer registers a system with a key of its own, and asks for an agreement.
            key = await registered(consumer, "notices")
            path = await asked(consumer, service, "H11.05/notices", soon)
            await first.open("/decisions")
            await first.page.locator(f"main a[href='{path}']").click()
            await first.take(path, "approve")
            await first.see(first.words["endorsed"])
            await second.open(path)
            await second.take(path, "approve")
            await second.see(second.words["in-force"])
            # Both sides are told in time that it ends.
            await second.see(second.words["ends"])
            await consumer.open(path)
            await consumer.see(consumer.words["ends"])

            # The system calls with the key that the browser made; both sides find the call.
            credentials = Credentials.new("H11.05/notices", gateway=province.gateway)
            folder = province.home / "notices"
            credentials.save(folder)
            (folder / "key.jwk").write_text(json.dumps(key))
            await passes(folder, service)
            for side in (folder, province.home / "demo" / "civil-status"):
                await finds(side, service)

            # What is amended holds once both owners have approved it.
            await consumer.open(f"{path}/amend")
            await consumer.page.fill("[name=purposes]", "TTHC.DAT-DAI, TTHC.HO-TICH")
            await consumer.page.fill("[name=reason]", "Thêm mục đích")
            await consumer.page.locator("main form button").click()
            await consumer.page.wait_for_url(re.compile("done=amend$"))
            for owner in (first, second):
                await owner.open(path)
                await owner.take(path, "approve", of_amendment=True)
            await consumer.open(path)
            await consumer.see("TTHC.DAT-DAI, TTHC.HO-TICH")

            # A refusal names its legal ground.
            refused = await asked(consumer, "H11.04/civil-status/civil-status-v1", "H11.05/notices", "")
            await first.open(refused)
            await first.take(refused, "reject", legal_ground="Điều 16 Nghị định 194/2025/NĐ-CP")
            await consumer.open(refused)
            await consumer.see(consumer.words["rejected"])
            await consumer.see("Điều 16 Nghị định 194/2025/NĐ-CP")

        # The department's province is merged: calls go on, and its owners decide for the one that goes on.
        merger = ("agency", "merge", "H11.04", "--into", "H68.04", "--on", "2025-07-01")
        for words in (("apply", "-f", str(lam_dong(province.home))), merger):
            done = await asyncio.to_thread(province.command, *words)
            assert done.returncode == 0, done.stderr
        await passes(folder, service)
        async with offices.somebody(OWNERS[0], offices.password(OWNERS[0])) as first:
            await first.open(path)
            await first.take(path, "suspend", reason="Kiểm tra sau sáp nhập")
            await first.see(first.words["suspended"])


def lam_dong(folder: Path) -> Path:
    """A manifest of the province that goes on, and of its department."""
    file = folder / "lam-dong.yaml"
    file.write_text(LAM_DONG, encoding="utf-8")
    return file


async def passes(folder: Path, service: str) -> None:
    """Call until the gateway has heard of the agreement, and identity of the key."""

    def status() -> int:
        with Client.from_folder(folder) as client:
            try:
                operation = operations.call(service, "GET", BIRTH, purpose="TTHC.DAT-DAI")
                return client.send(operation).status_code
            except LienthongError:
                return 0

    async def done() -> bool:
        return await asyncio.to_thread(status) == 200

    await eventually(done, within=60, every=0.5)


async def finds(folder: Path, service: str) -> None:
    """Find the call with a side's own key."""

    def statuses() -> set[int]:
        with Client.from_folder(folder) as client:
            entries = client.entries({"service": service, "client": "H11.05/notices"})
            return {int(one["record"]["status"]) for one in entries if one["record"]["kind"] == "call"}

    async def done() -> bool:
        return 200 in await asyncio.to_thread(statuses)

    await eventually(done, within=60, every=0.5)
