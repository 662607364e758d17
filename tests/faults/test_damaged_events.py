"""Blocks in the middle of the store of events are damaged: who waits for an event gets it, once, in order.

The publisher's list of what was accepted is compared with what each subscriber wrote down. The newest block
is damaged in `tests/integration/exchange/test_damaged_stream.py`.
"""

from __future__ import annotations

import secrets
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from lienthong.client import Client, Credentials, LienthongError
from lienthong.client.operations import ack, pull, subscribe, unsubscribe
from tests.faults.test_lost_stores import journal_store, stopped
from tests.faults.test_rolled_back_databases import EVENT_TYPE, event_manifests
from tests.support.damage import cut_in_the_middle, cut_to_nothing, flip_in_the_middle
from tests.support.platform import PROVIDER, named
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tests.support.platform import Platform

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]

LARGE: Final = "x" * 200_000
"""So that a few events fill a block."""
PATIENCE_S: Final = 90.0
"""The exchange looks once a minute after what a subscriber has not acknowledged."""


@dataclass
class Publisher:
    """Publishes events, each until it is accepted, and lists them."""

    client: Client
    accepted: list[str] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    """What it was told instead."""
    _ids: Iterator[int] = field(default_factory=lambda: count(1))
    _prefix: str = field(default_factory=lambda: secrets.token_hex(4))
    """No other test on this platform uses these ids."""

    def publish(self, number: int, filling: str = LARGE) -> None:
        """So many more."""
        for _ in range(number):
            identifier = f"{self._prefix}-{next(self._ids):05}"
            now = datetime.now(UTC)
            wait_until(partial(self._taken, identifier, filling, now), lambda: str(self.refused), within=60)
            self.accepted.append(identifier)

    def _taken(self, identifier: str, filling: str, now: datetime) -> bool:
        try:
            self.client.publish(EVENT_TYPE, {"filling": filling}, event_id=identifier, time=now)
        except LienthongError as error:
            self.refused.add(error.code)
            return False
        return True


@dataclass
class Subscriber:
    """Pulls and acknowledges, and lists what it has got: what it acknowledged never comes again."""

    client: Client
    name: str
    received: list[str] = field(default_factory=list)
    told: set[str] = field(default_factory=set)

    def take(self, number: int) -> None:
        """Take what is there, so many at most."""
        try:
            pulled = self.client.perform(pull(self.name, limit=number, wait=0.5))
            if pulled:
                result = self.client.perform(ack(self.name, [one.ack for one in pulled]))
                assert not result.refused
        except LienthongError as error:
            self.told.add(error.code)
            return
        self.received += [str(one.event["id"]) for one in pulled]

    def take_all(self, expected: Sequence[str]) -> None:
        """Take until nothing is missing."""
        deadline = time.monotonic() + PATIENCE_S
        while len(self.received) < len(expected) and time.monotonic() < deadline:
            self.take(10)


def flip(blocks: Sequence[Path]) -> None:
    """NATS does not notice, until the message is read; then it passes over it."""
    flip_in_the_middle(blocks[-2])


def flip_without_index(blocks: Sequence[Path]) -> None:
    """As after a crash: all that follows in the block is lost."""
    flip(blocks)
    (blocks[0].parent / "index.db").unlink()


def cut(blocks: Sequence[Path]) -> None:
    cut_in_the_middle(blocks[-2])


def empty(blocks: Sequence[Path]) -> None:
    cut_to_nothing(blocks[-2])


def lose(blocks: Sequence[Path]) -> None:
    blocks[-2].unlink()


def lose_all_but_the_newest(blocks: Sequence[Path]) -> None:
    """What was dropped in time looks the same."""
    for block in blocks[:-1]:
        block.unlink()


DAMAGES: Final = (flip, lose_all_but_the_newest, flip_without_index, cut, empty, lose)


@contextmanager
def parties(platform: Platform) -> Iterator[tuple[Publisher, Client]]:
    """The provider as the publisher of an event type, and the consumer, which may subscribe to it."""
    provider = Credentials.new(PROVIDER, gateway=platform.gateway)
    system = named("System", PROVIDER, "Đất đai", "Land", {"jwks": provider.public_keys()})
    with platform.operator() as operator:
        operator.apply([system, *event_manifests()])
    with Client(provider) as publishing, Client(platform.consumer) as consumer:
        wait_until(partial(has_token, publishing), "identity does not learn of the key")
        yield Publisher(publishing), consumer


def has_token(client: Client) -> bool:
    """Whether identity knows the client's key."""
    try:
        return bool(client.token().value)
    except LienthongError:
        return False


def blocks(platform: Platform) -> list[Path]:
    """Where NATS has written events, the newest last."""
    found = journal_store(platform).glob("*/streams/EVENTS/msgs/*.blk")
    return sorted(found, key=lambda path: int(path.stem))


def fill_blocks(platform: Platform, publisher: Publisher) -> None:
    """Publish until the last block but one has events of this time only."""
    before = int(blocks(platform)[-1].stem) if blocks(platform) else 0
    publisher.publish(1)
    while int(blocks(platform)[-1].stem) < before + 2 + (before == 0):
        publisher.publish(5)


def events_condition(platform: Platform) -> dict[str, Any]:
    """What the exchange says of the stream."""
    url = f"http://127.0.0.1:{platform.settings.health_port('exchange')}/health/ready"
    found: dict[str, Any] = httpx.get(url, trust_env=False).json()
    return dict(found.get("conditions", {}).get("events", {"state": "ok"}))


@pytest.mark.parametrize(
    "damages", [DAMAGES[:2], pytest.param(DAMAGES, marks=pytest.mark.long)], ids=["short", "long"]
)
def test_a_block_in_the_middle_that_is_damaged_while_events_wait_loses_none(
    platform: Platform, damages: Sequence[Callable[[Sequence[Path]], None]]
) -> None:
    with parties(platform) as (publisher, consumer):
        ordered, other = Subscriber(consumer, "ordered"), Subscriber(consumer, "other")
        consumer.perform(subscribe("ordered", EVENT_TYPE, start="new", ordered=True))
        consumer.perform(subscribe("other", EVENT_TYPE, start="new", ordered=False))
        for damage in damages:
            fill_blocks(platform, publisher)
            ordered.take(5)
            other.take(3)
            with stopped(platform, "nats"):
                damage(blocks(platform))
            publisher.publish(1)
            ordered.take_all(publisher.accepted)
            other.take_all(publisher.accepted)
            assert ordered.received == publisher.accepted
            assert sorted(other.received) == publisher.accepted
        if len(damages) == len(DAMAGES):
            # Alone, who takes events in any order finds out from what it did not acknowledge.
            consumer.perform(unsubscribe("ordered"))
            fill_blocks(platform, publisher)
            with stopped(platform, "nats"):
                flip(blocks(platform))
            other.take_all(publisher.accepted)
            assert sorted(other.received) == publisher.accepted
    losses = len(damages) + (len(damages) == len(DAMAGES))
    assert (publisher.refused | ordered.told | other.told) <= {"bus-unavailable", "platform-unavailable"}
    told = events_condition(platform)
    assert told["state"] == "degraded"
    assert f"lost events {losses} times" in told["reason"]
    log = (platform.home / "logs" / "exchange.log").read_text(encoding="utf-8")
    assert log.count("a part of its store is damaged") == losses
