"""Whatever dies at whatever moment: what was accepted arrives, what was acknowledged never comes again."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
from sqlalchemy import delete, func, select

from lienthong.exchange.events import STREAM, SUBJECTS
from lienthong.exchange.models import AcceptedEvent
from lienthong.kit.bus import Bus, StreamSpec
from lienthong.kit.database import Database
from tests.integration.exchange.world import ACK_WAIT, Party, World, approved, event_type, ids
from tests.support.promises import allowed_s
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

T = TypeVar("T")


def restart_exchange(world: World) -> None:
    world.kill()
    world.start()


def restart_nats(world: World) -> None:
    with nats_away(world):
        pass


@contextmanager
def nats_away(world: World, *, killed: bool = True) -> Iterator[None]:
    """NATS is killed, or ends in order, and for the length of the block it stays away."""
    probe = Party(world)
    if killed:
        world.nats.kill()
    else:
        world.nats.stop()
    try:
        yield
    finally:
        world.nats.start()
        retry(lambda: probe.post("probe").status_code == 202)


def drain(party: Party, *, until: set[str], seconds: float = 30) -> list[str]:
    """Pull and acknowledge until every wanted id has come; gives all ids in order, repeated ones too."""
    taken: list[str] = []
    deadline = time.monotonic() + seconds
    while not until <= set(taken):
        assert time.monotonic() < deadline, f"missing: {sorted(until - set(taken))[:5]}"
        events = party.pull(wait=1)
        if events:
            party.ack(events)
            taken += ids(events)
    return taken


def test_events_accepted_before_a_kill_are_delivered_after_it(world: World) -> None:
    for restart in (restart_exchange, restart_nats):
        party = Party(world)
        party.subscribe()
        party.publish("1", "2", "3")
        restart(world)
        assert drain(party, until={"1", "2", "3"}) == ["1", "2", "3"]


def test_acknowledged_events_never_come_again_after_a_kill(world: World) -> None:
    for restart in (restart_exchange, restart_nats):
        party = Party(world)
        party.subscribe()
        party.publish("1", "2", "3", "4")
        delivered = party.pull()
        party.ack(delivered[:3])
        restart(world)
        assert drain(party, until={"4"}) == ["4"]
        assert party.pull(wait=ACK_WAIT + 1.5) == []


def test_an_acknowledgement_counts_even_when_the_bus_is_away(world: World) -> None:
    party = Party(world)
    party.subscribe()
    party.publish("1", "2")
    delivered = party.pull()
    with nats_away(world):
        assert party.ack(delivered[:1])["acknowledged"] == [delivered[0]["ack"]]
        refused = party.post("3")
        assert (refused.status_code, refused.json()["code"]) == (503, "bus-unavailable")
        assert party.one_stop.post(f"{party.subscription}/pull", json={}).status_code == 503
        assert world.health() == 200
    party.publish("3")
    assert drain(party, until={"2", "3"}) == ["2", "3"]


def test_unacknowledged_events_are_delivered_again_after_a_kill_and_in_order(world: World) -> None:
    for restart in (restart_exchange, restart_nats):
        party = Party(world)
        party.subscribe()
        party.publish("1", "2", "3")
        assert ids(party.pull(most=2)) == ["1", "2"]
        restart(world)
        taken: list[str] = drain(party, until={"1", "2", "3"})
        assert taken == ["1", "2", "3"]


def test_newer_events_do_not_overtake_overdue_ones_when_the_bus_counts_anew(world: World) -> None:
    party = Party(world)
    party.subscribe()
    party.publish("1", "2", "3", "4")
    assert ids(party.pull(most=2)) == ["1", "2"]
    # Ended in order, the server knows what it delivered, but gives it the whole time once more.
    time.sleep(ACK_WAIT - 0.5)
    with nats_away(world, killed=False):
        pass
    assert drain(party, until={"1", "2", "3", "4"}) == ["1", "2", "3", "4"]


def test_publishing_through_kills_loses_and_repeats_nothing(world: World) -> None:
    party = Party(world)
    party.subscribe()
    total = 150
    done = threading.Event()

    def publish_all() -> None:
        for number in range(total):
            retry(lambda number=number: party.post(str(number)).status_code == 202)  # type: ignore[misc]
        done.set()

    publisher = threading.Thread(target=publish_all)
    publisher.start()
    for restart in (restart_exchange, restart_nats, restart_exchange):
        time.sleep(0.3)
        restart(world)
    publisher.join()
    assert done.is_set()
    assert drain(party, until={str(number) for number in range(total)}) == [str(n) for n in range(total)]


def test_a_late_retry_is_still_known_when_the_bus_has_forgotten(world: World) -> None:
    party = Party(world)
    party.subscribe()
    (first,) = party.publish("1")
    wait_until(lambda: asyncio.run(indexed(world)) >= first["sequence"], world.log)
    asyncio.run(forget_duplicates(world))
    (again,) = party.publish("1")
    assert again == {"id": "1", "sequence": first["sequence"], "duplicate": True}
    assert drain(party, until={"1"}) == ["1"]


def test_an_index_that_lost_events_is_built_from_the_stream_again(world: World) -> None:
    Party(world).publish("1", "2")
    stored = asyncio.run(on_bus(world, lambda bus: bus.last_sequence(STREAM)))
    wait_until(lambda: asyncio.run(indexed(world)) == stored, world.log)
    world.kill()
    asyncio.run(empty_index(world))
    assert asyncio.run(indexed(world)) == 0
    world.start()
    wait_until(lambda: asyncio.run(indexed(world)) == stored, world.log)


def test_it_starts_from_its_copies_while_catalog_and_identity_are_away(world: World) -> None:
    party = Party(world)
    party.subscribe()
    wait_until(lambda: party.event_type.encode() in world.copy_of_catalog.read_bytes())
    wait_until(world.copy_of_keys.exists)
    world.kill()
    world.start(LIENTHONG_CATALOG_RPC="127.0.0.1:1", LIENTHONG_IDENTITY_RPC="127.0.0.1:1")
    party.publish("1")
    assert drain(party, until={"1"}) == ["1"]
    world.kill()
    world.start()


def test_a_stream_that_is_nearly_full_refuses_new_events_and_takes_them_with_more_room(world: World) -> None:
    """What others published stays, and is delivered."""
    filled = asyncio.run(on_bus(world, lambda bus: bus.stream_state(STREAM))).bytes
    party = Party(world)
    party.subscribe()
    world.stop()
    world.start(LIENTHONG_EVENTS_MAX_BYTES=str(max(2**20, filled + 2**19)))
    accepted: list[str] = []
    try:
        for number in range(400):
            parcel = "x" * (60_000 if number < 40 else 3_000)
            answer = party.post_batch([party.event(str(number), data={"parcel": parcel})])
            if answer.status_code == 202:
                accepted.append(str(number))
            elif number > 40:
                break
        assert (answer.status_code, answer.json()["code"]) == (507, "event-store-full")
        assert answer.headers["retry-after"] == "60"
        assert sorted(drain(party, until=set(accepted)), key=int) == accepted
        wait_until(lambda: "stream is filling" in world.log())
    finally:
        world.stop()
        world.start()
    party.publish("more")


def test_a_publisher_may_send_so_many_events_and_bytes_in_a_time(world: World) -> None:
    world.stop()
    world.start(
        LIENTHONG_EXCHANGE_EVENTS_PER_S="0.1",
        LIENTHONG_EXCHANGE_EVENTS_BURST="100",
        LIENTHONG_EXCHANGE_EVENT_BYTES_PER_S="1",
        LIENTHONG_EXCHANGE_EVENT_BYTES_BURST=str(2**20),
    )
    try:
        party = Party(world)
        assert party.post(*(f"a{n}" for n in range(70))).status_code == 202
        refused = party.post(*(f"b{n}" for n in range(70)))
        assert (refused.status_code, refused.json()["code"]) == (429, "rate-limited")
        assert "limit events is 100 events" in refused.json()["detail"]
        assert 300 < int(refused.headers["retry-after"]) <= 450
        mismatch = party.post_batch([party.event("wrong", data={})])
        assert (mismatch.status_code, mismatch.json()["code"]) == (422, "schema-mismatch")
        # A refused request counts as one event: it was checked like the others.
        assert party.post(*(f"c{n}" for n in range(29))).status_code == 429
        assert party.post(*(f"c{n}" for n in range(20))).status_code == 202
        large = [party.event(f"d{n}", data={"parcel": "x" * 240_000}) for n in range(6)]
        refused = party.post_batch(large)
        assert "limit event-bytes is 1048576 bytes" in refused.json()["detail"]
        assert refused.headers["ratelimit-policy"] == '"event-bytes";q=1048576;qu="content-bytes";w=86400'
    finally:
        world.stop()
        world.start()


def test_it_learns_of_changes_whose_message_was_lost(world: World) -> None:
    party = Party(world)
    identifier = f"{party.event_type.rpartition('/')[0]}/missed-v1"
    world.catalog.skip(event_type(identifier, {}), approved("missed", identifier))
    with world.client("H11.05/land") as land:
        wait_until(lambda: land.post(f"/events/{identifier}").status_code == 415, world.log)


def test_a_damaged_copy_of_the_catalog_is_not_believed(world: World) -> None:
    world.kill()
    world.copy_of_catalog.write_bytes(b"\xff\xff\xff")
    world.start()
    party = Party(world)
    party.subscribe()
    party.publish("1")
    assert drain(party, until={"1"}) == ["1"]


def test_a_subscription_leaves_a_record_in_the_journal(world: World) -> None:
    party = Party(world)
    name = party.subscription.rpartition("/")[2]
    tx = "01980000-0000-7000-8000-000000000000"
    spec = {"event_type": party.event_type}
    party.one_stop.put(party.subscription, json=spec, headers={"LGSP-Transaction-Id": tx})
    party.one_stop.delete(party.subscription)

    def acts() -> list[dict[str, Any]]:
        records = asyncio.run(on_bus(world, journal))
        return [record for record in records if record["object"].endswith(f"/{name}")]

    wait_until(lambda: len(acts()) == 2, world.log)
    created, deleted = acts()
    assert created.pop("at") <= deleted["at"]
    assert created == {
        "v": 1,
        "id": created["id"],
        "kind": "admin",
        "tx": tx,
        "node": "exchange",
        "actor": "H11.01/one-stop",
        "action": "subscription.create",
        "object": f"Subscription/H11.01/one-stop/{name}",
        "detail": {"event_type": party.event_type},
    }
    assert deleted["action"] == "subscription.delete"


def test_it_stops_when_told_also_while_a_pull_waits(world: World) -> None:
    party = Party(world)
    party.subscribe()
    answers: list[list[dict[str, Any]]] = []
    waiting = threading.Thread(target=lambda: answers.append(party.pull(wait=30)))
    waiting.start()
    time.sleep(0.5)
    before = time.monotonic()
    assert world.stop() == 0
    waiting.join()
    assert time.monotonic() - before < allowed_s(5)
    assert answers == [[]]
    world.start()
    party.publish("1")
    assert drain(party, until={"1"}) == ["1"]


async def on_bus(world: World, work: Callable[[Bus], Awaitable[T]]) -> T:
    """Do something with a connection of the test's own."""
    bus = await Bus.connect(world.nats.url, "test", wait=True)
    try:
        return await work(bus)
    finally:
        await bus.close()


