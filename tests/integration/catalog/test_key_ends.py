"""Keys with an end: registered, shown, changed, and told of in time, once each."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from joserfc.jwk import ECKey
from sqlalchemy import select

from lienthong.catalog.models import OUTBOX
from lienthong.catalog.systems.domain.public_keys import thumbprint_of
from lienthong.catalog.systems.schemas import key_list
from tests.integration.catalog.desk import PLACE, Desk, refused
from tests.support.catalog import OPERATOR, opened_catalog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from lienthong.catalog.systems.schemas import KeyList
    from lienthong.kit.clock import ManualClock


@pytest.fixture
async def desk(database_url: str, clock: ManualClock) -> AsyncIterator[Desk]:
    async with opened_catalog(database_url, clock) as catalog:
        desk = Desk(catalog)
        await desk.apply(*PLACE.without_agreement())
        yield desk


def ending(until: datetime | None) -> dict[str, Any]:
    jwk = ECKey.generate_key("P-256").as_dict(private=False)
    return dict(jwk) if until is None else {**jwk, "exp": int(until.timestamp())}


async def add(desk: Desk, jwk: dict[str, Any]) -> bool:
    _, new = await desk.catalog.services.keys.add(PLACE.provider, {"jwk": jwk}, OPERATOR, None)
    return new


async def keys(desk: Desk) -> KeyList:
    return key_list(await desk.catalog.services.systems.get(PLACE.provider))


async def published(desk: Desk, **having: str) -> list[dict[str, Any]]:
    """What was published of this kind, after everything due was looked at."""
    while await desk.catalog.services.key_reminders.remind():
        pass
    async with desk.catalog.database.reading() as session:
        payloads = await session.scalars(select(OUTBOX.c.payload).order_by(OUTBOX.c.id))
        found = [json.loads(payload) for payload in payloads]
    return [one for one in found if having.items() <= one.items()]


async def test_whose_key_ends_is_told_three_times_before(desk: Desk, clock: ManualClock) -> None:
    until = clock.now().replace(microsecond=0) + timedelta(days=40)
    jwk = ending(until)
    assert await add(desk, jwk)
    assert await published(desk, kind="Key") == []
    for days, number in ((10, 1), (1, 1), (22, 2), (6, 3), (2, 3)):
        clock.advance(timedelta(days=days))
        assert len(await published(desk, kind="Key")) == number
        # Whatever else is changed, nothing is told again.
        await desk.catalog.services.systems.suspend(PLACE.provider, OPERATOR)
        await desk.catalog.services.systems.resume(PLACE.provider, OPERATOR)
        assert len(await published(desk, kind="Key")) == number
    event = (await published(desk, kind="Key"))[0]
    assert (event["action"], event["system"]) == ("ends-soon", PLACE.provider)
    assert event["id"] == thumbprint_of(jwk)
    records = await published(desk, action="system.key-ends-soon")
    assert [one["object"] for one in records] == [f"System/{PLACE.provider}"] * 3
    assert records[0]["detail"]["key"] == thumbprint_of(jwk)


async def test_the_end_of_a_key_is_shown_and_can_be_moved(desk: Desk, clock: ManualClock) -> None:
    until = clock.now().replace(microsecond=0) + timedelta(days=3)
    jwk = ending(until)
    assert await add(desk, jwk)
    assert [one.not_after for one in (await keys(desk)).keys] == [None, until]
    assert not await add(desk, jwk)

    later = until + timedelta(days=365)
    assert not await add(desk, {**jwk, "exp": int(later.timestamp())})
    assert [one.not_after for one in (await keys(desk)).keys] == [None, later]
    [record] = await published(desk, action="system.change-key-end")
    assert record["detail"]["key"] == thumbprint_of(jwk)
    assert await published(desk, kind="Key") == []
    version = (await keys(desk)).version
    assert not await add(desk, {**jwk, "exp": int(later.timestamp())})
    assert (await keys(desk)).version == version


async def test_a_key_that_has_ended_or_whose_end_is_none_is_refused(desk: Desk, clock: ManualClock) -> None:
    said = await refused("invalid-manifests", add(desk, ending(clock.now() - timedelta(days=1))))
    assert said
    for wrong in ("2027-12-31", 1.5, -1, 10**20, True):
        await refused("invalid-manifests", add(desk, {**ending(None), "exp": wrong}))
