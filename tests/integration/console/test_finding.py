"""People find APIs by words, narrow what was found, and read how to ask for it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from lienthong.kit.policy import Grant, Role
from tests.integration.console.browsers import chromium_of
from tests.integration.console.harness import a_catalog, a_console
from tests.integration.console.reading import links_of
from tests.integration.console.test_every_page_in_a_browser import address, signed_in
from tests.integration.identity.people.harness import LAND, ONE_STOP

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.integration.console.harness import Place

SERVICE = f"/catalog/services/{LAND}/land/parcels-v1"


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with a_console(tmp_path) as opened, a_catalog(opened, tmp_path):
        yield opened


async def test_words_filters_and_pages_of_what_was_found(place: Place) -> None:
    auditor = await place.office.person("auditor", Grant(Role.AUDITOR, LAND))
    async with place.signed_in(auditor) as visitor:
        page = await visitor.open("/catalog?q=THUA+DAT")
        assert "4 kết quả" in page.text
        assert "Tra cứu <mark>thửa</mark> <mark>đất</mark>" in page.text
        assert {SERVICE, f"/catalog/event-types/{LAND}/land/parcel-changed-v1"} <= set(links_of(page))
        narrow = f"/catalog?q=THUA+DAT&kind=Service&agency={LAND}"
        assert narrow.replace(f"&agency={LAND}", "") in links_of(page)
        page = await visitor.open(narrow)
        assert "1 kết quả" in page.text
        assert f"/catalog/services/{ONE_STOP}/land/parcels-v1" not in links_of(page)
        assert 'name="kind" value="Service"' in page.text

        page = await visitor.open(SERVICE)
        for text in (
            "Tra cứu thửa đất",
            "Ranh giới và diện tích",
            "getParcel",
            f"/api/{LAND}/land/parcels-v1",
        ):
            assert text in page.text
        assert f"--service {LAND}/land/parcels-v1" in page.text
        page = await visitor.open(f"/catalog/event-types/{LAND}/land/parcel-changed-v1")
        assert "parcelId" in page.text
        assert f"--event-type {LAND}/land/parcel-changed-v1" in page.text


async def test_what_cannot_be_found_is_told_on_the_page(place: Place) -> None:
    developer = await place.office.person("developer", Grant(Role.DEVELOPER, LAND))
    async with place.signed_in(developer) as visitor:
        assert "Không tìm thấy gì" in (await visitor.open("/catalog?q=khongco")).text
        page = await visitor.open("/catalog?q=a+b+c+d+e+f+g+h+i+j+k")
        assert page.status_code == 422
        assert "hơn 10 từ" in page.text
        for path in (SERVICE.replace("parcels", "nothing"), "/catalog/services/H11.05/land/..%2f"):
            assert (await visitor.open(path)).status_code == 404


@pytest.mark.timeout(900)
async def test_results_show_while_one_types_and_the_address_keeps_them(tmp_path: Path) -> None:
    async with (
        a_console(tmp_path) as place,
        a_catalog(place, tmp_path),
        chromium_of() as context,
        signed_in(place, context, Role.DEVELOPER, "vi") as page,
    ):
        await page.goto(address(place, "/catalog"))
        await page.locator("[name=q]").press_sequentially("thửa đ")
        await page.wait_for_selector("#found mark >> text=thửa")
        assert re.search(r"\d+ kết quả", await page.inner_text("#count"))
        await page.wait_for_url("**/catalog?q=th*")
        assert await page.evaluate("document.activeElement.name") == "q"
