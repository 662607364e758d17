"""What watches are sent is read once for all that have the same version."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest

from lienthong.catalog.domain.resources import ResourceKind, WatchScope
from lienthong.catalog.rpc import Routes
from lienthong.catalog.service.watch import Changes, HistoryChangedError, Position, WatchService
from tests.support.waiting import at_rest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lienthong.catalog.service.watch import Heard

SCOPE = WatchScope((ResourceKind.AGENCY,), frozenset())
KNOWN, REACHED = Position(1, "first"), Position(2, "second")


class Reading(WatchService):
    """Counts what is read, and lets it wait."""

    def __init__(self) -> None:
        super().__init__(cast("Any", None))
        self.reads: list[Position] = []
        self.may_end = asyncio.Event()
        self.failure: Exception | None = None

    async def _read_changes(self, known: Position, scope: WatchScope) -> tuple[Position, Changes]:
        self.reads.append(known)
        await self.may_end.wait()
        if self.failure is not None:
            raise self.failure
        return REACHED, Changes([], [(scope.kinds[0], "H11.01")], REACHED)

    def watch(self, known: Position = KNOWN, heard: Heard | None = (0, 2)) -> asyncio.Task[list[Changes]]:
        async def all_changes() -> list[Changes]:
            return [changes async for changes in self.changes_since(known, SCOPE, heard)]

        return asyncio.create_task(all_changes())


async def test_watches_of_one_version_share_what_is_read() -> None:
    service = Reading()
    watches = [service.watch() for _ in range(5)]
    await at_rest(*watches)
    service.may_end.set()
    found = await asyncio.gather(*watches)
    assert service.reads == [KNOWN]
    assert all(changes.position == REACHED for (changes,) in found)
    await service.watch()
    assert service.reads == [KNOWN, KNOWN], "nothing is kept for those who come later"


async def test_who_has_another_version_or_has_heard_of_a_newer_one_reads_for_itself() -> None:
    service = Reading()
    service.may_end.set()
    await asyncio.gather(service.watch(), service.watch(REACHED), service.watch(heard=(0, 3)))
    assert sorted(known.version for known in service.reads) == [1, 1, 2]


async def test_what_closes_a_snapshot_is_read_after_its_pages() -> None:
    service = Reading()
    earlier = service.watch()
    await at_rest(earlier)
    closing = [service.watch(heard=None) for _ in range(2)]
    await at_rest(*closing)
    service.may_end.set()
    await asyncio.gather(earlier, *closing)
    assert service.reads == [KNOWN] * 3


class Recorded(WatchService):
    """An empty catalog that remembers what was shared."""

    def __init__(self) -> None:
        super().__init__(cast("Any", None))
        self.heard: list[Heard | None] = []

    async def position(self) -> Position:
        return KNOWN

    async def everything(self, scope: WatchScope) -> AsyncIterator[list[Any]]:
        yield []

    async def changes_since(
        self, known: Position, scope: WatchScope, heard: Heard | None
    ) -> AsyncIterator[Changes]:
        self.heard.append(heard)
        yield Changes([], [], known)


@pytest.mark.parametrize(("known", "shared"), [(None, None), (KNOWN, (0, 2))])
async def test_deltas_are_shared_and_what_closes_a_snapshot_is_not(
    known: Position | None, shared: Heard | None
) -> None:
    service = Recorded()
    routes = Routes(service, cast("Any", None), {})
    assert [reached async for _, reached in routes._updates(SCOPE, known, (0, 2))] == [KNOWN]
    assert service.heard == [shared]


async def test_a_watch_that_ends_takes_nothing_from_the_others() -> None:
    service = Reading()
    first, second = service.watch(), service.watch()
    await at_rest(first, second)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    service.may_end.set()
    assert [changes.position for changes in await second] == [REACHED]


async def test_all_are_told_when_it_fails_and_the_next_reads_anew() -> None:
    service = Reading()
    service.may_end.set()
    service.failure = HistoryChangedError()
    for result in await asyncio.gather(*(service.watch() for _ in range(3)), return_exceptions=True):
        assert isinstance(result, HistoryChangedError)
    service.failure = None
    assert await service.watch()
