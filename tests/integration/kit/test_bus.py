"""Publishing and pulling against a real nats-server, which is also killed, hung and started again."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import nats
import pytest
from structlog.testing import capture_logs

from lienthong.kit.bus import (
    MESSAGE_ID,
    Bus,
    BusConflictError,
    BusFullError,
    BusNotTogetherError,
    BusRefusedError,
    BusUnavailableError,
    StreamSpec,
)
from lienthong.kit.ids import uuid7
from lienthong.kit.messages import StoredMessage, headers_size
from lienthong.kit.stream_space import StreamSpace
from tests.support.nats import NatsServer
from tests.support.ports import take_free_port
from tests.support.promises import allowed_s
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from lienthong.kit.bus import Consumer, Delivery

MAX_PAYLOAD = 1024 * 1024
"""nats-server's own default, which the tests' server has."""


@pytest.fixture
async def bus(nats_url: str) -> AsyncIterator[Bus]:
    connected = await Bus.connect(nats_url, "test", wait=True)
    yield connected
    await connected.close()


@pytest.fixture
async def stream(bus: Bus) -> str:
    """The name of a stream of the test's own; its subjects begin with the same name."""
    name = "T" + uuid7().replace("-", "")
    await bus.ensure_stream(StreamSpec(name, [f"{name}.>"]))
    return name


@contextlib.asynccontextmanager
async def connected_to(server: NatsServer, **options: object) -> AsyncIterator[Bus]:
    bus = await Bus.connect(server.url, "test", **options)  # type: ignore[arg-type]
    try:
        yield bus
    finally:
        await bus.close()


async def publish_numbers(bus: Bus, stream: str, numbers: range) -> None:
    for number in numbers:
        await bus.publish(f"{stream}.n", str(number).encode(), message_id=f"n{number}")


def numbers_of(batch: list[Delivery]) -> list[int]:
    return [int(delivery.payload) for delivery in batch]


async def collect(consumer: Consumer, amount: int) -> list[int]:
    """Acknowledge and return numbers until `amount` different ones have come, some of them perhaps twice."""
    taken: list[int] = []
    async with asyncio.timeout(30):
        async for batch in consumer.batches(10, 5.0):
            for delivery in batch:
                taken.append(int(delivery.payload))
                with contextlib.suppress(BusUnavailableError):
                    await delivery.ack()
            if len(set(taken)) >= amount:
                break
    return taken


async def test_a_publish_returns_when_the_stream_has_it(bus: Bus, stream: str) -> None:
    first = await bus.publish(f"{stream}.a", b"one", message_id="1")
    second = await bus.publish(f"{stream}.a", b"two", message_id="2")
    assert (first.stream, first.sequence, first.duplicate) == (stream, 1, False)
    assert second.sequence == 2


async def test_the_same_message_id_is_stored_once(bus: Bus, stream: str) -> None:
    first = await bus.publish(f"{stream}.a", b"one", message_id="1")
    again = await bus.publish(f"{stream}.a", b"one", message_id="1")
    assert (again.sequence, again.duplicate) == (first.sequence, True)


async def test_the_callers_headers_are_left_alone_and_arrive(bus: Bus, stream: str) -> None:
    headers = {"Lgsp-Count": "3"}
    await bus.publish(f"{stream}.a", b"one", message_id="1", headers=headers)
    assert headers == {"Lgsp-Count": "3"}
    consumer = await bus.consumer(stream, "reader")
    [delivery] = await consumer.fetch(1, 5.0)
    assert (delivery.headers["Lgsp-Count"], delivery.headers["Nats-Msg-Id"]) == ("3", "1")


async def test_without_a_stream_nothing_is_said_to_be_stored(bus: Bus) -> None:
    with pytest.raises(BusUnavailableError, match="no stream takes"):
        await bus.publish("nobody.listens", b"", message_id="1")


