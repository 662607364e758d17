"""The way of 20,000 agreements to a follower: bounded in structure, whatever the machine does meanwhile.

`make bench-catalog` measures a million, and times.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, cast

import pytest

from lienthong.catalog.agreements.domain.lifecycle import AgreementAction
from lienthong.catalog.bootstrap import PACKAGE, SCHEMA
from lienthong.contracts.catalog.v1 import routes_pb2 as pb
from lienthong.gateway.replica import WATCHED_KINDS
from lienthong.gateway.table import ReadResources, RoutingTable
from lienthong.kit.catalog import CatalogState, fold_catalog, pack_catalog
from lienthong.kit.database import migrate
from lienthong.kit.problems.not_in_force import Revoked
from tests.bench.province import agreement_id, fill, parties
from tests.support.catalog import OPERATOR, Catalog, opened_catalog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from lienthong.kit.clock import ManualClock

SERVICES, AGREEMENTS = 200, 20_000
LARGEST_PART = 1024 * 1024
MOST_RESOURCES = 64


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with everything, which each test copies."""
    database = tmp_path_factory.mktemp("scale") / "catalog.db"
    asyncio.run(migrate(f"sqlite+aiosqlite:///{database}", SCHEMA, PACKAGE))
    fill(database, SERVICES, AGREEMENTS)
    return database


@pytest.fixture
async def catalog(filled: Path, tmp_path: Path, clock: ManualClock) -> AsyncIterator[Catalog]:
    shutil.copyfile(filled, tmp_path / "catalog.db")
    async with opened_catalog(f"sqlite+aiosqlite:///{tmp_path}/catalog.db", clock) as catalog:
        yield catalog


async def followed(
    catalog: Catalog, known: CatalogState | None
) -> tuple[CatalogState, list[int], list[float]]:
    """The state after one snapshot or delta, the size of its parts, and the CPU seconds that each took."""
    state = known
    sizes, costs = list[int](), list[float]()
    request = pb.WatchRequest(
        node="scale",
        kinds=WATCHED_KINDS,
        agreements_on=[pb.RESOURCE_KIND_SERVICE],
        in_parts=True,
        from_version=known.version if known is not None else 0,
        from_mark=known.mark if known is not None else "",
    )
    async with aclosing(cast("Any", catalog.routes.Watch(request, cast("Any", None)))) as updates:
        async for update in updates:
            part = update.snapshot if update.HasField("snapshot") else update.delta
            count = len(update.snapshot.resources) + len(update.delta.upserts)
            assert count <= MOST_RESOURCES
            sizes.append(update.ByteSize())
            began = time.thread_time()
            state = fold_catalog(state, update)
            costs.append(time.thread_time() - began)
            if not part.more:
                break
    assert state is not None
    return state, sizes, costs


async def test_no_message_is_large_and_a_change_costs_no_more_than_a_part_of_the_snapshot(
    catalog: Catalog,
) -> None:
    state, sizes, costs = await followed(catalog, None)
    assert len(sizes) >= AGREEMENTS / MOST_RESOURCES
    assert max(sizes) < LARGEST_PART
    assert state.counts[pb.RESOURCE_KIND_AGREEMENT] == AGREEMENTS

    # Of several changes the cheapest, of hundreds of parts the one in the middle: so that no collection of
    # garbage and no busy machine decides.
    cheapest, after = float("inf"), state
    for number in range(AGREEMENTS // 2 + 4, AGREEMENTS // 2 - 1, -1):
        state, revoked = after, agreement_id(number)
        await catalog.carry_out({"revoke": revoked})
        after, sizes, changes = await followed(catalog, state)
        assert len(sizes) == 1
        assert sizes[0] < 1000
        cheapest = min(cheapest, sum(changes))
    assert cheapest < sorted(costs)[len(costs) // 2] * 2
    written = [
        (index, number)
        for index, (before, now) in enumerate(zip(pack_catalog(state), pack_catalog(after), strict=True))
        for number, _, _ in now.changed_blocks(before)
    ]
    assert len(written) <= 3, "the head, the block of the agreement and that of its parties"

    consumer, service = parties(AGREEMENTS // 2, SERVICES)
    for one, expected in ((state, []), (after, [revoked])):
        found = RoutingTable(one, ReadResources()).agreements(consumer, service)
        assert [agreement.id for agreement in found.unapproved] == expected


async def test_a_reader_that_goes_on_gets_what_changed_and_nothing_else(catalog: Catalog) -> None:
    state, _, _ = await followed(catalog, None)
    changed = [agreement_id(number) for number in range(0, 2000, 10)]
    for one in changed:
        await catalog.services.agreements.take(one, AgreementAction.REVOKE, {"reason": "x"}, OPERATOR)
    after, sizes, _ = await followed(catalog, state)
    assert len(sizes) == -(-len(changed) // MOST_RESOURCES)
    assert after.version > state.version
    whole, _, _ = await followed(catalog, None)
    assert dict(whole.resources.items()) == dict(after.resources.items())
    assert dict(whole.agreements.items()) == dict(after.agreements.items())


async def test_changes_while_a_snapshot_is_read_are_in_it(catalog: Catalog) -> None:
    """The first page has been sent when its agreements are revoked: the end of the snapshot says so."""
    request = pb.WatchRequest(node="scale", kinds=WATCHED_KINDS, in_parts=True)
    state: CatalogState | None = None
    first: list[str] = []
    async with aclosing(cast("Any", catalog.routes.Watch(request, cast("Any", None)))) as updates:
        async for update in updates:
            state = fold_catalog(state, pb.WatchResponse.FromString(update.SerializeToString()))
            agreements = [one.key.id for one in update.snapshot.resources if one.HasField("agreement")]
            if agreements and not first:
                first = agreements[:3]
                for one in first:
                    await catalog.carry_out({"revoke": one})
            if not update.snapshot.more:
                break
    assert state is not None
    read = ReadResources()
    for one in first:
        message = state.get(pb.RESOURCE_KIND_AGREEMENT, one.encode())
        assert message is not None
        assert isinstance(getattr(read.agreement(one, message), "reason", None), Revoked)
    whole, _, _ = await followed(catalog, None)
    assert (whole.version, dict(whole.resources.items())) == (state.version, dict(state.resources.items()))
