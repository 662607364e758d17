"""Following a stream: folding, age, the copy on disk. No process, no network, no sleeping."""

from __future__ import annotations

import asyncio
import os
import shutil
import zlib
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
from lienthong.kit.replica import Replica, Stream, VersionGapError
from lienthong.kit.replica_copy import CopyUnreadableError, DiskCopy, Fingerprint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

MAX_AGE = timedelta(hours=1)


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


def as_update(state: Ids) -> routes_pb2.WatchResponse:
    return snapshot(state.version, *sorted(state.ids))


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
    """Says what a test puts into its queue; remembers how often it was asked to begin."""

    def __init__(self) -> None:
        self.updates: asyncio.Queue[routes_pb2.WatchResponse] = asyncio.Queue()
        self.watched = 0

    async def watch(self) -> AsyncIterator[routes_pb2.WatchResponse]:
        self.watched += 1
        while True:
            yield await self.updates.get()


class WallClock(ManualClock):
    """A clock that an operator, or NTP, sets."""

    def set_back(self, by: timedelta) -> None:
        self._now -= by


class World:
    def __init__(self, folder: Path) -> None:
        self.clock = WallClock()
        self.peer = Peer()
        self.copy = DiskCopy(folder / "state" / "test.copy")
        self.shown: list[Ids | None] = []
        self.changes: asyncio.Queue[Ids | None] = asyncio.Queue()

    def replica(self) -> Replica[Ids, routes_pb2.WatchResponse]:
        def changed(state: Ids | None) -> None:
            self.shown.append(state)
            self.changes.put_nowait(state)

        stream = Stream("test", self.peer.watch, fold, as_update, routes_pb2.WatchResponse.FromString)
        return Replica(stream, self.copy, self.clock, max_age=MAX_AGE, on_change=changed)

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
    with pytest.raises(VersionGapError):
        replica.take(delta(3, "c"))


async def test_after_a_gap_the_peer_is_asked_for_everything(world: World) -> None:
    async with world.running() as replica:
        world.peer.updates.put_nowait(snapshot(1, "a"))
        await world.changes.get()
        world.peer.updates.put_nowait(delta(3, "c"))
        world.peer.updates.put_nowait(snapshot(3, "a", "b", "c"))
        assert await world.changes.get() == replica.fresh() == Ids(3, frozenset("abc"))
    assert world.peer.watched == 2


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
    world.copy.save(as_update(Ids(1, frozenset("a"))).SerializeToString(), world.clock.now() + MAX_AGE * 5)
    replica = world.replica()
    replica.load()
    assert replica.age() == timedelta(0)
    world.clock.advance(MAX_AGE + timedelta(seconds=1))
    assert replica.fresh() is None


async def test_a_copy_from_the_future_is_not_new_again_at_each_start(world: World) -> None:
    world.copy.save(as_update(Ids(1, frozenset("a"))).SerializeToString(), world.clock.now() + MAX_AGE * 5)
    world.replica().load()
    world.clock.advance(MAX_AGE + timedelta(seconds=1))
    again = world.replica()
    again.load()
    assert (again.state, again.fresh()) == (Ids(1, frozenset("a")), None)


async def test_a_clock_that_is_set_back_keeps_nothing_fresh_for_longer(world: World) -> None:
    replica = world.replica()
    replica.take(snapshot(1, "a"))
    await replica.save()
    world.clock.set_back(MAX_AGE * 5)
    world.clock.advance(MAX_AGE / 2)
    assert replica.age() == MAX_AGE / 2
    started = world.replica()
    started.load()
    world.clock.advance(MAX_AGE / 2 + timedelta(seconds=1))
    assert replica.fresh() is None
    world.clock.set_back(MAX_AGE)
    world.clock.advance(MAX_AGE)
    assert started.fresh() is None


async def test_a_clock_before_1970_ends_nothing(world: World) -> None:
    world.clock.set_back(timedelta(days=365 * 60))
    replica = world.replica()
    replica.take(snapshot(1, "a"))
    assert await replica.save()
    again = world.replica()
    again.load()
    assert again.state == Ids(1, frozenset("a"))