async def test_what_is_too_large_is_refused_for_good(bus: Bus, stream: str) -> None:
    with pytest.raises(BusRefusedError):
        await bus.publish(f"{stream}.a", bytes(2_000_000), message_id="1")
    with pytest.raises(BusRefusedError):
        await bus.publish(f"{stream}.with space", b"", message_id="2")


async def test_headers_count_towards_the_servers_limit_to_the_byte(bus: Bus, stream: str) -> None:
    headers = {"Lgsp-Name": "  Nguyễn Thị Hương ", "Lgsp-Long": "x" * 5000}
    both = {**headers, MESSAGE_ID: "1"}
    fits = MAX_PAYLOAD - headers_size(both)
    with pytest.raises(BusRefusedError, match=f"have {MAX_PAYLOAD + 1} bytes"):
        await bus.publish(f"{stream}.a", bytes(fits + 1), message_id="1", headers=headers)
    assert bus.connected
    stored = await bus.publish(f"{stream}.a", bytes(fits), message_id="1", headers=headers)
    assert (stored.sequence, stored.duplicate) == (1, False)


async def test_one_byte_more_than_that_ends_the_connection_at_the_server(nats_url: str, stream: str) -> None:
    """What the adapter is for: were its sum too generous, everything on the connection would be lost."""
    closed = asyncio.Event()

    async def on_closed() -> None:
        closed.set()

    client = await nats.connect(nats_url, closed_cb=on_closed, allow_reconnect=False)
    headers = {"Lgsp-Long": "x" * 5000}
    fits = client.max_payload - headers_size(headers)
    await client.publish(f"{stream}.a", bytes(fits), headers=headers)
    await client.flush()
    assert not closed.is_set()
    await client.publish(
        f"{stream}.a", bytes(client.max_payload - headers_size(headers) + 1), headers=headers
    )
    async with asyncio.timeout(10):
        await closed.wait()


async def test_a_lowered_limit_drops_nothing_and_a_raised_one_makes_room(bus: Bus) -> None:
    name = "T" + uuid7().replace("-", "")
    spec = StreamSpec(name, [f"{name}.>"])
    await bus.ensure_stream(spec)
    for number in range(3):
        await bus.publish(f"{name}.a", bytes(1500), message_id=str(number))
    await bus.ensure_stream(replace(spec, max_bytes=2000))
    state = await bus.stream_state(name)
    assert (state.last_sequence, state.bytes > 4500) == (3, True)
    with pytest.raises(BusFullError):
        await bus.publish(f"{name}.a", bytes(1500), message_id="3")
    await bus.ensure_stream(replace(spec, max_bytes=20_000))
    assert (await bus.publish(f"{name}.a", bytes(1500), message_id="3")).sequence == 4


async def test_a_stream_that_stands_is_left_alone_also_where_there_is_no_room_for_another(
    tmp_path: Path,
) -> None:
    """Asked to create a stream that is there, the server counts its size a second time."""
    server = NatsServer(tmp_path, take_free_port(), max_file_store="10MB").start()
    spec = StreamSpec("S", ["s.>"], max_bytes=6_000_000, max_age=3600.0)
    protected = StreamSpec("P", ["p.>"], max_bytes=2_000_000, protected=True)
    async with connected_to(server, wait=True) as bus:
        for _ in range(2):
            await bus.ensure_stream(spec)
            await bus.ensure_stream(protected)
        await bus.ensure_stream(replace(spec, max_age=7200.0, max_bytes=7_000_000))
        assert (await bus.stream_state("S")).max_bytes == 7_000_000
        with pytest.raises(BusRefusedError, match="another max_bytes: left as it is"):
            await bus.ensure_stream(replace(protected, max_bytes=1_000_000))
        with pytest.raises(BusUnavailableError, match="insufficient storage"):
            await bus.ensure_stream(StreamSpec("T", ["t.>"], max_bytes=9_000_000))
    server.kill()


