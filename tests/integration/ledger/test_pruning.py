"""The journal is pruned of what has long been in the log, and of nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from lienthong.kit.bus import Bus
from lienthong.kit.journal import STREAM, journal_stream
from lienthong.kit.settings import Settings
from lienthong.ledger.background import JournalPruner
from lienthong.ledger.service.pruning import Pruning
from tests.integration.ledger.support import (
    full_check,
    leaves,
    messages,
    opened,
    publish,
    quarantined,
    records_of,
)
from tests.integration.ledger.test_journal import following, integrated

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lienthong.ledger.bootstrap import LedgerCore
    from lienthong.ledger.settings import LedgerSettings
    from tests.support.nats import NatsServer

KEPT = timedelta(days=3)


class Time:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 28, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def pass_by(self, **passed: float) -> None:
        self.moment += timedelta(**passed)


@pytest.fixture
async def bus(own_nats_server: NatsServer) -> AsyncIterator[Bus]:
    """A connection to a server with an empty journal, as the ledger makes it."""
    connection = await Bus.connect(
        own_nats_server.url, "test", wait=True, streams=[journal_stream(Settings())]
    )
    yield connection
    await connection.close()


@pytest.fixture
def time() -> Time:
    """The time of a test."""
    return Time()


def pruner(core: LedgerCore, bus: Bus, time: Time) -> JournalPruner:
    """What prunes the journal of this ledger."""
    return JournalPruner(bus, Pruning(core.database, time.now, KEPT))


async def first(bus: Bus) -> int | None:
    """The first message that the journal has."""
    return await bus.next_sequence(STREAM, 1)


async def test_what_has_been_in_the_log_for_days_goes(settings: LedgerSettings, bus: Bus, time: Time) -> None:
    old, recent, unsealed = messages(10), messages(5), messages(5)
    async with opened(settings) as core:
        async with following(settings, core, bus):
            await publish(bus, old)
            await integrated(core, 10)
            await pruner(core, bus, time).prune()
            time.pass_by(hours=2)
            await publish(bus, recent)
            await integrated(core, 15)
            await pruner(core, bus, time).prune()
        await publish(bus, unsealed)
        time.pass_by(days=3, hours=-1.5)
        await pruner(core, bus, time).prune()
        assert await first(bus) == 10, "the last of the old stays, to compare"
        time.pass_by(days=30)
        await pruner(core, bus, time).prune()
        assert await first(bus) == 15, "what the log does not have stays, however old it is"
        async with following(settings, core, bus) as follower:
            await integrated(core, 20)
            assert await follower.lag() == 0
        assert await leaves(core) == records_of([*old, *recent, *unsealed])
        assert (await full_check(core)).sound
        assert await quarantined(core) == []


async def test_nothing_goes_before_its_time_also_after_a_restart(
    settings: LedgerSettings, bus: Bus, time: Time
) -> None:
    async with opened(settings) as core, following(settings, core, bus):
        await pruner(core, bus, time).prune()
        await publish(bus, messages(10))
        await integrated(core, 10)
        await pruner(core, bus, time).prune()
    for days in (1, 1):
        time.pass_by(days=days)
        async with opened(settings) as core:
            await pruner(core, bus, time).prune()
            assert await first(bus) == 1
    time.pass_by(days=1)
    async with opened(settings) as core:
        await pruner(core, bus, time).prune()
        assert await first(bus) == 10


async def test_what_was_noted_of_a_journal_that_went_back_lets_nothing_go(
    settings: LedgerSettings, bus: Bus, time: Time
) -> None:
    async with opened(settings) as core:
        async with following(settings, core, bus):
            await publish(bus, messages(10))
            await integrated(core, 10)
        await pruner(core, bus, time).prune()
        time.pass_by(days=4)
        await core.integrator.begin_again("a test says so")
        await pruner(core, bus, time).prune()
        assert await first(bus) == 1


async def test_a_pruned_journal_that_is_read_again_is_no_loss(
    settings: LedgerSettings, bus: Bus, time: Time
) -> None:
    batch, more = messages(10), messages(3)
    async with opened(settings) as core:
        async with following(settings, core, bus):
            await publish(bus, batch)
            await integrated(core, 10)
        await pruner(core, bus, time).prune()
        time.pass_by(days=4)
        await pruner(core, bus, time).prune()
        await core.integrator.begin_again("a test says so")
        await publish(bus, more)
        async with following(settings, core, bus):
            await integrated(core, 13)
        assert await leaves(core) == records_of([*batch, *more])
        told = [reason for _, _, reason, _ in await quarantined(core)]
    assert len(told) == 2
    assert "was pruned of its messages, or has lost them: 1 to 9" in told[1]


async def test_another_journal_is_left_alone(settings: LedgerSettings, bus: Bus, time: Time) -> None:
    async with opened(settings) as core:
        await core.integrator.integrate("2020-01-01", messages(10))
        pruning = Pruning(core.database, time.now, KEPT)
        assert await pruning.first_kept("2020-01-01") is None
        time.pass_by(days=4)
        assert await pruning.first_kept("2020-01-01") == 10
        assert await pruning.first_kept("2026-01-01") is None


async def test_without_a_number_nothing_is_purged(bus: Bus) -> None:
    await publish(bus, messages(2))
    with pytest.raises(ValueError, match="message 0"):
        await bus.purge_before(STREAM, 0)
    assert await first(bus) == 1
