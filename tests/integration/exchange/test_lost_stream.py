"""The bus loses events, or goes back to an older copy: who lacks an event gets it, and nobody twice."""

from __future__ import annotations

import asyncio
import shutil
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select

from lienthong.exchange.domain.numbering import STEP
from lienthong.exchange.events import CONSUMER_PREFIX, STREAM, subject_of
from lienthong.exchange.models import KeptEvent, Subscription
from lienthong.kit.bus import Bus
from lienthong.kit.database import Database
from tests.integration.exchange.world import Party, World, ids
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import httpx


@contextmanager
def nats_stopped(world: World) -> Iterator[Path]:
    """Without NATS for a while; gives the folder of its store."""
    world.nats.stop()
    try:
        yield world.nats.store
    finally:
        world.nats.start()


def older_copy(world: World) -> Path:
    """A copy of the store as it is now."""
    with nats_stopped(world) as store:
        older = store.with_name("older")
        shutil.rmtree(older, ignore_errors=True)
        shutil.copytree(store, older)
    return older


def put_back(world: World, older: Path) -> None:
    """Replace the store of NATS by a copy of it."""
    with nats_stopped(world) as store:
        shutil.rmtree(store)
        shutil.copytree(older, store)


def delete_stream(world: World) -> None:
    """Delete the stream under the running server, as an operator could."""

    async def work() -> None:
        bus = await Bus.connect(world.nats.url, "test", wait=True)
        await bus.jetstream().delete_stream(STREAM)
        await bus.close()

    asyncio.run(work())


def lose_store(world: World) -> None:
    """NATS starts with an empty disk."""
    with nats_stopped(world) as store:
        shutil.rmtree(store)


def persist(party: Party, *identifiers: str) -> list[dict[str, Any]]:
    """Publish until it is accepted, as publishers do."""
    answers: list[httpx.Response] = []

    def accepted() -> bool:
        answers.append(party.post(*identifiers))
        assert answers[-1].status_code in {202, 503}, answers[-1].text
        return answers[-1].status_code == 202

    wait_until(accepted, lambda: answers[-1].text)
    found: list[dict[str, Any]] = answers[-1].json()["accepted"]
    return found


def everything(party: Party, most: int = 100) -> list[dict[str, Any]]:
    """Pull and acknowledge until nothing comes any more; gives all events in order."""
    taken: list[dict[str, Any]] = []
    deadline = time.monotonic() + 60
    while True:
        answer = party.one_stop.post(f"{party.subscription}/pull", json={"max": most, "wait_seconds": 1})
        if answer.status_code == 503 and time.monotonic() < deadline:
            continue
        assert answer.status_code == 200, answer.text
        events = answer.json()["events"]
        if not events:
            return taken
        assert party.ack(events)["refused"] == []
        taken += events


def another_subscription(world: World, party: Party, **spec: Any) -> Party:  # noqa: ANN401
    """A second subscription to the same events."""
    other = Party(world, party.event_type, "other")
    other.subscribe(**spec)
    return other


def lose_and_deliver(world: World, lose: Callable[[World], None]) -> None:
    party = Party(world)
    party.subscribe()
    done = another_subscription(world, party)
    before = party.publish(*"12345")
    assert ids(everything(done)) == list("12345")
    taken = party.pull(most=2)
    party.ack(taken)
    held = party.pull(most=1)
    assert (ids(taken), ids(held)) == (["1", "2"], ["3"])

    lose(world)

    (again,) = persist(party, "4")
    assert again["duplicate"], "it waits, and is published again by the exchange"
    (new,) = persist(party, "6")
    late = another_subscription(world, party)
    assert party.ack(held)["refused"] == [], "an older token acknowledges its own event, and no other"
    after = everything(party)
    assert ids(after) == ["4", "5", "6"]
    assert ids(everything(done)) == ["6"]
    assert ids(everything(late)) == []
    numbers = [one["sequence"] for one in [*before, *after]]
    assert numbers == sorted(set(numbers))
    assert (again["sequence"], new["sequence"]) == (after[0]["sequence"], after[2]["sequence"])