async def test_a_stream_that_cannot_be_created_yet_is_created_later(tmp_path: Path) -> None:
    server = NatsServer(tmp_path, take_free_port(), max_file_store="10MB").start()
    large = StreamSpec("LARGE", ["large.>"], max_bytes=8_000_000)
    try:
        async with connected_to(server, wait=True, streams=[large]) as first:
            assert await first.find_stream("LARGE") is not None
            late = StreamSpec("LATE", ["late.>"], max_bytes=8_000_000)
            async with connected_to(server, wait=True, streams=[late]) as bus:
                assert await bus.find_stream("LATE") is None
                await first.jetstream().delete_stream("LARGE")
                async with asyncio.timeout(20):
                    while await bus.find_stream("LATE") is None:  # noqa: ASYNC110 - another process makes it
                        await asyncio.sleep(0.1)
                assert bus.connection_number == 1
    finally:
        server.kill()


async def test_a_message_over_the_streams_own_limit_is_refused_for_good(bus: Bus) -> None:
    name = "T" + uuid7().replace("-", "")
    await bus.ensure_stream(StreamSpec(name, [f"{name}.>"], max_message_bytes=2000))
    with pytest.raises(BusRefusedError):
        await bus.publish(f"{name}.a", bytes(2000), message_id="1")
    await bus.publish(f"{name}.a", bytes(1500), message_id="1")


async def test_a_stream_that_fills_up_is_told_before_it_is_full(bus: Bus) -> None:
    name = "T" + uuid7().replace("-", "")
    await bus.ensure_stream(StreamSpec(name, [f"{name}.>"], max_bytes=10_000))
    space = StreamSpace(bus, name)
    running = asyncio.create_task(space.run())
    with capture_logs() as logs:
        await bus.publish(f"{name}.a", bytes(8500), message_id="1")
        await eventually(lambda: space.filled is not None and space.filled > 0.8)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert not space.full
    [warning] = [entry for entry in logs if entry["event"].startswith("stream is filling")]
    assert (warning["log_level"], warning["stream"], warning["limit"]) == ("warning", name, 10_000)


async def test_a_full_stream_refuses_rather_than_drops(bus: Bus) -> None:
    name = "T" + uuid7().replace("-", "")
    await bus.ensure_stream(StreamSpec(name, [f"{name}.>"], max_bytes=2000))
    await bus.publish(f"{name}.a", bytes(1500), message_id="1")
    with pytest.raises(BusFullError, match="maximum bytes"):
        await bus.publish(f"{name}.a", bytes(1500), message_id="2")
    consumer = await bus.consumer(name, "reader")
    [kept] = await consumer.fetch(10, 1.0)
    assert kept.headers["Nats-Msg-Id"] == "1"


async def test_ensuring_a_stream_changes_the_one_that_is_there(bus: Bus, stream: str) -> None:
    await bus.publish(f"{stream}.a", b"kept", message_id="1")
    await bus.ensure_stream(StreamSpec(stream, [f"{stream}.>", f"{stream}-more.>"], max_age=3600.0))
    assert (await bus.publish(f"{stream}-more.a", b"", message_id="2")).sequence == 2


async def test_a_durable_consumer_goes_on_where_it_was(bus: Bus, nats_url: str, stream: str) -> None:
    await publish_numbers(bus, stream, range(5))
    consumer = await bus.consumer(stream, "reader")
    batch = await consumer.fetch(3, 5.0)
    for delivery in batch:
        await delivery.ack()
    await consumer.close()
    other = await Bus.connect(nats_url, "other", wait=True)
    rest = await (await other.consumer(stream, "reader")).fetch(10, 5.0)
    await other.close()
    assert (numbers_of(batch), numbers_of(rest)) == ([0, 1, 2], [3, 4])
    assert [delivery.sequence for delivery in rest] == [4, 5]


