"""What several people do with the systems of an agency at the same moment, on both databases."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from lienthong.catalog.systems.domain.system import Suspender
from lienthong.kit.actors import Actor
from lienthong.kit.clock import ManualClock
from lienthong.kit.policy import Grant, Role
from lienthong.kit.problems import ProblemError
from tests.integration.catalog.province import agency, system
from tests.support.catalog import OPERATOR, USUAL_LIMITS, opened_catalog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.catalog import Catalog

AGENCY = "H11.05"
LAND = f"{AGENCY}/land"
TRANSACTION = "019ab000-0000-7000-8000-000000000001"


def person(*grants: Grant) -> Actor:
    return Actor("person/x", frozenset(grants), "x", TRANSACTION, "console")


DEVELOPER = person(Grant(Role.DEVELOPER, AGENCY), Grant(Role.DEVELOPER, "H11.06"))
MOST = 4


async def apply(catalog: Catalog, actor: Actor, *manifests: dict[str, Any], dry_run: bool = False) -> None:
    body = json.dumps({"manifests": manifests}).encode()
    await catalog.services.apply.apply(body, actor, dry_run=dry_run)


async def listed(catalog: Catalog, code: str = AGENCY) -> list[str]:
    page = await catalog.services.systems.page({"agency": [code]}, after="", limit=200)
    return [one.id.partition("/")[2] for one in page.items]


@pytest.fixture
async def catalog(database_url: str) -> AsyncIterator[Catalog]:
    async with opened_catalog(database_url, ManualClock(), USUAL_LIMITS, MOST) as opened:
        await apply(opened, OPERATOR, agency(AGENCY), agency("H11.06"), system(LAND))
        yield opened


async def test_of_two_who_suspend_a_system_at_once_the_platform_wins(catalog: Catalog) -> None:
    systems = catalog.services.systems
    officer = person(Grant(Role.SECURITY_OFFICER, AGENCY))
    watch = person(Grant(Role.SECURITY_OFFICER))
    for both in ((officer, watch), (watch, officer)):
        await asyncio.gather(*(systems.suspend(LAND, actor) for actor in both))
        assert (await systems.get(LAND)).suspended_by is Suspender.PLATFORM
        await systems.resume(LAND, watch)


async def test_an_apply_that_would_go_past_the_number_is_refused_whole(catalog: Catalog) -> None:
    new = [system(f"{AGENCY}/s-{number}") for number in range(4)]
    for dry_run in (True, False):
        with pytest.raises(ProblemError) as refused:
            await apply(catalog, DEVELOPER, system("H11.06/other"), *new, dry_run=dry_run)
        told = refused.value.document(None)
        assert (told["code"], told["status"], told["limit"], told["systems"]) == (
            "too-many-systems",
            409,
            4,
            1,
        )
        assert told["detail"] == "Agency 'H11.05' may have 4 systems. It has 1, and this request would add 4."
        assert "tối đa 4 hệ thống; đang có 1, yêu cầu này thêm 4" in told["detail_vi"]
    assert (await listed(catalog), await listed(catalog, "H11.06")) == (["land"], [])
    await apply(catalog, DEVELOPER, *new[:3])
    assert await listed(catalog) == ["land", "s-0", "s-1", "s-2"]


async def test_what_there_is_can_be_changed_and_another_agency_has_its_own_number(catalog: Catalog) -> None:
    new = [system(f"{AGENCY}/s-{number}") for number in range(3)]
    await apply(catalog, DEVELOPER, *new)
    await apply(catalog, DEVELOPER, *(system(one["metadata"]["id"]) for one in new), system("H11.06/other"))
    # Suspending one makes no room.
    await catalog.services.systems.suspend(LAND, OPERATOR)
    with pytest.raises(ProblemError, match="too-many-systems"):
        await apply(catalog, DEVELOPER, system(f"{AGENCY}/more"))


@pytest.mark.parametrize("actor", [OPERATOR, person(Grant(Role.PLATFORM_OPERATOR))], ids=["client", "person"])
async def test_the_operator_is_not_held_to_the_number(catalog: Catalog, actor: Actor) -> None:
    await apply(catalog, actor, *(system(f"{AGENCY}/s-{number}") for number in range(6)))
    assert len(await listed(catalog)) == 7
    with pytest.raises(ProblemError, match="too-many-systems"):
        await apply(catalog, DEVELOPER, system(f"{AGENCY}/more"))


async def test_two_catalogs_do_not_register_more_at_once_than_may_be(
    catalog: Catalog, database_url: str
) -> None:
    async with opened_catalog(database_url, ManualClock(), USUAL_LIMITS, MOST) as other:
        outcomes = await asyncio.gather(
            *(
                apply(one, DEVELOPER, system(f"{AGENCY}/s-{number}"))
                for number in range(4)
                for one in (catalog, other)
            ),
            *(
                apply(one, DEVELOPER, system(f"{AGENCY}/t-{number}"))
                for number in range(4)
                for one in (catalog, other)
            ),
            return_exceptions=True,
        )
    assert len(await listed(catalog)) == MOST
    refused = [one for one in outcomes if one is not None]
    assert refused
    assert all(isinstance(one, ProblemError) and one.code == "too-many-systems" for one in refused)
