"""Pages call agencies by their names, with the code beside, as long as the catalog tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from lienthong.console.agency_names import AgencyNames
from lienthong.console.errors import platform_away
from lienthong.kit.clock import ManualClock
from lienthong.kit.policy import Grant, Role
from tests.integration.console.harness import a_catalog, a_console
from tests.integration.identity.people.harness import LAND

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lienthong.console.platform import Desk


class Catalog:
    """Answers as the catalog does, and counts how often."""

    def __init__(self) -> None:
        self.names: dict[str, object] = {}
        self.asked: list[str] = []

    async def get(self, path: str) -> Mapping[str, object]:
        self.asked.append(path.removeprefix("/catalog/v1/agencies/"))
        if (found := self.names.get(self.asked[-1])) is None:
            raise platform_away()
        return {"spec": {"name": found}}


@pytest.fixture
def catalog() -> Catalog:
    return Catalog()


async def test_each_is_asked_for_once_in_five_minutes(catalog: Catalog) -> None:
    clock = ManualClock()
    names, desk = AgencyNames(clock), cast("Desk", catalog)
    catalog.names["H11.05"] = {"vi": "Sở Nông nghiệp", "en": "Agriculture"}
    for _ in range(2):
        shown = await names.of(desk, ["H11.05", "", "H11.05"])
        assert (shown("H11.05").vi, shown("H11.05").en) == ("Sở Nông nghiệp (H11.05)", "Agriculture (H11.05)")
        assert (shown("").vi, shown("H11.06").en) == ("", "H11.06")
    assert catalog.asked == ["H11.05"]
    catalog.names["H11.05"] = {"vi": "Sở Môi trường", "en": "Environment"}
    clock.advance(300)
    assert (await names.of(desk, ["H11.05"]))("H11.05").vi == "Sở Môi trường (H11.05)"


@pytest.mark.parametrize("found", [None, "Land", {"vi": "Đất"}, {"vi": 1, "en": 2}])
async def test_without_a_name_it_is_the_code(catalog: Catalog, found: object) -> None:
    catalog.names["H11.05"] = found
    names = AgencyNames(ManualClock())
    assert (await names.of(cast("Desk", catalog), ["H11.05"]))("H11.05").vi == "H11.05"
    catalog.names["H11.05"] = {"vi": "Đất", "en": "Land"}
    assert (await names.of(cast("Desk", catalog), ["H11.05"]))("H11.05").en == "Land (H11.05)"


async def test_a_code_stays_one_part_of_the_address_and_few_are_asked_for(catalog: Catalog) -> None:
    names = AgencyNames(ManualClock())
    await names.of(cast("Desk", catalog), ["../../audit?x"])
    assert catalog.asked == ["..%2F..%2Faudit%3Fx"]
    await names.of(cast("Desk", catalog), [f"H{number}" for number in range(200)])
    assert len(catalog.asked) == 51


@pytest.mark.parametrize("language", ["vi", "en"])
async def test_pages_show_names(tmp_path: Path, language: str) -> None:
    name = f"Cơ quan {LAND} ({LAND})"
    async with a_console(tmp_path) as place, a_catalog(place, tmp_path):
        administrator = await place.office.person("admin", Grant(Role.AGENCY_ADMINISTRATOR, LAND))
        colleague = await place.office.person("minh", Grant(Role.DEVELOPER, LAND))
        pages = ["/", "/people", f"/people/{colleague.account.id}", "/people/invite"]
        pages += ["/systems", "/systems/register", f"/systems/{LAND}/land"]
        async with place.signed_in(administrator) as visitor:
            visitor.http.cookies.set("language", language)
            for path in pages:
                assert name in (await visitor.open(path)).text, path
            del place.gateway.others["catalog"]
            assert name in (await visitor.home()).text