async def test_a_consumer_of_what_is_new_skips_what_was_there(bus: Bus, stream: str) -> None:
    await publish_numbers(bus, stream, range(3))
    consumer = await bus.consumer(stream, "reader", deliver_from="new")
    await publish_numbers(bus, stream, range(3, 5))
    assert numbers_of(await consumer.fetch(10, 5.0)) == [3, 4]


async def test_a_consumer_that_is_there_cannot_begin_elsewhere(bus: Bus, stream: str) -> None:
    await bus.consumer(stream, "reader", deliver_from=1)
    with pytest.raises(BusRefusedError):
        await bus.consumer(stream, "reader", deliver_from=2)


async def test_a_batch_comes_as_soon_as_there_is_anything(bus: Bus, stream: str) -> None:
    consumer = await bus.consumer(stream, "reader")
    waiting = asyncio.create_task(consumer.fetch(100, 20.0))
    await asyncio.sleep(0.1)
    begun = time.monotonic()
    await publish_numbers(bus, stream, range(1))
    assert numbers_of(await waiting) == [0]
    assert time.monotonic() - begun < allowed_s(2)


async def test_an_empty_stream_answers_with_nothing_after_the_wait(bus: Bus, stream: str) -> None:
    consumer = await bus.consumer(stream, "reader")
    begun = time.monotonic()
    assert await consumer.fetch(10, 0.3) == []
    assert await consumer.fetch(10, 1.0) == []
    assert 1.2 < time.monotonic() - begun < allowed_s(5)


async def test_what_is_not_acknowledged_comes_again(bus: Bus, stream: str) -> None:
    await publish_numbers(bus, stream, range(3))
    consumer = await bus.consumer(stream, "reader", ack_wait=2.0)
    first = await consumer.fetch(10, 5.0)
    await first[0].ack()
    await first[1].term()
    again = await consumer.fetch(10, 10.0)
    assert [(int(delivery.payload), delivery.delivered_count) for delivery in again] == [(2, 2)]


async def test_deliveries_that_are_acknowledged_together_do_not_come_again(bus: Bus, stream: str) -> None:
    await publish_numbers(bus, stream, range(50))
    consumer = await bus.consumer(stream, "reader", ack_wait=2.0)
    batch = await consumer.fetch(49, 5.0)
    await bus.acknowledge_all(batch)
    await bus.acknowledge_all([])
    assert await bus.acknowledged_through(stream, "reader") == len(batch)
    (last,) = await consumer.fetch(50, 5.0)
    assert numbers_of([last]) == [49]
    await last.ack()
    assert await consumer.fetch(50, 3.0) == []


async def test_a_nak_brings_the_message_back_after_its_delay(bus: Bus, stream: str) -> None:
    await publish_numbers(bus, stream, range(1))
    consumer = await bus.consumer(stream, "reader")
    [delivery] = await consumer.fetch(1, 5.0)
    begun = time.monotonic()
    await delivery.nak(0.5)
    [again] = await consumer.fetch(1, 5.0)
    assert again.delivered_count == 2
    assert time.monotonic() - begun >= 0.45
    await again.nak()
    [third] = await consumer.fetch(1, 5.0)
    assert third.delivered_count == 3


async def test_a_cancelled_pull_loses_nothing(bus: Bus, stream: str) -> None:
    """What the server had already sent for it must come at once, not after `ack_wait`."""
    consumer = await bus.consumer(stream, "reader", ack_wait=30.0)
    pulling = asyncio.create_task(consumer.fetch(5, 10.0))
    await asyncio.sleep(0.1)
    pulling.cancel()
    await asyncio.gather(pulling, return_exceptions=True)
    await publish_numbers(bus, stream, range(10))
    async with asyncio.timeout(20):
        assert sorted(await collect(consumer, 10)) == list(range(10))