async def journal(bus: Bus) -> list[dict[str, Any]]:
    """Every record of the journal."""
    consumer = await bus.consumer("JOURNAL", f"test-{time.monotonic_ns()}")
    return [json.loads(delivery.payload) for delivery in await consumer.fetch(1000, 0.5)]


async def forget_duplicates(world: World) -> None:
    """Let so much time pass that the bus itself knows no message id any more."""

    def shortened(window: float) -> StreamSpec:
        return StreamSpec(STREAM, SUBJECTS, duplicate_window=window)

    await on_bus(world, lambda bus: bus.ensure_stream(shortened(0.1)))
    await asyncio.sleep(0.5)
    await on_bus(world, lambda bus: bus.ensure_stream(shortened(120.0)))


async def indexed(world: World) -> int:
    """How many events are in the deduplication index."""
    async with opened(world) as database, database.reading() as session:
        return await session.scalar(select(func.count()).select_from(AcceptedEvent)) or 0


async def empty_index(world: World) -> None:
    """Empty the deduplication index, as a new database has it."""
    async with opened(world) as database, database.transaction() as session:
        await session.execute(delete(AcceptedEvent))


@asynccontextmanager
async def opened(world: World) -> AsyncIterator[Database]:
    """The exchange's database."""
    database = Database.open(world.environment["LIENTHONG_EXCHANGE_DATABASE_URL"], schema="exchange")
    try:
        yield database
    finally:
        await database.close()


def retry(succeeds: Callable[[], bool]) -> None:
    """Try again until it succeeds; a broken connection counts as not yet."""

    def once() -> bool:
        try:
            return succeeds()
        except (httpx.TransportError, AssertionError):
            return False

    wait_until(once, within=60)
