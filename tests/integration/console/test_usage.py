"""Use in the console: each side sees its own numbers, errors come with what to do, and lead to the calls."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from lienthong.kit.policy import Grant, Role
from tests.integration.console.harness import a_catalog, a_console, a_ledger, called
from tests.integration.console.reading import links_of
from tests.integration.identity.people.harness import LAND, ONE_STOP

if TYPE_CHECKING:
    from pathlib import Path

    import httpx


def rows(page: httpx.Response) -> list[list[str]]:
    """The rows of the table, each as the texts of its cells."""
    assert page.status_code == 200, page.text
    body = page.text.partition("<tbody>")[2].partition("</tbody>")[0]
    found = []
    for row in re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL):
        cells = re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)
        found.append([" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in cells])
    return found


async def test_an_owner_sees_who_uses_the_agencys_services_and_the_calls(tmp_path: Path) -> None:
    async with a_console(tmp_path) as place, a_catalog(place, tmp_path), a_ledger(place, tmp_path):
        owner = await place.office.person("owner", Grant(Role.DATA_OWNER, LAND))
        async with place.signed_in(owner) as visitor:
            page = await visitor.open("/usage")
            service = f"{LAND}/land/parcels-v1"
            assert [row[:7] for row in rows(page)] == [
                [f"{ONE_STOP}/land", service, "getParcel", "land-procedure", "2", "1", "1"]
            ]
            (calls,) = [link for link in links_of(page) if link.startswith("/records?")]
            records = await visitor.open(calls.replace("&amp;", "&"))
            assert records.text.count("<details") == 2 + page.text.count("<details")
            assert "no-agreement" in records.text
            assert [row[:7] for row in rows(await visitor.open("/usage?view=from"))] == [
                [f"{LAND}/land", f"{ONE_STOP}/land/parcels-v1", "getParcel", "land-procedure", "3", "0", "0"]
            ]
            refused = await visitor.open(f"/usage?agency={ONE_STOP}")
            assert (refused.status_code, "<tbody>" in refused.text) == (403, False)


async def test_a_developer_is_told_what_failed_and_what_to_do(tmp_path: Path) -> None:
    async with a_console(tmp_path) as place, a_catalog(place, tmp_path), a_ledger(place, tmp_path):
        grant = Grant(Role.DEVELOPER, ONE_STOP)
        developer = await place.office.person("developer", grant, agency=ONE_STOP)
        async with place.signed_in(developer) as visitor:
            visitor.http.cookies.set("language", "en")
            page = await visitor.open("/usage?view=errors")
            told = {row[2] for row in rows(page)}
            assert len(told) == 3
            assert any("no-agreement" in one and "lienthong agreement request" in one for one in told)
            assert any(one.startswith("The provider itself answered so 5xx") for one in told)
            assert any("caller-stalled" in one for one in told)
            # Records are for others, and nothing leads there.
            assert not any(link.startswith("/records") for link in links_of(page))


@pytest.mark.parametrize("pairs", [2, 60])
async def test_an_operator_sees_who_talks_to_whom_however_many_there_are(tmp_path: Path, pairs: int) -> None:
    records = [
        called(f"H12.{number:02d}", LAND, **({"status": 502} if number == 1 else {}))
        for number in range(pairs)
    ]
    token = called(LAND, LAND, service="lienthong/identity")
    async with (
        a_console(tmp_path) as place,
        a_catalog(place, tmp_path),
        a_ledger(place, tmp_path, *records, token),
    ):
        operator = await place.office.person("operator", Grant(Role.PLATFORM_OPERATOR), agency="")
        async with place.signed_in(operator) as visitor:
            page = await visitor.open("/usage/graph?days=1")
            found = rows(page)
            assert len(found) == pairs
            assert "lienthong" not in {row[1] for row in found}
            assert {row[4] for row in found} == {"0.0 %", "100.0 %"}
            nodes = page.text.count('class="node"')
            assert nodes == min(pairs + 1, 17)
            assert ("khác" in page.text.partition("<svg")[2].partition("</svg>")[0]) is (pairs > 16)
            assert "style=" not in page.text


async def test_without_calls_the_pages_say_so(tmp_path: Path) -> None:
    token = called(LAND, LAND, service="lienthong/identity")
    async with a_console(tmp_path) as place, a_catalog(place, tmp_path), a_ledger(place, tmp_path, token):
        operator = await place.office.person("operator", Grant(Role.PLATFORM_OPERATOR), agency="")
        async with place.signed_in(operator) as visitor:
            assert "Không có lời gọi nào giữa các cơ quan" in (await visitor.open("/usage/graph")).text
            assert "Không có lời gọi nào như vậy" in (await visitor.open("/usage?agency=H11.98")).text