async def test_a_consumer_that_closes_gives_back_what_nobody_took(bus: Bus, stream: str) -> None:
    consumer = await bus.consumer(stream, "reader", ack_wait=30.0)
    pulling = asyncio.create_task(consumer.fetch(5, 10.0))
    await asyncio.sleep(0.1)
    pulling.cancel()
    await asyncio.gather(pulling, return_exceptions=True)
    await publish_numbers(bus, stream, range(1))
    await asyncio.sleep(0.1)
    await consumer.close()
    async with asyncio.timeout(20):
        assert await collect(await bus.consumer(stream, "reader"), 1) == [0]


async def test_two_processes_share_a_durable_consumer(bus: Bus, nats_url: str, stream: str) -> None:
    await publish_numbers(bus, stream, range(20))
    other = await Bus.connect(nats_url, "other", wait=True)
    mine = await (await bus.consumer(stream, "shared")).fetch(10, 5.0)
    theirs = await (await other.consumer(stream, "shared")).fetch(10, 5.0)
    await other.close()
    assert sorted(numbers_of(mine) + numbers_of(theirs)) == list(range(20))


async def test_a_deleted_consumer_is_forgotten_and_can_be_deleted_twice(bus: Bus, stream: str) -> None:
    await publish_numbers(bus, stream, range(1))
    consumer = await bus.consumer(stream, "reader")
    [delivery] = await consumer.fetch(1, 5.0)
    await delivery.ack()
    await bus.delete_consumer(stream, "reader")
    await bus.delete_consumer(stream, "reader")
    assert numbers_of(await (await bus.consumer(stream, "reader")).fetch(1, 5.0)) == [0]


async def test_a_pull_goes_on_when_its_consumer_was_deleted_meanwhile(bus: Bus, stream: str) -> None:
    consumer = await bus.consumer(stream, "reader")
    taking = asyncio.create_task(collect(consumer, 1))
    await asyncio.sleep(0.1)
    await bus.delete_consumer(stream, "reader")
    await publish_numbers(bus, stream, range(1))
    assert await taking == [0]


async def test_it_starts_without_a_server_and_says_at_once_that_it_is_away(
    tmp_path: Path, free_port: int
) -> None:
    server = NatsServer(tmp_path, free_port)
    async with connected_to(server, streams=[StreamSpec("LATE", ["late.>"])]) as bus:
        consumer = await bus.consumer("LATE", "reader")
        begun = time.monotonic()
        with pytest.raises(BusUnavailableError, match="not connected"):
            await bus.publish("late.a", b"", message_id="1")
        assert time.monotonic() - begun < allowed_s(1)
        assert not bus.connected
        taking = asyncio.create_task(collect(consumer, 1))
        server.start()
        async with asyncio.timeout(30):
            await bus.wait_connected()
            await publish_when_possible(bus, "late.a", b"7", "1")
        assert await taking == [7]
    server.stop()


async def publish_when_possible(bus: Bus, subject: str, payload: bytes, message_id: str) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                await bus.publish(subject, payload, message_id=message_id)
            except BusUnavailableError:
                await asyncio.sleep(0.02)
            else:
                return


async def test_nothing_acknowledged_is_lost_and_order_is_kept_when_the_server_is_killed(
    own_nats_server: NatsServer,
) -> None:
    spec = StreamSpec("KEPT", ["kept.>"])
    async with connected_to(own_nats_server, streams=[spec], wait=True) as bus:
        consumer = await bus.consumer("KEPT", "reader")
        taking = asyncio.create_task(collect(consumer, 300))

        async def publish_all() -> None:
            for number in range(300):
                await publish_when_possible(bus, "kept.n", str(number).encode(), f"n{number}")

        publishing = asyncio.create_task(publish_all())
        for _ in range(2):
            await asyncio.sleep(0.1)
            own_nats_server.kill()
            own_nats_server.start()
        await publishing
        taken = await taking
    firsts = list(dict.fromkeys(taken))
    assert firsts == list(range(300))


