"""What several people do with the systems of an agency at the same moment, on both databases."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from lienthong.catalog.systems.domain.system import Suspender
from lienthong.kit.actors import Actor
from lienthong.kit.clock import ManualClock
from lienthong.kit.policy import Grant, Role
from tests.integration.catalog.province import agency, system
from tests.support.catalog import OPERATOR, opened_catalog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.catalog import Catalog

AGENCY = "H11.05"
LAND = f"{AGENCY}/land"
TRANSACTION = "019ab000-0000-7000-8000-000000000001"


def person(*grants: Grant) -> Actor:
    return Actor("person/x", frozenset(grants), "x", TRANSACTION, "console")


@pytest.fixture
async def catalog(database_url: str) -> AsyncIterator[Catalog]:
    async with opened_catalog(database_url, ManualClock()) as opened:
        body = json.dumps({"manifests": [agency(AGENCY), system(LAND)]}).encode()
        await opened.services.apply.apply(body, OPERATOR, dry_run=False)
        yield opened


async def test_of_two_who_suspend_a_system_at_once_the_platform_wins(catalog: Catalog) -> None:
    systems = catalog.services.systems
    officer = person(Grant(Role.SECURITY_OFFICER, AGENCY))
    watch = person(Grant(Role.SECURITY_OFFICER))
    for both in ((officer, watch), (watch, officer)):
        await asyncio.gather(*(systems.suspend(LAND, actor) for actor in both))
        assert (await systems.get(LAND)).suspended_by is Suspender.PLATFORM
        await systems.resume(LAND, watch)
