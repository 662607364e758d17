"""Accepting events while the stream goes back: nothing in another's place, and nothing out of order."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from lienthong.exchange.domain import permissions
from lienthong.exchange.domain.messages import AcceptedMessage, EventMessage
from lienthong.exchange.domain.numbering import STEP, Numbering
from lienthong.exchange.events import EVENT_HEADER, FINGERPRINT_HEADER, STREAM, message_id_in
from lienthong.exchange.models import KeptEvent
from lienthong.exchange.repository import AcceptedEventRepository, KeptEventRepository
from lienthong.exchange.service.deduplication import DeduplicationIndex
from lienthong.exchange.service.delivery import DeliveryService
from lienthong.exchange.service.event_messages import publish_event
from lienthong.exchange.service.event_register import StreamWentBackError
from lienthong.exchange.service.event_stream import EventStream
from lienthong.exchange.service.publishing import PublisherLimits, PublishingService
from lienthong.kit.bus import MESSAGE_ID, Bus, Delivery
from lienthong.kit.clock import SystemClock
from lienthong.kit.problems import ProblemError
from lienthong.kit.rates import RateLimit, TokenBuckets
from tests.integration.exchange.memory_bus import EVENT_TYPE, Exchange, event, exchange_on
from tests.support.nats import NatsServer
from tests.support.ports import take_free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def exchange(tmp_path: Path) -> AsyncIterator[Exchange]:
    async with exchange_on(f"sqlite+aiosqlite:///{tmp_path}/exchange.db") as running:
        yield running


@pytest.fixture
def index(exchange: Exchange) -> DeduplicationIndex:
    """The index, complete as of now."""
    found = DeduplicationIndex(exchange.database, SystemClock())
    found.complete_as_of(SystemClock().monotonic())
    return found


@pytest.fixture
def publishing(
    exchange: Exchange, index: DeduplicationIndex, monkeypatch: pytest.MonkeyPatch
) -> PublishingService:
    """Accepts what a test gives as the body; everybody may."""

    async def as_given(*arguments: Any) -> Any:  # noqa: ANN401
        return arguments[-1]

    monkeypatch.setattr(permissions, "publishable", lambda *_: None)
    limit = TokenBuckets(RateLimit("events", 1000, 1000, "events"), now=time.monotonic)
    return PublishingService(
        exchange.stream,
        exchange.register,
        index,
        lambda: cast("Any", None),
        lambda: True,
        cast("Any", SimpleNamespace(run=as_given)),
        PublisherLimits(limit, limit),
    )


async def publish(publishing: PublishingService, *events: tuple[str, str]) -> str:
    """Publish events of these ids and contents; gives the code of the refusal, or nothing."""
    given = cast("Any", Given(EventMessage(one, one, content, b"{}") for one, content in events))
    try:
        await publishing.publish("H11.05/land", EVENT_TYPE, [], given)
    except ProblemError as error:
        return error.code
    return ""


class Given(list[EventMessage]):
    """Events in place of the body that they are read from."""


async def release_all(exchange: Exchange) -> None:
    async with exchange.database.transaction() as session:
        await KeptEventRepository(session).release(EVENT_TYPE, 10**15, 1000)


async def test_the_index_answers_no_process_that_has_not_noticed_a_loss(
    exchange: Exchange, index: DeduplicationIndex
) -> None:
    before = await exchange.stream.current()
    await exchange.accept(before, event("x"))
    exchange.memory.lose()
    now = await exchange.mend()
    with pytest.raises(StreamWentBackError):
        await index.accepted({"x"}, before)
    assert (await index.accepted({"x"}, now))["x"].sequence == STEP + 1


async def test_the_id_of_a_lost_event_means_that_event_still(
    exchange: Exchange, publishing: PublishingService
) -> None:
    assert await publish(publishing, ("x", "first")) == ""
    await release_all(exchange)
    exchange.memory.lose()
    await exchange.mend()
    assert await publish(publishing, ("x", "second")) == "event-id-reused"
    assert exchange.memory.messages == {}
    assert await publish(publishing, ("x", "first")) == ""


async def test_what_was_accepted_is_published_again_beside_what_took_its_id(exchange: Exchange) -> None:
    await exchange.accept(await exchange.stream.current(), event("0"), event("x", "accepted"))
    exchange.memory.lose()
    await exchange.memory.ensure_stream(exchange.spec)
    await exchange.stream.publish(event("x", "foreign"), Numbering())

    now = await exchange.mend()
    stored = list((exchange.memory.messages or {}).values())
    assert [one.headers[FINGERPRINT_HEADER] for one in stored] == ["foreign", "0", "accepted"]
    assert [message_id_in(one.headers) for one in stored] == ["x", "0", "x"]
    assert stored[2].headers[EVENT_HEADER] == "x"
    assert await exchange.mend() == now

    async with exchange.database.reading() as session:
        kept = await session.get(KeptEvent, "x")
    assert kept is not None
    assert (kept.sequence, kept.fingerprint) == (now.number_of(3), "accepted")


async def test_what_the_stream_has_is_not_published_again_after_a_restored_database(
    exchange: Exchange,
) -> None:
    older = [replace(stored(one), sequence=sequence) for sequence, one in enumerate("ab", 1)]
    await exchange.register.record(await exchange.stream.current(), older)
    # The stream is a later one, which had them published again when it was made, and has taken another since.
    for one in "bac":
        await exchange.stream.publish(event(one), Numbering())
    exchange.memory.ids.clear()

    now = await exchange.mend()
    assert now.generation == 1
    assert [message_id_in(one.headers) for one in (exchange.memory.messages or {}).values()] == list("bac")
    async with exchange.database.reading() as session:
        accepted = await AcceptedEventRepository(session).among(list("abc"))
    assert {one: event.sequence for one, event in accepted.items()} == {
        one: now.number_of(sequence) for sequence, one in enumerate("bac", 1)
    }
    assert not any(name.endswith("mending") for name in exchange.memory.begun)


def stored(identifier: str) -> AcceptedMessage:
    return AcceptedMessage(0, EVENT_TYPE, identifier, identifier, b"{}")


async def test_what_took_the_id_of_a_lost_event_is_not_recorded(exchange: Exchange) -> None:
    await exchange.accept(await exchange.stream.current(), event("x", "accepted"))
    await release_all(exchange)
    exchange.memory.lose()
    now = await exchange.mend()
    assert await exchange.accept(now, event("x", "foreign")) == [now.number_of(1)]
    async with exchange.database.reading() as session:
        assert await session.get(KeptEvent, "x") is None


async def test_no_event_of_a_batch_comes_before_those_that_are_lost(
    exchange: Exchange, publishing: PublishingService
) -> None:
    async def the_stream_goes_back() -> None:
        exchange.memory.on_publish = None
        exchange.memory.lose()
        await exchange.memory.ensure_stream(exchange.spec)
        # As the background finds out while the batch is on its way.
        exchange.stream.suspect()

    await exchange.accept(await exchange.stream.current(), event("0"))
    exchange.memory.on_publish = the_stream_goes_back
    assert await publish(publishing, ("1", "1"), ("2", "2")) == "bus-unavailable"
    assert exchange.memory.messages == {}
    await exchange.mend()
    assert await publish(publishing, ("1", "1"), ("2", "2")) == ""
    stored = (exchange.memory.messages or {}).values()
    assert [message_id_in(one.headers) for one in stored] == ["0", "1", "2"]


async def test_what_took_the_id_of_an_accepted_event_is_settled_and_not_delivered(
    exchange: Exchange,
) -> None:
    numbering = await exchange.stream.current()
    await exchange.accept(numbering, event("x", "accepted"), event("y"))
    settled: list[int] = []

    async def settle(reply: str, _: bytes) -> None:
        settled.append(int(reply))

    def delivery(sequence: int, **headers: str) -> Delivery:
        now = SystemClock().now()
        return Delivery("event", b"{}", headers, sequence, now, 1, str(sequence), settle)

    async def fetch(*_: object) -> list[Delivery]:
        return [
            delivery(1, **{MESSAGE_ID: "x", FINGERPRINT_HEADER: "foreign"}),
            delivery(2, **{MESSAGE_ID: "y", FINGERPRINT_HEADER: "y"}),
            delivery(3, **{MESSAGE_ID: "x-g1", EVENT_HEADER: "x", FINGERPRINT_HEADER: "accepted"}),
        ]

    async def of(_: object) -> object:
        return SimpleNamespace(numbering=numbering, consumer=SimpleNamespace(fetch=fetch))

    unused = cast("Any", None)
    consumers = cast("Any", SimpleNamespace(of=of))
    clock, wait = SystemClock(), timedelta(seconds=30)
    service = DeliveryService(
        exchange.database,
        exchange.bus,
        exchange.stream,
        consumers,
        unused,
        unused,
        clock,
        unused,
        ack_wait=wait,
    )
    subscription = cast("Any", SimpleNamespace(id="one", acknowledged_through=0, ordered=False))
    taken = await service._fetch(subscription, 10, 0.0)
    assert [(one.message_id, one.number) for one in taken] == [("y", 2), ("x", 3)]
    assert settled == [1]


async def test_a_real_stream_is_read_before_anything_is_published_again(
    exchange: Exchange, tmp_path: Path
) -> None:
    older = [replace(stored(one), sequence=sequence) for sequence, one in enumerate("ab", 1)]
    await exchange.register.record(await exchange.stream.current(), older)
    nats = NatsServer(tmp_path / "nats", take_free_port()).start()
    try:
        bus = await Bus.connect(nats.url, "test", wait=True, streams=[exchange.spec])
        for one in "bac":
            await publish_event(bus, event(one))
        stream = EventStream(exchange.database, bus, exchange.register, exchange.spec, SystemClock())
        now = await stream.mend()
        assert await bus.last_sequence(STREAM) == 3
        assert await bus.durables(STREAM) == []
        await bus.close()
    finally:
        nats.kill()
    async with exchange.database.reading() as session:
        accepted = await AcceptedEventRepository(session).among(list("abc"))
    assert [accepted[one].sequence for one in "bac"] == [now.number_of(sequence) for sequence in (1, 2, 3)]
