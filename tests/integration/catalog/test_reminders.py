"""Reminders go to the bus once each, and begin anew with another period."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from lienthong.catalog.agreements.domain.lifecycle import AgreementAction as Step
from lienthong.catalog.models import OUTBOX
from tests.integration.catalog.desk import CONSUMER, PLACE, PROVIDER, Desk
from tests.support.catalog import opened_catalog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lienthong.kit.clock import ManualClock


@pytest.fixture
async def desk(database_url: str, clock: ManualClock) -> AsyncIterator[Desk]:
    async with opened_catalog(database_url, clock) as catalog:
        desk = Desk(catalog)
        await desk.apply(*PLACE.without_agreement())
        yield desk


async def told(desk: Desk) -> list[str]:
    """What has been published of agreements but that they changed, after everything due was looked at."""
    while await desk.catalog.services.reminders.remind():
        pass
    async with desk.catalog.database.reading() as session:
        found: list[dict[str, Any]] = [
            json.loads(one) for one in await session.scalars(select(OUTBOX.c.payload))
        ]
    return [one["action"] for one in found if one.get("kind") == "Agreement" and one["action"] != "upserted"]


async def test_owners_are_reminded_and_a_new_question_begins_anew(desk: Desk, clock: ManualClock) -> None:
    await desk.ask()
    assert await told(desk) == []
    clock.advance(timedelta(days=8))
    assert await told(desk) == ["decision-due"]
    assert await told(desk) == ["decision-due"]
    clock.advance(timedelta(days=3))
    assert (await told(desk))[1:] == ["decision-late"]
    await desk.take(Step.ASK, PROVIDER, reason="?")
    await desk.take(Step.ANSWER, CONSUMER, reason="!")
    clock.advance(timedelta(days=9))
    assert (await told(desk))[2:] == ["decision-due"]
    await desk.take(Step.APPROVE, PROVIDER)
    clock.advance(timedelta(days=90))
    assert len(await told(desk)) == 3


async def test_both_sides_are_told_that_the_period_ends(desk: Desk, clock: ManualClock) -> None:
    ends = clock.now() + timedelta(days=40)
    await desk.apply(PLACE.agreement(status="approved", validTo=ends.isoformat()))
    assert await told(desk) == []
    clock.advance(timedelta(days=10))
    assert await told(desk) == ["ends-soon"]
    # Nothing of its period changes: it is not told anew.
    await desk.take(Step.SUSPEND, PROVIDER, reason="x")
    await desk.take(Step.RESUME, PROVIDER)
    assert await told(desk) == ["ends-soon"]
    amended = {"terms": {"validTo": (ends + timedelta(days=5)).isoformat()}, "reason": "x"}
    await desk.catalog.services.amendments.request(PLACE.agreement_id, amended, CONSUMER)
    await desk.catalog.services.amendments.take(PLACE.agreement_id, Step.APPROVE, {}, PROVIDER)
    assert await told(desk) == ["ends-soon"]
    clock.advance(timedelta(days=5))
    assert await told(desk) == ["ends-soon"] * 2
    version = (await desk.catalog.services.agreements.get(PLACE.agreement_id)).version
    clock.advance(timedelta(days=60))
    assert await told(desk) == ["ends-soon"] * 2
    assert (await desk.catalog.services.agreements.get(PLACE.agreement_id)).version == version
