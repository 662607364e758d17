"""The journal is pruned of what has long been in the log, and of nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from lienthong.kit.bus import Bus
from lienthong.kit.clock import ManualClock
from lienthong.kit.journal import STREAM, journal_stream
from lienthong.kit.settings import Settings
from lienthong.ledger.background.pruner import JournalPruner
from lienthong.ledger.service.pruning import Pruning
from tests.integration.ledger.support import (
    following,
    full_check,
    integrated,
    leaves,
    messages,
    opened,
    publish,
    quarantined,
    records_of,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lienthong.ledger.bootstrap import LedgerCore
    from lienthong.ledger.settings import LedgerSettings
    from tests.support.nats import NatsServer

KEPT = timedelta(days=3)


@pytest.fixture
async def bus(own_nats_server: NatsServer) -> AsyncIterator[Bus]:
    """A connection to a server with an empty journal, as the ledger makes it."""
    connection = await Bus.connect(
        own_nats_server.url, "test", wait=True, streams=[journal_stream(Settings())]
    )
    yield connection
    await connection.close()


@pytest.fixture
def time() -> ManualClock:
    """The time of a test: the journal is made by a server with the machine's."""
    return ManualClock(datetime.now(UTC))


def pruner(core: LedgerCore, bus: Bus, time: ManualClock) -> JournalPruner:
    """What prunes the journal of this ledger."""
    return JournalPruner(bus, Pruning(core.database, time.now, KEPT, wall=time.now))


async def first(bus: Bus) -> int | None:
    """The first message that the journal has."""
    return await bus.next_sequence(STREAM, 1)


async def test_what_has_been_in_the_log_for_days_goes(
    settings: LedgerSettings, bus: Bus, time: ManualClock
) -> None:
    old, recent, unsealed = messages(10), messages(5), messages(5)
    async with opened(settings) as core:
        async with following(settings, core, bus):
            await publish(bus, old)
            await integrated(core, 10)
            await pruner(core, bus, time).prune()
            time.advance(timedelta(hours=2))
            await publish(bus, recent)
            await integrated(core, 15)
            await pruner(core, bus, time).prune()
        await publish(bus, unsealed)
        time.advance(timedelta(days=3, hours=-1.5))
        await pruner(core, bus, time).prune()
        assert await first(bus) == 10, "the last of the old stays, to compare"
        time.advance(timedelta(days=30))
        await pruner(core, bus, time).prune()
        assert await first(bus) == 15, "what the log does not have stays, however old it is"
        async with following(settings, core, bus) as follower:
            await integrated(core, 20)
            assert await follower.lag() == 0
        assert await leaves(core) == records_of([*old, *recent, *unsealed])
        assert (await full_check(core)).sound
        assert await quarantined(core) == []


async def test_nothing_goes_before_its_time_also_after_a_restart(
    settings: LedgerSettings, bus: Bus, time: ManualClock
) -> None:
    async with opened(settings) as core, following(settings, core, bus):
        await pruner(core, bus, time).prune()
        await publish(bus, messages(10))
        await integrated(core, 10)
        await pruner(core, bus, time).prune()
    for days in (1, 1):
        time.advance(timedelta(days=days))
        async with opened(settings) as core:
            await pruner(core, bus, time).prune()
            assert await first(bus) == 1
    time.advance(timedelta(days=1))
    async with opened(settings) as core:
        await pruner(core, bus, time).prune()
        assert await first(bus) == 10


async def test_what_was_noted_of_a_journal_that_went_back_lets_nothing_go(
    settings: LedgerSettings, bus: Bus, time: ManualClock
) -> None:
    async with opened(settings) as core:
        async with following(settings, core, bus):
            await publish(bus, messages(10))
            await integrated(core, 10)
        await pruner(core, bus, time).prune()
        time.advance(timedelta(days=4))
        await core.integrator.begin_again("a test says so")
        await pruner(core, bus, time).prune()
        assert await first(bus) == 1


async def test_a_pruned_journal_that_is_read_again_is_no_loss(
    settings: LedgerSettings, bus: Bus, time: ManualClock
) -> None:
    batch, more = messages(10), messages(3)
    async with opened(settings) as core:
        async with following(settings, core, bus):
            await publish(bus, batch)
            await integrated(core, 10)
        await pruner(core, bus, time).prune()
        time.advance(timedelta(days=4))
        await pruner(core, bus, time).prune()
        await core.integrator.begin_again("a test says so")
        await publish(bus, more)
        async with following(settings, core, bus):
            await integrated(core, 13)
        assert await leaves(core) == records_of([*batch, *more])
        told = [reason for _, _, reason, _ in await quarantined(core)]
    assert len(told) == 2
    assert "was pruned of its messages, or has lost them: 1 to 9" in told[1]


async def test_another_journal_is_left_alone(settings: LedgerSettings, bus: Bus, time: ManualClock) -> None:
    async with opened(settings) as core:
        one, other = "2020-01-01 00:00:00+00:00", "2026-01-01 00:00:00+00:00"
        await core.integrator.integrate(one, messages(10))
        pruning = Pruning(core.database, time.now, KEPT, wall=time.now)
        assert await pruning.long_sealed(one) is None
        time.advance(timedelta(days=4))
        assert (found := await pruning.long_sealed(one)) is not None
        assert found.first == 10
        assert await pruning.next_sealed(one, 1) == found
        assert await pruning.long_sealed(other) is None
        assert await pruning.next_sealed(other, 1) is None


