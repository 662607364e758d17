"""Operators register agencies by pages; a system is suspended and goes on, by who may, each on record."""

from __future__ import annotations

import html
import json
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from lienthong.catalog.models import OUTBOX
from lienthong.kit.policy import Grant, Role
from tests.integration.console.harness import a_catalog, a_console
from tests.integration.console.reading import forms_of, links_of
from tests.integration.identity.people.harness import LAND

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.integration.console.harness import Place
    from tests.support.catalog import Catalog

SYSTEM = f"{LAND}/land"


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[tuple[Place, Catalog]]:
    async with a_console(tmp_path) as place, a_catalog(place, tmp_path) as catalog:
        yield place, catalog


async def recorded(catalog: Catalog, about: str) -> list[tuple[str, str]]:
    """What the catalog has on record about something: action and who did it, oldest first."""
    async with catalog.database.reading() as session:
        rows = await session.scalars(
            select(OUTBOX.c.payload).where(OUTBOX.c.subject.startswith("journal.")).order_by(OUTBOX.c.id)
        )
        found = [json.loads(row) for row in rows]
    return [(one["action"], one["actor"]) for one in found if one["object"] == about]


async def test_an_operator_registers_an_agency(opened: tuple[Place, Catalog]) -> None:
    place, catalog = opened
    operator = await place.office.person("operator", Grant(Role.PLATFORM_OPERATOR), agency="")
    async with place.signed_in(operator) as visitor:
        assert "/agencies/register" in links_of(await visitor.open("/agencies"))
        page = await visitor.open("/agencies/register")
        named = {"name_vi": "Sở Y tế", "name_en": "Health"}

        for wrong, field in (
            (named | {"code": "?"}, "code-error"),
            (named | {"code": "H11.09", "name_vi": ""}, "name_vi-error"),
            (named | {"code": "H11.09", "class": "XYZ"}, "class-error"),
        ):
            told = await visitor.post(page, "/agencies/register", **wrong)
            assert told.status_code == 422, told.text
            assert f'id="{field}"' in told.text
            assert "Health" in told.text, "what was typed is lost"

        taken = await visitor.post(page, "/agencies/register", **named, code=LAND.lower())
        assert taken.status_code == 409
        assert "Đã có cơ quan mang mã này" in taken.text

        made = await visitor.post(page, "/agencies/register", **named, code=" h11.09 ")
        assert made.url.path == "/agencies/H11.09", made.text
        assert "Sở Y tế" in made.text
        assert "Đã đăng ký" in made.text
    by = f"person/{operator.account.id}"
    assert await recorded(catalog, "Agency/H11.09") == [("agency.create", by)]


async def test_a_system_is_suspended_and_goes_on(opened: tuple[Place, Catalog]) -> None:
    place, catalog = opened
    officer = await place.office.person("officer", Grant(Role.SECURITY_OFFICER, LAND))
    async with place.signed_in(officer) as visitor:
        for act, other, says in (
            ("suspend", "resume", "không cơ quan nào gọi được"),
            ("resume", "suspend", "hãy thay khoá trước"),
        ):
            address = f"/systems/{SYSTEM}/{act}"
            system = await visitor.open(f"/systems/{SYSTEM}")
            assert address in links_of(system)
            page = await visitor.open(address)
            assert says in html.unescape(page.text)
            assert address in forms_of(page)
            after = await visitor.post(page, address)
            assert after.url.path == f"/systems/{SYSTEM}", after.text
            assert f"/systems/{SYSTEM}/{other}" in links_of(after)
        assert (await visitor.open(f"/systems/{SYSTEM}/delete")).status_code == 404
        assert (await visitor.open(f"/systems/{LAND}/nothing/suspend")).status_code == 404
    by = f"person/{officer.account.id}"
    assert (await recorded(catalog, f"System/{SYSTEM}"))[1:] == [
        ("system.suspend", by),
        ("system.resume", by),
    ]


async def test_what_the_platform_suspended_its_agency_is_not_offered_to_resume(
    opened: tuple[Place, Catalog],
) -> None:
    place, catalog = opened
    platform = await place.office.person("watch", Grant(Role.SECURITY_OFFICER), agency="")
    agency = await place.office.person("officer", Grant(Role.SECURITY_OFFICER, LAND))
    address = f"/systems/{SYSTEM}"
    async with place.signed_in(agency) as visitor, place.signed_in(platform) as watcher:
        page = await visitor.open(f"{address}/suspend")
        assert "Cơ quan hoặc nền tảng cho hoạt động lại được" in html.unescape(page.text)
        await visitor.post(page, f"{address}/suspend")
        assert f"{address}/resume" in links_of(await visitor.open(address))

        seen = await watcher.open(address)
        assert {f"{address}/resume", f"{address}/suspend"} <= set(links_of(seen))
        page = await watcher.open(f"{address}/suspend")
        assert "Chỉ nền tảng cho hoạt động lại được" in html.unescape(page.text)
        await watcher.post(page, f"{address}/suspend")

        told = await visitor.open(address)
        assert f"{address}/resume" not in links_of(told)
        assert f"{address}/suspend" not in links_of(told)
        assert "Nền tảng đã tạm ngừng hệ thống này" in html.unescape(told.text)
        refused = await visitor.open(f"{address}/resume")
        assert refused.headers["lgsp-error"] == "suspended-by-platform"
        # Whoever sends the form all the same is refused by the catalog.
        token = forms_of(told)["/sign-out"].fields
        sent = await visitor.send(f"{place.settings.console_url}{address}/resume", token)
        assert sent.headers["lgsp-error"] == "suspended-by-platform"
        assert f"{address}/resume" in links_of(await watcher.open(address))
    assert (await recorded(catalog, f"System/{SYSTEM}"))[1:] == [
        ("system.suspend", f"person/{agency.account.id}"),
        ("system.suspend", f"person/{platform.account.id}"),
    ]


async def test_a_system_too_many_is_told_above_the_form(tmp_path: Path) -> None:
    async with a_console(tmp_path) as place, a_catalog(place, tmp_path, systems_per_agency=1):
        developer = await place.office.person("developer", Grant(Role.DEVELOPER, LAND))
        async with place.signed_in(developer) as visitor:
            page = await visitor.open(f"/systems/register?agency={LAND}")
            typed = {"agency": LAND, "code": "more", "name_vi": "Thêm", "name_en": "More"}
            told = await visitor.post(page, "/systems/register", **typed)
    assert told.status_code == 409
    assert "tối đa 1 hệ thống" in html.unescape(told.text)
    assert "More" in told.text, "what was typed is lost"
