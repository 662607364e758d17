"""What NATS keeps beside the messages of a stream is lost or damaged alone: index, and where consumers are.

What was answered is in the ledger all the same, and who waits for an event gets it; each once.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import pytest

from lienthong.client.operations import subscribe
from tests.faults.checker import WITHIN_S, assert_each_recorded_once, compare, recorded
from tests.faults.test_damaged_events import Subscriber, parties
from tests.faults.test_lost_stores import journal_store, stopped
from tests.faults.test_rolled_back_databases import EVENT_TYPE
from tests.support.damage import cut_in_the_middle, cut_to_nothing, flip_in_the_middle
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.faults.calls import Calls
    from tests.faults.test_damaged_events import Publisher
    from tests.support.platform import Platform

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]

STREAMS: Final = ("JOURNAL", "EVENTS")
FILES: Final = ("msgs/index.db", "obs/*/o.dat", "meta.inf", "obs/*/meta.inf", "meta.sum", "obs/*/meta.sum")
"""Below the folder of a stream: the index of its messages, where each consumer is, how both are set up."""


def lose(path: Path) -> None:
    path.unlink()


ROUNDS: Final = [
    (name, damage)
    for damage in (flip_in_the_middle, lose, cut_in_the_middle, cut_to_nothing)
    for name in FILES
]
SHORT: Final = [
    ("msgs/index.db", flip_in_the_middle),
    ("obs/*/o.dat", cut_in_the_middle),
    ("meta.inf", cut_in_the_middle),
]


@pytest.mark.parametrize(
    "rounds", [SHORT, pytest.param(ROUNDS, marks=pytest.mark.long)], ids=["short", "long"]
)
async def test_what_nats_keeps_beside_messages_may_be_lost(
    platform: Platform, calls: Calls, rounds: Sequence[tuple[str, Callable[[Path], None]]]
) -> None:
    with parties(platform) as (publisher, consumer):
        subscribers = Subscriber(consumer, "ordered"), Subscriber(consumer, "other")
        for one in subscribers:
            consumer.perform(subscribe(one.name, EVENT_TYPE, start="new", ordered=one.name == "ordered"))
        damaged = 0
        for name, damage in rounds:
            await eventually(
                lambda: all_is_read(calls), lambda: str(compare(calls)), within=WITHIN_S, every=0.5
            )
            with stopped(platform, "ledger"):
                await calls.make(20)
                await asyncio.to_thread(half_way, publisher, subscribers)
                with stopped(platform, "nats"):
                    damaged += damage_all(platform, name, damage)
                await calls.make(20)
                await asyncio.to_thread(all_the_way, publisher, subscribers, f"{damage.__name__} {name}")
        assert damaged > len(rounds)
        # A whole installation starts on it, too.
        await eventually(lambda: all_is_read(calls), lambda: str(compare(calls)), within=WITHIN_S, every=0.5)
        await asyncio.to_thread(half_way, publisher, subscribers)
        await asyncio.to_thread(platform.installation.stop)
        damage_all(platform, "meta.inf", flip_in_the_middle)
        damage_all(platform, "obs/*/o.dat", cut_in_the_middle)
        await asyncio.to_thread(platform.installation.start)
        await asyncio.to_thread(all_the_way, publisher, subscribers, "a start of everything")
    assert_each_recorded_once(calls)


def all_is_read(calls: Calls) -> bool:
    """Whether the ledger has what was answered, and each stream a reader that has noted where it is."""
    noted = all(files(calls.platform, stream, "obs/*/o.dat") for stream in STREAMS)
    return noted and set(calls.answered) <= recorded(calls.platform).keys()


def files(platform: Platform, stream: str, name: str) -> list[Path]:
    """The files of a stream of this name that hold something."""
    found = journal_store(platform).glob(f"*/streams/{stream}/{name}")
    return [path for path in found if path.stat().st_size]


def half_way(publisher: Publisher, subscribers: Sequence[Subscriber]) -> None:
    """Events wait when the fault happens."""
    publisher.publish(6, "little")
    for one in subscribers:
        one.take(3)


def all_the_way(publisher: Publisher, subscribers: Sequence[Subscriber], what: str) -> None:
    """Everyone gets what it lacks, and nothing twice."""
    publisher.publish(2, "little")
    for one in subscribers:
        one.take_all(publisher.accepted)
        assert sorted(one.received) == publisher.accepted, what
    assert subscribers[0].received == publisher.accepted, what


def damage_all(platform: Platform, name: str, damage: Callable[[Path], None]) -> int:
    """Damage this file of both streams, and of all their consumers; gives how many there were.

    NATS does not write a stream's meta.sum again when only that, or a part of meta.inf, was lost before.
    """
    found = [path for stream in STREAMS for path in files(platform, stream, name)]
    for path in found:
        damage(path)
    return len(found)