def test_a_time_after_the_year_9999_is_damage(world: World) -> None:
    world.copy.save(b"content", world.clock.now())
    data = world.copy.path.read_bytes()
    fields = data[:12] + (2**63).to_bytes(8) + data[20:32]
    world.copy.path.write_bytes(fields + zlib.crc32(fields).to_bytes(4) + data[36:])
    with pytest.raises(CopyUnreadableError, match="9999"):
        world.copy.load()
    assert not world.copy.confirm(Fingerprint.of(b"content"), world.clock.now())


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: b"", id="empty"),
        pytest.param(lambda data: b"\xff" * 50, id="something else"),
        pytest.param(lambda data: data[:20], id="half a header"),
        pytest.param(lambda data: data[:-1], id="cut short"),
        pytest.param(lambda data: data + b"x", id="too long"),
        pytest.param(lambda data: data[:-1] + bytes([data[-1] ^ 1]), id="a bit of the content"),
        pytest.param(lambda data: data[:15] + bytes([data[15] ^ 1]) + data[16:], id="a bit of the time"),
        pytest.param(lambda data: data[:11] + b"\x02" + data[12:], id="another version"),
    ],
)
async def test_a_damaged_copy_is_told_ignored_and_replaced(world: World, damage: object) -> None:
    replica = world.replica()
    replica.take(snapshot(7, "a"))
    await replica.save()
    world.copy.path.write_bytes(damage(world.copy.path.read_bytes()))  # type: ignore[operator]
    again = world.replica()
    with capture_logs() as logs:
        again.load()
    assert [(entry["log_level"], entry["replica"]) for entry in logs] == [("error", "test")]
    assert again.state is None
    again.take(snapshot(8, "b"))
    await again.save()
    last = world.replica()
    last.load()
    assert last.state == Ids(8, frozenset("b"))


def test_a_copy_whose_content_cannot_be_folded_is_told_and_ignored(world: World) -> None:
    for content in (snapshot(1, "bad").SerializeToString(), heartbeat(1).SerializeToString(), b"\xff"):
        world.copy.save(content, world.clock.now())
        replica = world.replica()
        with capture_logs() as logs:
            replica.load()
        assert [entry["log_level"] for entry in logs] == ["error"]
        assert (replica.state, replica.age()) == (None, None)


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


async def test_a_confirmation_does_not_make_anothers_content_look_new(world: World) -> None:
    """Two workers of one gateway share the file: what one confirms must be what stands in it."""
    replica = world.replica()
    replica.take(snapshot(7, "a"))
    await replica.save()
    before = world.clock.now()
    world.copy.save(snapshot(6, "old").SerializeToString(), before)
    world.clock.advance(60)
    assert not world.copy.confirm(Fingerprint.of(snapshot(7, "a").SerializeToString()), world.clock.now())
    replica.take(heartbeat(7))
    await replica.save()
    again = world.replica()
    again.load()
    assert (again.state, again.age()) == (Ids(7, frozenset("a")), timedelta(0))


def test_the_copy_is_its_owners_alone(world: World) -> None:
    world.copy.save(b"x", world.clock.now())
    assert world.copy.path.stat().st_mode & 0o777 == 0o600


def test_without_a_file_there_is_no_copy(world: World) -> None:
    assert world.copy.load() is None
    assert not world.copy.confirm(Fingerprint.of(b"x"), world.clock.now())
    world.copy.path.parent.mkdir()
    world.copy.path.write_bytes(b"?")
    with pytest.raises(CopyUnreadableError, match="header"):
        world.copy.load()


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

    async def flapping() -> AsyncIterator[routes_pb2.WatchResponse]:
        yield snapshot(len(pauses), "a")
        yield heartbeat(99)

    monkeypatch.setattr(world.peer, "watch", flapping)
    async with world.running() as replica:
        while await world.changes.get() is not None:
            pass
        assert replica.fresh() is not None
    assert pauses[:6] == [0.05, 0.1, 0.2, 0.4, 0.8, 1.0]


def test_what_a_killed_process_left_is_deleted_when_it_is_old(world: World) -> None:
    world.copy.save(as_update(Ids(1, frozenset("a"))).SerializeToString(), world.clock.now())
    old, young, other = (world.copy.path.with_name(name) for name in DRAFTS)
    now = world.clock.now().timestamp()
    for path, age in ((old, 3700), (young, 60), (other, 3700)):
        path.write_bytes(b"half")
        os.utime(path, (now - age, now - age))
    replica = world.replica()
    replica.load()
    assert (old.exists(), young.exists(), other.exists()) == (False, True, True)
    assert replica.state == Ids(1, frozenset("a"))


DRAFTS = (".test.copy.0123456789abcdef", ".test.copy.fedcba9876543210", ".test.copy.notes")