async def test_without_a_number_nothing_is_purged(bus: Bus) -> None:
    await publish(bus, messages(2))
    with pytest.raises(ValueError, match="message 0"):
        await bus.purge_before(STREAM, 0)
    assert await first(bus) == 1


async def make_journal_again(bus: Bus, *, max_bytes: int | None = None) -> None:
    """Replace the journal by an empty one of the same name, as when the bus lost its store."""
    await bus.jetstream().delete_stream(STREAM)
    spec = journal_stream(Settings())
    await bus.ensure_stream(replace(spec, max_bytes=max_bytes or spec.max_bytes))


async def test_the_journal_that_replaces_a_lost_one_is_pruned_too(
    settings: LedgerSettings, bus: Bus, time: ManualClock
) -> None:
    async with opened(settings) as core, following(settings, core, bus):
        prunes = pruner(core, bus, time)
        for count, total in ((10, 10), (5, 15)):
            await publish(bus, messages(count))
            await integrated(core, total)
            await prunes.prune()
            time.advance(timedelta(days=4))
            await prunes.prune()
            assert await first(bus) == count
            if total == 10:
                await make_journal_again(bus)


async def test_a_clock_that_was_ahead_does_not_end_pruning(
    settings: LedgerSettings, bus: Bus, time: ManualClock
) -> None:
    async with opened(settings) as core:
        async with following(settings, core, bus):
            await publish(bus, messages(10))
            await integrated(core, 10)
        time.jump(timedelta(days=365))
        await pruner(core, bus, time).prune()
        time.jump(timedelta(days=-365))
        await pruner(core, bus, time).prune()
        time.advance(KEPT - timedelta(hours=1))
        await pruner(core, bus, time).prune()
        assert await first(bus) == 1
        time.advance(timedelta(hours=1))
        await pruner(core, bus, time).prune()
        assert await first(bus) == 10


async def test_a_clock_that_was_behind_lets_nothing_go_too_early(
    settings: LedgerSettings, bus: Bus, time: ManualClock
) -> None:
    async with opened(settings) as core:
        async with following(settings, core, bus):
            await publish(bus, messages(10))
            await integrated(core, 10)
        time.jump(timedelta(days=-400))
        with capture_logs() as logs:
            await pruner(core, bus, time).prune()
        assert "the clock is before its creation" in logs[0]["event"]
        time.jump(timedelta(days=400))
        await pruner(core, bus, time).prune()
        assert await first(bus) == 1


async def test_a_clock_that_was_set_forward_is_told(settings: LedgerSettings, time: ManualClock) -> None:
    async with opened(settings) as core:
        pruning = Pruning(core.database, time.now, KEPT, wall=lambda: time.now() + timedelta(hours=1))
        with capture_logs() as logs:
            await pruning.long_sealed("2020-01-01 00:00:00+00:00")
    assert [(entry["log_level"], entry["ahead_s"]) for entry in logs] == [("error", 3600)]


async def test_nearly_full_the_oldest_that_is_sealed_goes(
    settings: LedgerSettings, bus: Bus, time: ManualClock
) -> None:
    await make_journal_again(bus, max_bytes=100_000)
    async with opened(settings) as core, following(settings, core, bus):
        for count in (2, 4, 5, 6):
            await publish(bus, messages(count - (await bus.stream_state(STREAM)).last_sequence, each=30))
            await integrated(core, count * 30)
            await pruner(core, bus, time).prune()
            assert await first(bus) == 1
            time.advance(timedelta(hours=1))
        await publish(bus, messages(1, each=60))
        await integrated(core, 240)
        with capture_logs() as logs:
            await pruner(core, bus, time).prune()
        assert await first(bus) == 2, "as little as makes room"
        assert [(entry["log_level"], entry["first"]) for entry in logs] == [("error", 2)]


async def test_nearly_full_what_is_sealed_stays_for_an_hour(
    settings: LedgerSettings, bus: Bus, time: ManualClock
) -> None:
    await make_journal_again(bus, max_bytes=80_000)
    async with opened(settings) as core, following(settings, core, bus):
        await publish(bus, messages(7, each=30))
        await integrated(core, 210)
        await pruner(core, bus, time).prune()
        time.advance(timedelta(minutes=59))
        await pruner(core, bus, time).prune()
        assert await first(bus) == 1
        time.advance(timedelta(minutes=1))
        await pruner(core, bus, time).prune()
        assert await first(bus) == 7, "the last stays, to compare"


async def test_a_journal_that_is_not_what_was_read_is_not_purged(
    settings: LedgerSettings, bus: Bus, time: ManualClock
) -> None:
    await publish(bus, messages(12))
    state = await bus.stream_state(STREAM)
    async with opened(settings) as core:
        # An older copy of the bus's store: created at the same moment, and then others under the numbers.
        await core.integrator.integrate(state.created, messages(10))
        await pruner(core, bus, time).prune()
        time.advance(timedelta(days=4))
        await pruner(core, bus, time).prune()
    assert await first(bus) == 1