def test_a_stream_that_is_deleted_while_events_wait_loses_none(world: World) -> None:
    lose_and_deliver(world, delete_stream)


def test_a_store_that_is_lost_while_events_wait_loses_none(world: World) -> None:
    lose_and_deliver(world, lose_store)


def test_an_older_copy_of_the_store_loses_and_repeats_nothing(world: World) -> None:
    party = Party(world)
    party.subscribe()
    slow = another_subscription(world, party)
    first = party.publish("1", "2")
    older = older_copy(world)
    persist(party, "3", "4", "5")
    party.ack(party.pull(most=3))

    for round_ in (1, 2):
        put_back(world, older)
        (known,) = persist(party, "3")
        assert known["duplicate"]
        assert known["sequence"] % STEP == first[1]["sequence"] % STEP + 1, (
            "the stream counts on from its copy"
        )
        persist(party, f"new-{round_}")

    assert ids(everything(party)) == ["4", "5", "new-1", "new-2"]
    received = everything(slow)
    assert ids(received) == ["1", "2", "3", "4", "5", "new-1", "new-2"]
    assert [one["sequence"] for one in received[:2]] == [one["sequence"] for one in first]
    numbers = [one["sequence"] for one in received]
    assert numbers == sorted(set(numbers))


def test_what_nobody_waited_for_can_be_published_again(world: World) -> None:
    party = Party(world)
    party.subscribe()
    party.publish("1", "2")
    everything(party)
    asyncio.run(forget_kept(world))
    delete_stream(world)

    (again,) = persist(party, "1")
    assert not again["duplicate"]
    (retry,) = persist(party, "1")
    assert retry == again | {"duplicate": True}
    late = another_subscription(world, party, start="all")
    assert ids(everything(late)) == ["1"]
    assert ids(everything(party)) == [], "it had acknowledged it"


def test_the_operator_is_told(world: World) -> None:
    delete_stream(world)
    persist(Party(world), "1")
    wait_until(lambda: "the bus lost events" in world.log(), world.log)
    found = world.readiness()
    assert found["status"] == "degraded"
    assert found["conditions"]["events"]["state"] == "degraded"


async def forget_kept(world: World) -> None:
    """Release what is kept, as happens within a minute when everybody has acknowledged it."""
    database = Database.open(world.environment["LIENTHONG_EXCHANGE_DATABASE_URL"], schema="exchange")
    async with database.transaction() as session:
        await session.execute(delete(KeptEvent))
    await database.close()


def test_a_consumer_that_begins_elsewhere_than_the_database_says_is_made_anew(world: World) -> None:
    party = Party(world)
    party.subscribe()
    persist(party, "1", "2")
    world.kill()
    asyncio.run(begin_elsewhere(world, party))
    world.start()
    assert ids(everything(party)) == ["1", "2"]


async def begin_elsewhere(world: World, party: Party) -> None:
    """Make a subscription's consumer as it is when the database is older than the bus's store."""
    database = Database.open(world.environment["LIENTHONG_EXCHANGE_DATABASE_URL"], schema="exchange")
    async with database.reading() as session:
        name = party.subscription.rpartition("/")[2]
        key = (await session.scalars(select(Subscription.id).where(Subscription.name == name))).one()
    await database.close()
    bus = await Bus.connect(world.nats.url, "test", wait=True)
    [durable] = [one for one in await bus.durables(STREAM) if one.startswith(f"{CONSUMER_PREFIX}{key}")]
    await bus.delete_consumer(STREAM, durable)
    last = await bus.last_sequence(STREAM)
    await bus.consumer(STREAM, durable, filter_subject=subject_of(party.event_type), deliver_from=last + 1)
    await bus.close()