async def test_a_killed_server_ends_what_waits_for_it(own_nats_server: NatsServer) -> None:
    async with connected_to(own_nats_server, streams=[StreamSpec("S", ["s.>"])], wait=True) as bus:
        consumer = await bus.consumer("S", "reader")
        pulling = asyncio.create_task(consumer.fetch(10, 30.0))
        await asyncio.sleep(0.2)
        own_nats_server.kill()
        begun = time.monotonic()
        with pytest.raises(BusUnavailableError):
            await pulling
        assert time.monotonic() - begun < allowed_s(2)
        assert not bus.connected


async def test_a_server_that_hangs_is_noticed(own_nats_server: NatsServer) -> None:
    async with connected_to(own_nats_server, streams=[StreamSpec("S", ["s.>"])], wait=True) as bus:
        await publish_when_possible(bus, "s.a", b"", "1")
        own_nats_server.suspend()
        begun = time.monotonic()
        with pytest.raises(BusUnavailableError, match=r"no answer within 0\.5 s"):
            await bus.publish("s.a", b"", message_id="2", timeout=0.5)
        assert time.monotonic() - begun < allowed_s(1.5)
        await eventually(lambda: not bus.connected)
        own_nats_server.resume()
        await publish_when_possible(bus, "s.a", b"", "2")


async def test_closing_without_a_server_returns(free_port: int) -> None:
    bus = await Bus.connect(f"nats://127.0.0.1:{free_port}", "test")
    await asyncio.sleep(0.1)
    async with asyncio.timeout(allowed_s(3)):
        await bus.close()
    with pytest.raises(BusUnavailableError):
        await bus.publish("a", b"", message_id="1")


async def test_a_stream_tells_when_it_was_created_and_which_message_is_its_newest(
    bus: Bus, stream: str
) -> None:
    new = await bus.stream_state(stream)
    assert new.last_sequence == await bus.last_sequence(stream) == 0
    await publish_numbers(bus, stream, range(3))
    assert await bus.stream_state(stream) == replace(new, last_sequence=3, bytes=297)
    await bus.jetstream().delete_stream(stream)
    with pytest.raises(BusUnavailableError, match=stream):
        await bus.stream_state(stream)
    await bus.ensure_stream(StreamSpec(stream, [f"{stream}.>"]))
    assert (await bus.stream_state(stream)).created != new.created


async def test_the_next_message_of_a_stream_is_found_past_those_that_are_gone(bus: Bus, stream: str) -> None:
    assert await bus.next_sequence(stream, 1) is None
    await publish_numbers(bus, stream, range(5))
    for sequence in (1, 3, 4):
        await bus.jetstream().delete_msg(stream, sequence)
    assert [await bus.next_sequence(stream, sequence) for sequence in range(1, 7)] == [2, 2, 5, 5, 5, None]


def together(*identifiers: str) -> list[StoredMessage]:
    return [StoredMessage(one.encode(), {MESSAGE_ID: one}) for one in identifiers]


def on(subject: str, messages: Sequence[StoredMessage]) -> list[tuple[str, StoredMessage]]:
    return [(subject, message) for message in messages]


async def test_messages_are_stored_together_in_their_order_whoever_else_publishes(bus: Bus) -> None:
    stream = "T" + uuid7().replace("-", "")
    await bus.ensure_stream(StreamSpec(stream, [f"{stream}.>"], atomic=True))
    batches = [[f"{batch}-{place}" for place in range(20)] for batch in range(5)]
    others = asyncio.create_task(publish_numbers(bus, stream, range(50)))
    firsts = await asyncio.gather(
        *(bus.publish_together(on(f"{stream}.n", together(*batch))) for batch in batches)
    )
    await others
    for first, batch in zip(firsts, batches, strict=True):
        stored = [await bus.message(stream, first + place) for place in range(20)]
        assert [one.payload.decode() for one in stored if one is not None] == batch
    assert await bus.last_sequence(stream) == 150


