"""Following a stream: folding, age, the copy on disk. No process, no network, no sleeping."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from lienthong.contracts.catalog.v1 import routes_pb2
from lienthong.kit.backoff import Backoff
from lienthong.kit.clock import ManualClock
from lienthong.kit.health import State
from lienthong.kit.packed import PackedMap
from lienthong.kit.replica import LATE_AFTER, Replica
from lienthong.kit.replica_copy import DiskCopy
from lienthong.kit.stream import Stream, VersionGapError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime
    from pathlib import Path

    from lienthong.kit.replica_copy import Maps

MAX_AGE = timedelta(hours=1)
UNFINISHED = 0
"""The version of what has not all its parts."""


@dataclass(frozen=True)
class Ids:
    version: int
    ids: frozenset[str]


def fold(state: Ids | None, update: routes_pb2.WatchResponse) -> Ids:
    match update.WhichOneof("update"):
        case "snapshot":
            return Ids(update.snapshot.version, _ids(update.snapshot.resources))
        case "delta" if state is not None and update.delta.from_version == state.version:
            return Ids(update.delta.to_version, state.ids | _ids(update.delta.upserts))
        case "heartbeat" if state is not None and update.heartbeat.version == state.version:
            return state
    raise VersionGapError("something was missed")


def _ids(resources: object) -> frozenset[str]:
    ids = frozenset(resource.key.id for resource in resources)  # type: ignore[attr-defined]
    if "bad" in ids:
        raise ValueError("a resource that cannot be used")
    return ids


def pack(state: Ids) -> Maps:
    head = PackedMap.of({b"version": str(state.version).encode()})
    return head, PackedMap.of({one.encode(): b"" for one in state.ids})


def unpack(maps: Maps) -> Ids:
    head, ids = maps
    version = head.get(b"version")
    if version is None:
        raise ValueError("no version")
    return Ids(int(version), frozenset(one.decode() for one, _ in ids.items()))


def snapshot(version: int, *ids: str) -> routes_pb2.WatchResponse:
    return routes_pb2.WatchResponse(snapshot=routes_pb2.Snapshot(version=version, resources=_resources(*ids)))


def delta(version: int, *ids: str) -> routes_pb2.WatchResponse:
    return routes_pb2.WatchResponse(
        delta=routes_pb2.Delta(from_version=version - 1, to_version=version, upserts=_resources(*ids))
    )


def heartbeat(version: int) -> routes_pb2.WatchResponse:
    return routes_pb2.WatchResponse(heartbeat=routes_pb2.Heartbeat(version=version))


def _resources(*ids: str) -> list[routes_pb2.Resource]:
    return [routes_pb2.Resource(key=routes_pb2.ResourceKey(id=one)) for one in ids]


class Peer:
    """Says what a test puts into its queue, and ends at None; remembers from where it was asked to begin."""

    def __init__(self) -> None:
        self.updates: asyncio.Queue[routes_pb2.WatchResponse | None] = asyncio.Queue()
        self.asked: list[int | None] = []
        self.begun = asyncio.Semaphore(0)

    async def watch(self, known: Ids | None) -> AsyncIterator[routes_pb2.WatchResponse]:
        self.asked.append(known.version if known is not None else None)
        self.begun.release()
        while (update := await self.updates.get()) is not None:
            yield update


class World:
    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.peer = Peer()
        self.copy = DiskCopy(folder / "state" / "test.copy")
        self.shown: list[Ids | None] = []
        self.changes: asyncio.Queue[Ids | None] = asyncio.Queue()

    def save(self, state: Ids, confirmed: datetime) -> None:
        """Write a copy as an earlier process would have."""
        copy = DiskCopy(self.copy.path)
        assert copy.save(pack(state), confirmed)
        copy.close()

    def replica(self) -> Replica[Ids, routes_pb2.WatchResponse]:
        def changed(state: Ids | None) -> None:
            self.shown.append(state)
            self.changes.put_nowait(state)

        stream = Stream(
            "test", self.peer.watch, fold, pack, unpack, lambda state: state.version != UNFINISHED
        )
        return Replica(stream, DiskCopy(self.copy.path), self.clock, max_age=MAX_AGE, on_change=changed)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Replica[Ids, routes_pb2.WatchResponse]]:
        replica = self.replica()
        task = asyncio.create_task(replica.run())
        try:
            async with asyncio.timeout(10):
                yield replica
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_updates_are_folded_and_each_new_state_is_shown_once(world: World) -> None:
    replica = world.replica()
    assert (replica.state, replica.fresh(), replica.age(), replica.ready) == (None, None, None, False)
    for update in (snapshot(1, "a"), heartbeat(1), delta(2, "b"), heartbeat(2)):
        assert replica.take(update)
    assert world.shown == [Ids(1, frozenset("a")), Ids(2, frozenset("ab"))]
    assert replica.fresh() == Ids(2, frozenset("ab"))


def test_a_state_older_than_allowed_is_not_used_until_the_peer_confirms_it(world: World) -> None:
    replica = world.replica()
    replica.take(snapshot(1, "a"))
    world.clock.advance(MAX_AGE)
    replica.look_at_age()
    assert (replica.fresh(), replica.age()) == (Ids(1, frozenset("a")), MAX_AGE)
    world.clock.advance(0.001)
    assert replica.fresh() is None
    with capture_logs() as logs:
        replica.look_at_age()
        replica.look_at_age()
    assert [(entry["log_level"], entry["replica"]) for entry in logs] == [("error", "test")]
    replica.take(heartbeat(1))
    assert world.shown == [Ids(1, frozenset("a")), None, Ids(1, frozenset("a"))]


def test_a_heartbeat_makes_the_state_young_again(world: World) -> None:
    replica = world.replica()
    replica.take(snapshot(1, "a"))
    world.clock.advance(timedelta(minutes=59))
    replica.take(heartbeat(1))
    world.clock.advance(timedelta(minutes=59))
    assert (replica.ready, replica.age()) == (True, timedelta(minutes=59))


def test_one_bad_update_is_logged_and_neither_changes_nor_confirms_the_state(world: World) -> None:
    replica = world.replica()
    replica.take(snapshot(1, "a"))
    world.clock.advance(60)
    with capture_logs() as logs:
        assert not replica.take(delta(2, "bad"))
    assert [entry["log_level"] for entry in logs] == ["error"]
    assert (replica.state, replica.age()) == (Ids(1, frozenset("a")), timedelta(seconds=60))
    assert not replica.ready
    assert (
        replica.condition().reason == "an update cannot be used: ValueError: a resource that cannot be used"
    )
    with pytest.raises(VersionGapError):
        replica.take(delta(3, "c"))


async def test_after_a_gap_the_peer_is_asked_for_everything(world: World) -> None:
    async with world.running() as replica:
        world.peer.updates.put_nowait(snapshot(1, "a"))
        await world.changes.get()
        world.peer.updates.put_nowait(delta(3, "c"))
        world.peer.updates.put_nowait(snapshot(3, "a", "b", "c"))
        assert await world.changes.get() == replica.fresh() == Ids(3, frozenset("abc"))
    assert world.peer.asked == [None, None]


async def test_after_a_bad_update_the_peer_is_asked_for_everything_and_readiness_says_why(
    world: World,
) -> None:
    async with world.running() as replica:
        world.peer.updates.put_nowait(snapshot(1, "a"))
        await world.changes.get()
        world.peer.updates.put_nowait(delta(2, "bad"))
        await world.peer.begun.acquire()
        await world.peer.begun.acquire()
        found = replica.condition()
        assert (found.state, str(found.reason)[:24]) == (State.FAILED, "an update cannot be used")
        assert replica.fresh() == Ids(1, frozenset("a"))
        world.peer.updates.put_nowait(snapshot(2, "a", "b"))
        await world.changes.get()
        assert replica.condition().state is State.OK
    assert world.peer.asked == [None, None]


async def test_a_stream_that_is_lost_goes_on_where_it_stood_and_readiness_tells(world: World) -> None:
    async with world.running() as replica:
        world.peer.updates.put_nowait(snapshot(1, "a"))
        await world.changes.get()
        world.peer.updates.put_nowait(None)
        await world.peer.begun.acquire()
        await world.peer.begun.acquire()
        found = replica.condition()
        assert (found.state, found.reason) == (State.DEGRADED, "the peer ended the stream")
        assert (replica.ready, found.figures) == (True, {"age_s": 0.0})
        world.peer.updates.put_nowait(delta(2, "b"))
        assert await world.changes.get() == Ids(2, frozenset("ab"))
        assert replica.condition().state is State.OK
    assert world.peer.asked == [None, 1]


async def test_parts_of_a_stream_that_breaks_are_never_shown(world: World) -> None:
    async with world.running() as replica:
        world.peer.updates.put_nowait(snapshot(1, "a"))
        await world.changes.get()
        world.peer.updates.put_nowait(snapshot(UNFINISHED, "b", "c"))
        world.peer.updates.put_nowait(None)
        world.peer.updates.put_nowait(delta(2, "d"))
        assert await world.changes.get() == replica.fresh() == Ids(2, frozenset("ad"))
    assert world.shown == [Ids(1, frozenset("a")), Ids(2, frozenset("ad"))]


def test_parts_confirm_nothing(world: World) -> None:
    replica = world.replica()
    replica.take(snapshot(1, "a"))
    world.clock.advance(LATE_AFTER + timedelta(seconds=1))
    assert replica.take(snapshot(UNFINISHED, "b"))
    found = replica.condition()
    assert (found.state, found.figures) == (State.DEGRADED, {"age_s": 7.0})
    assert found.reason == "nothing confirmed the state for 7 s, a snapshot is being received"


def test_readiness_tells_within_seconds_that_nothing_comes(world: World) -> None:
    replica = world.replica()
    assert (replica.condition().state, replica.condition().reason) == (
        State.FAILED,
        "nothing was received yet",
    )
    replica.take(snapshot(1, "a"))
    assert replica.condition().state is State.OK
    world.clock.advance(LATE_AFTER + timedelta(milliseconds=1))
    assert (replica.ready, replica.condition().state) == (True, State.DEGRADED)
    replica.take(heartbeat(1))
    assert replica.condition().state is State.OK
    world.clock.advance(MAX_AGE + timedelta(seconds=1))
    assert str(replica.condition().reason).startswith("the state is too old")
    assert not replica.ready


async def test_those_who_wait_are_told_of_the_first_state(world: World) -> None:
    async with world.running() as replica:
        waiting = asyncio.create_task(replica.wait_ready())
        world.peer.updates.put_nowait(snapshot(1, "a"))
        await waiting
        assert replica.ready


async def test_what_came_just_before_the_end_is_in_the_copy(world: World) -> None:
    async with world.running():
        for version in range(1, 6):
            world.peer.updates.put_nowait(snapshot(version, "a", str(version)))
            await world.changes.get()
    again = world.replica()
    again.load()
    assert again.fresh() == Ids(5, frozenset({"a", "5"}))


async def test_a_process_starts_from_its_copy_and_says_how_old_it_is(world: World) -> None:
    replica = world.replica()
    replica.take(snapshot(7, "a"))
    assert await replica.save()
    world.clock.advance(timedelta(minutes=10))
    replica.take(heartbeat(7))
    assert await replica.save()
    world.clock.advance(timedelta(minutes=20))
    again = world.replica()
    again.load()
    assert (again.fresh(), again.age()) == (Ids(7, frozenset("a")), timedelta(minutes=20))
    assert world.shown[-1] == Ids(7, frozenset("a"))


async def test_a_copy_that_is_too_old_is_known_but_not_used(world: World) -> None:
    replica = world.replica()
    replica.take(snapshot(7, "a"))
    await replica.save()
    world.clock.advance(MAX_AGE + timedelta(seconds=1))
    shutil.copyfile(world.copy.path, world.copy.path.with_suffix(".restored"))
    world.copy.path.with_suffix(".restored").replace(world.copy.path)
    again = world.replica()
    again.load()
    assert (again.state, again.fresh(), again.ready) == (Ids(7, frozenset("a")), None, False)
    again.take(heartbeat(7))
    assert again.fresh() == Ids(7, frozenset("a"))


async def test_a_copy_from_the_future_counts_from_now(world: World) -> None:
    world.save(Ids(1, frozenset("a")), world.clock.now() + MAX_AGE * 5)
    replica = world.replica()
    replica.load()
    assert replica.age() == timedelta(0)
    world.clock.advance(MAX_AGE + timedelta(seconds=1))
    assert replica.fresh() is None


async def test_a_copy_from_the_future_is_not_new_again_at_each_start(world: World) -> None:
    world.save(Ids(1, frozenset("a")), world.clock.now() + MAX_AGE * 5)
    world.replica().load()
    world.clock.advance(MAX_AGE + timedelta(seconds=1))
    again = world.replica()
    again.load()
    assert (again.state, again.fresh()) == (Ids(1, frozenset("a")), None)


async def test_a_clock_that_is_set_back_keeps_nothing_fresh_for_longer(world: World) -> None:
    replica = world.replica()
    replica.take(snapshot(1, "a"))
    await replica.save()
    world.clock.jump(-MAX_AGE * 5)
    world.clock.advance(MAX_AGE / 2)
    assert replica.age() == MAX_AGE / 2
    started = world.replica()
    started.load()
    world.clock.advance(MAX_AGE / 2 + timedelta(seconds=1))
    assert replica.fresh() is None
    world.clock.jump(-MAX_AGE)
    world.clock.advance(MAX_AGE)
    assert started.fresh() is None


async def test_a_clock_before_1970_ends_nothing(world: World) -> None:
    world.clock.jump(-timedelta(days=365 * 60))
    replica = world.replica()
    replica.take(snapshot(1, "a"))
    assert await replica.save()
    again = world.replica()
    again.load()
    assert again.state == Ids(1, frozenset("a"))


async def test_a_copy_that_cannot_be_written_is_told_and_tried_again(world: World) -> None:
    replica = world.replica()
    replica.take(snapshot(1, "a"))
    world.copy.path.parent.write_text("a file where the folder should be")
    with capture_logs() as logs:
        assert not await replica.save()
    assert [entry["log_level"] for entry in logs] == ["warning"]
    world.copy.path.parent.unlink()
    assert await replica.save()
    again = world.replica()
    again.load()
    assert again.state == Ids(1, frozenset("a"))


async def test_nothing_is_written_where_nothing_was_confirmed(world: World) -> None:
    replica = world.replica()
    assert await replica.save()
    assert not world.copy.path.exists()


async def test_a_flapping_peer_is_asked_less_and_less_often(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    async def note(pause: float) -> None:
        pauses.append(pause)
        await asyncio.sleep(0)
        if len(pauses) == 8:
            world.changes.put_nowait(None)

    patient = partial(Backoff, jitter=lambda _low, high: high, sleep=note)
    monkeypatch.setattr("lienthong.kit.replica.Backoff", patient)

    async def flapping(_known: Ids | None) -> AsyncIterator[routes_pb2.WatchResponse]:
        yield snapshot(len(pauses) + 1, "a")
        yield heartbeat(99)

    monkeypatch.setattr(world.peer, "watch", flapping)
    async with world.running() as replica:
        while await world.changes.get() is not None:
            pass
        assert replica.fresh() is not None
    assert pauses[:8] == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0]