async def test_of_messages_that_go_together_none_is_stored_when_one_cannot_be(bus: Bus) -> None:
    stream = "T" + uuid7().replace("-", "")
    spec = StreamSpec(stream, [f"{stream}.>"], atomic=True, max_message_bytes=4096)
    await bus.ensure_stream(spec)
    await bus.publish(f"{stream}.n", b"", message_id="there")
    with pytest.raises(BusNotTogetherError):
        await bus.publish_together(on(f"{stream}.n", together("a", "there", "b")))
    with pytest.raises(BusNotTogetherError):
        await bus.publish_together(on(f"{stream}.n", together("a", "a")))
    large = [*together("a"), StoredMessage(b"x" * 5000, {MESSAGE_ID: "large"}), *together("b")]
    with pytest.raises(BusNotTogetherError):
        await bus.publish_together(on(f"{stream}.n", large))
    with pytest.raises(BusRefusedError):
        await bus.publish_together(
            on(f"{stream}.n", [*together("a"), StoredMessage(b"x" * MAX_PAYLOAD, {MESSAGE_ID: "larger"})])
        )
    with pytest.raises(BusUnavailableError):
        await bus.publish_together(on("nobody.takes.it", together("a", "b")))
    assert await bus.last_sequence(stream) == 1
    assert await bus.publish_together(on(f"{stream}.n", together("a", "b"))) == 2


async def test_messages_that_go_together_have_subjects_of_their_own(bus: Bus) -> None:
    stream = "T" + uuid7().replace("-", "")
    await bus.ensure_stream(StreamSpec(stream, [f"{stream}.>"], atomic=True))
    subjects = [f"{stream}.a", f"{stream}.b", f"{stream}.a"]
    await bus.publish_together(list(zip(subjects, together("1", "2", "3"), strict=True)))
    for letter, newest in (("a", b"3"), ("b", b"2")):
        found = await bus.last_message(stream, f"{stream}.{letter}")
        assert found is not None
        assert found.payload == newest


async def test_a_stream_takes_messages_together_once_its_specification_says_so(bus: Bus, stream: str) -> None:
    with pytest.raises(BusNotTogetherError):
        await bus.publish_together(on(f"{stream}.n", together("a", "b")))
    await bus.ensure_stream(StreamSpec(stream, [f"{stream}.>"], atomic=True))
    assert await bus.publish_together(on(f"{stream}.n", together("a", "b"))) == 1


async def test_a_batch_that_the_stream_has_no_room_for_is_not_stored_at_all(bus: Bus) -> None:
    stream = "T" + uuid7().replace("-", "")
    await bus.ensure_stream(StreamSpec(stream, [f"{stream}.>"], atomic=True, max_bytes=3000))
    large = [StoredMessage(b"x" * 1000, {MESSAGE_ID: one}) for one in "abc"]
    with pytest.raises(BusFullError):
        await bus.publish_together(on(f"{stream}.n", large))
    assert await bus.last_sequence(stream) == 0


async def test_a_message_takes_the_place_of_the_one_that_is_expected_and_of_no_other(
    bus: Bus,
) -> None:
    stream = "T" + uuid7().replace("-", "")
    await bus.ensure_stream(StreamSpec(stream, [f"{stream}.>"], per_subject=1))
    first = await bus.publish(f"{stream}.a", b"1", message_id="1", expected=0)
    await bus.publish(f"{stream}.b", b"other", message_id="2", expected=0)
    for wrong in (0, 2, 99):
        with pytest.raises(BusConflictError):
            await bus.publish(f"{stream}.a", b"wrong", message_id=f"wrong-{wrong}", expected=wrong)
    second = await bus.publish(f"{stream}.a", b"2", message_id="3", expected=first.sequence)
    found = await bus.last_message(stream, f"{stream}.a")
    assert found is not None
    assert (found.payload, found.sequence) == (b"2", second.sequence)
    assert await bus.message(stream, first.sequence) is None
    assert bus.connected, "a conflict is an answer like any other"
