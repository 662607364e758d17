"""Each process may do on the bus what its work needs; nobody else may do anything there."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from nats.aio.client import Client
from nats.js.api import ConsumerConfig
from nats.js.errors import APIError

from lienthong.catalog import events as catalog_events
from lienthong.exchange.bootstrap import events_stream
from lienthong.exchange.settings import ExchangeSettings
from lienthong.gateway.idempotency.store import idempotency_stream
from lienthong.kit.bus import Bus, BusUnavailableError
from lienthong.kit.bus.ending import end
from lienthong.kit.bus_users import PROCESSES
from lienthong.kit.journal import journal_stream
from lienthong.kit.nkeys import SeedUnusableError, UserKey, read_user_key, write_user_key
from lienthong.kit.settings import Settings
from lienthong.local import nats
from tests.support.ports import take_free_port
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from lienthong.kit.messages import StreamSpec

STREAMS: dict[str, StreamSpec] = {
    "ledger": journal_stream(Settings()),
    "catalog": catalog_events.stream(Settings()),
    "exchange": events_stream(ExchangeSettings()),
    "gateway": idempotency_stream(Settings()),
}
"""Which process creates which stream."""
NOBODY: frozenset[str] = frozenset()
MAY_PUBLISH = {
    **{f"journal.{process.name}": {process.name} for process in PROCESSES if process.name != "ledger"},
    "journal.ledger": NOBODY,
    "journal.gateway.more": NOBODY,
    "catalog.system": {"catalog"},
    "event.H11_05.land.parcel-changed-v1": {"exchange"},
    "gateway.use": {"gateway"},
    "gateway.proofs": {"gateway"},
    "gateway.other": NOBODY,
    "gateway.idempotency.client.key": {"gateway"},
    "_INBOX.somebody.1": NOBODY,
    **{
        f"$JS.API.STREAM.{verb}.{stream}": NOBODY
        for verb in ("UPDATE", "DELETE", "PURGE", "MSG.DELETE", "SNAPSHOT", "RESTORE")
        for stream in ("JOURNAL", "CATALOG", "EVENTS", "IDEMPOTENCY", "OTHER")
    },
    "$JS.API.STREAM.PURGE.JOURNAL": {"ledger"},
    "$JS.API.STREAM.UPDATE.EVENTS": {"exchange"},
    "$JS.API.STREAM.UPDATE.IDEMPOTENCY": {"gateway"},
    "$JS.API.STREAM.CREATE.JOURNAL": {"ledger"},
    "$JS.API.STREAM.CREATE.CATALOG": {"catalog"},
    "$JS.API.STREAM.CREATE.EVENTS": {"exchange"},
    "$JS.API.STREAM.CREATE.IDEMPOTENCY": {"gateway"},
    "$JS.API.STREAM.CREATE.OTHER": NOBODY,
    "$JS.API.STREAM.INFO.JOURNAL": {"ledger"},
    "$JS.API.STREAM.INFO.CATALOG": {"catalog"},
    "$JS.API.STREAM.INFO.EVENTS": {"exchange"},
    "$JS.API.STREAM.INFO.IDEMPOTENCY": {"gateway"},
    "$JS.API.STREAM.MSG.GET.JOURNAL": {"ledger"},
    "$JS.API.STREAM.MSG.GET.CATALOG": {"catalog"},
    "$JS.API.STREAM.MSG.GET.EVENTS": {"exchange"},
    "$JS.API.STREAM.MSG.GET.IDEMPOTENCY": {"gateway"},
    "$JS.API.CONSUMER.DURABLE.CREATE.JOURNAL.ledger": {"ledger"},
    "$JS.API.CONSUMER.DURABLE.CREATE.JOURNAL.other": NOBODY,
    "$JS.API.CONSUMER.CREATE.JOURNAL": NOBODY,
    "$JS.API.CONSUMER.CREATE.JOURNAL.ledger": NOBODY,
    "$JS.API.CONSUMER.DELETE.JOURNAL.ledger": {"ledger"},
    "$JS.API.CONSUMER.MSG.NEXT.JOURNAL.ledger": {"ledger"},
    "$JS.API.CONSUMER.DURABLE.CREATE.CATALOG.identity-1": {"identity"},
    "$JS.API.CONSUMER.DELETE.CATALOG.identity-1": NOBODY,
    "$JS.API.CONSUMER.MSG.NEXT.CATALOG.identity-1": {"identity"},
    "$JS.API.CONSUMER.DURABLE.CREATE.EVENTS.subscription-1": {"exchange"},
    "$JS.API.CONSUMER.MSG.NEXT.EVENTS.subscription-1": {"exchange"},
    "$JS.ACK.JOURNAL.ledger.1.1.1.1.0": {"ledger"},
    "$JS.ACK.CATALOG.identity-1.1.1.1.1.0": {"identity"},
    "$JS.ACK.EVENTS.subscription-1.1.1.1.1.0": {"exchange"},
    "$JS.API.INFO": NOBODY,
    "$JS.API.STREAM.NAMES": NOBODY,
    "$SYS.REQ.SERVER.PING": NOBODY,
}
MAY_SUBSCRIBE = {
    ">": NOBODY,
    "journal.>": NOBODY,
    "event.>": NOBODY,
    "gateway.>": NOBODY,
    "gateway.use": {"gateway"},
    "gateway.proofs": {"gateway"},
    "catalog.>": {"catalog"},
    "$JS.>": NOBODY,
    "$SYS.>": NOBODY,
}


@dataclass
class Server:
    """A NATS server with the users of an installation."""

    home: Path
    port: int
    monitoring_port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def configure(self) -> None:
        write_config(self.home, self.port, self.monitoring_port)

    @asynccontextmanager
    async def bus(self, user: str) -> AsyncIterator[Bus]:
        """The bus as a process sees it; its streams are made as it does."""
        streams = [STREAMS[user]] if user in STREAMS else []
        bus = await Bus.connect(
            self.url, user, wait=True, streams=streams, key_file=nats.key_file(self.home, user)
        )
        try:
            yield bus
        finally:
            await bus.close()

    @asynccontextmanager
    async def client(self, key: UserKey) -> AsyncIterator[tuple[Client, list[str]]]:
        """A bare connection, and what the server says against it."""
        client, said = Client(), []

        async def hear(error: Exception) -> None:
            said.append(str(error).lower())

        client._public_nkey = key.public
        try:
            await client.connect(
                self.url, signature_cb=key.signature, allow_reconnect=False, error_cb=hear, connect_timeout=5
            )
            yield client, said
        finally:
            await end(client)

    def key(self, user: str) -> UserKey:
        return read_user_key(nats.key_file(self.home, user))


def write_config(home: Path, port: int, monitoring_port: int) -> Path:
    return nats.write_config(
        home,
        port=port,
        monitoring_port=monitoring_port,
        server_name="here",
        streams_max_bytes=Settings().streams_max_bytes,
    )


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    home, port, monitoring_port = tmp_path / "nats", take_free_port(), take_free_port()
    command = [nats.server_binary(), "--config", str(write_config(home, port, monitoring_port))]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        yield Server(home, port, monitoring_port, process)
        process.terminate()


@pytest.fixture
async def streams(server: Server) -> Server:
    """A server on which every stream has its message."""
    for user, subject in (("ledger", None), ("catalog", "catalog.system"), ("exchange", "event.a.b.c")):
        async with server.bus(user) as bus:
            if subject:
                await bus.publish(subject, b"{}", message_id="1")
    async with server.bus("gateway") as bus:
        await bus.publish("journal.gateway", b"{}", message_id="1")
    return server


async def test_every_process_gets_its_work_done(server: Server) -> None:
    async with server.bus("gateway") as gateway, server.bus("catalog") as catalog:
        with pytest.raises(BusUnavailableError):
            # The stream is the ledger's: until it has come, records wait in the spool.
            await gateway.publish("journal.gateway", b"1", message_id="1", timeout=5)
        async with (
            server.bus("ledger") as ledger,
            server.bus("identity") as identity,
            server.bus("exchange") as exchange,
        ):
            writers = {"gateway": gateway, "catalog": catalog, "identity": identity, "exchange": exchange}
            for sequence, (name, bus) in enumerate(writers.items(), 1):
                ack = await bus.publish(f"journal.{name}", name.encode(), message_id=name)
                assert (ack.stream, ack.sequence, ack.duplicate) == ("JOURNAL", sequence, False)
            assert (await gateway.publish("journal.gateway", b"gateway", message_id="gateway")).duplicate
            await catalog.publish("catalog.system", b"{}", message_id="1")
            await exchange.publish("event.a.b.c", b"{}", message_id="1")

            await ledger.delete_consumer("JOURNAL", "ledger")
            assert await taken(ledger, "JOURNAL", "ledger", 4) == [name.encode() for name in writers]
            assert (await ledger.stream_state("JOURNAL")).last_sequence == 4
            assert await ledger.next_sequence("JOURNAL", 2) == 2

            assert await taken(identity, "CATALOG", "identity-1", 1, filter_subject="catalog.system")

            assert await taken(exchange, "EVENTS", "subscription-1", 1, filter_subject="event.a.b.c")
            assert await exchange.durables("EVENTS") == ["subscription-1"]
            assert await exchange.acknowledged_through("EVENTS", "subscription-1") == 1
            assert await exchange.message("EVENTS", 1)
            await exchange.delete_consumer("EVENTS", "subscription-1")
            # Another retention is a setting of the exchange.
            await exchange.ensure_stream(events_stream(ExchangeSettings(exchange_retention_days=3)))

            heard: list[object] = []

            async def hear(message: object) -> None:
                heard.append(message)

            await catalog.subscribe("catalog.>", hear)
            await catalog.publish("catalog.system", b"{}", message_id="2")
            await eventually(lambda: bool(heard))


async def taken(bus: Bus, stream: str, durable: str, count: int, **options: str) -> list[bytes]:
    consumer = await bus.consumer(stream, durable, **options)  # type: ignore[arg-type]
    deliveries = await consumer.fetch(count, 5.0)
    for delivery in deliveries:
        await delivery.ack()
    await consumer.close()
    return [delivery.payload for delivery in deliveries]


@pytest.mark.parametrize("user", [process.name for process in PROCESSES])
async def test_a_process_has_the_rights_in_the_table_and_no_others(streams: Server, user: str) -> None:
    async with streams.client(streams.key(user)) as (client, said):
        for subject in MAY_PUBLISH:
            await client.publish(subject, b"not JSON")
        for subject in MAY_SUBSCRIBE:
            await client.subscribe(subject)
        await client.flush()
        rights = (*MAY_PUBLISH.items(), *MAY_SUBSCRIBE.items())
        refused = [subject for subject, who in rights if user not in who]
        await eventually(lambda: len(said) >= len(refused))

        def told(what: str, subject: str) -> bool:
            return any(f'permissions violation for {what} to "{subject.lower()}"' in line for line in said)

        for subject, who in MAY_PUBLISH.items():
            assert told("publish", subject) == (user not in who), subject
        for subject, who in MAY_SUBSCRIBE.items():
            assert told("subscription", subject) == (user not in who), subject


async def test_no_process_has_the_server_write_records_in_anothers_name(streams: Server) -> None:
    """Who may create a consumer may name any subject for what it delivers: of its own account only."""
    forged = ["journal.gateway", "journal.catalog", "catalog.system"]
    async with streams.client(streams.key("exchange")) as (client, _):
        for number, subject in enumerate(forged):
            config = ConsumerConfig(durable_name=f"push-{number}", deliver_subject=subject)
            await client.jetstream().add_consumer("EVENTS", config)
        await client.flush()
    async with streams.client(streams.key("ledger")) as (client, _):
        config = ConsumerConfig(durable_name="ledger", deliver_subject="journal.gateway")
        with pytest.raises(APIError, match="forms a cycle"):
            await client.jetstream().add_consumer("JOURNAL", config)
    await asyncio.sleep(0.5)
    for user, stream in (("journal-admin", "JOURNAL"), ("catalog-admin", "CATALOG")):
        async with streams.client(streams.key(user)) as (client, _):
            assert (await client.jetstream().stream_info(stream)).state.messages == 1


async def test_not_even_the_operator_removes_a_record_or_a_change_of_the_catalog(streams: Server) -> None:
    for stream in ("journal", "catalog"):
        async with streams.client(streams.key(f"{stream}-admin")) as (client, _):
            jetstream, name = client.jetstream(), stream.upper()
            config = (await jetstream.stream_info(name)).config
            if stream == "catalog":
                with pytest.raises(APIError, match="purge not permitted"):
                    await jetstream.purge_stream(name)
            else:
                # The ledger's right alone (ADR 0030): nobody answers.
                with pytest.raises(TimeoutError):
                    await jetstream.purge_stream(name)
            with pytest.raises(APIError, match="delete not permitted"):
                await jetstream.delete_msg(name, 1)
            with pytest.raises(APIError, match="can not cancel deny"):
                await jetstream.update_stream(config.evolve(deny_delete=False, deny_purge=False))
            # What the ledger has long taken may go by its age, if the operator decides so.
            await jetstream.update_stream(config.evolve(max_age=400 * 86_400.0))
            assert (await jetstream.stream_info(name)).state.messages == 1


async def test_the_operator_removes_an_event_that_should_not_have_been_published(streams: Server) -> None:
    async with streams.client(streams.key("exchange-admin")) as (client, _):
        await client.jetstream().delete_msg("EVENTS", 1)
        assert (await client.jetstream().stream_info("EVENTS")).state.messages == 0


async def test_a_journal_that_was_configured_otherwise_is_left_as_it_is(streams: Server) -> None:
    async with streams.client(streams.key("journal-admin")) as (client, _):
        config = (await client.jetstream().stream_info("JOURNAL")).config
        await client.jetstream().update_stream(config.evolve(max_age=86_400.0))
        async with streams.bus("ledger") as ledger:
            assert (await ledger.stream_state("JOURNAL")).last_sequence == 1
        assert (await client.jetstream().stream_info("JOURNAL")).config.max_age == 86_400.0


def test_strangers_are_turned_away(streams: Server) -> None:
    stranger = UserKey.generate()
    greeting = b'{"nkey":"%b","sig":"%b"}' % (stranger.public.encode(), stranger.signature("made up"))
    for said in (b"{}", b'{"user":"gateway","pass":"guessed"}', b'{"auth_token":"x"}', greeting):
        assert b"Authorization Violation" in answer(streams.port, b"CONNECT " + said + b"\r\nPING\r\n")


def answer(port: int, said: bytes) -> bytes:
    found = b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(said)
        while part := connection.recv(65_536):
            found += part
            if b"PONG" in found:
                break
    return found


class SlowKey(UserKey):
    """The key of a process that gets little of its processor."""

    def signature(self, nonce: str) -> bytes:
        time.sleep(2.5)
        return super().signature(nonce)


async def test_a_process_on_a_slow_machine_has_time_to_answer_the_greeting(streams: Server) -> None:
    slow = SlowKey(streams.key("ledger").private)
    async with streams.client(slow) as (client, said):
        await client.flush()
    assert not said


async def test_a_key_is_replaced_while_its_process_runs(streams: Server) -> None:
    path = nats.key_file(streams.home, "gateway")
    async with streams.bus("gateway") as bus:
        old = streams.key("gateway")
        path.unlink()
        streams.configure()
        streams.process.send_signal(signal.SIGHUP)
        await eventually(lambda: not bus.connected)
        await eventually(lambda: bus.connected)
        await bus.publish("journal.gateway", b"{}", message_id="2", timeout=5)
    assert streams.key("gateway").public != old.public
    with pytest.raises(Exception, match=r"(?i)authorization violation"):
        async with streams.client(old):
            pass


def test_keys_stay_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    first = write_config(tmp_path / "nats", 1, 2).read_text("utf-8")
    again = write_config(tmp_path / "nats", 1, 2).read_text("utf-8")
    files = {path for path in (tmp_path / "nats").rglob("*") if path.is_file()}

    assert first == again
    assert {oct(path.stat().st_mode & 0o777) for path in files} == {"0o600"}
    assert {path.name for path in files} == {
        "nats.conf",
        *(f"{user}.nkey" for user in ("gateway", "catalog", "identity", "exchange", "ledger")),
        *(f"{account}-admin.nkey" for account in ("journal", "gateway", "catalog", "exchange")),
    }
    assert not [path for path in files if path.suffix == ".nkey" and path.read_text().strip() in first]


def test_a_seed_is_read_as_it_was_written_and_nothing_else_is(tmp_path: Path) -> None:
    key = write_user_key(tmp_path / "key")
    seed = key.seed
    assert (seed[:2], len(seed), key.public[0], len(key.public)) == ("SU", 58, "U", 56)
    assert read_user_key(tmp_path / "key").public == key.public
    flipped = "A" if seed[20] != "A" else "B"
    for wrong in (
        "",
        "SU",
        key.public,
        "SA" + seed[2:],
        seed[:-1],
        f"{seed[:20]}{flipped}{seed[21:]}",
        "S Ú",
    ):
        (tmp_path / "wrong").write_text(wrong, encoding="utf-8")
        with pytest.raises(SeedUnusableError, match="cannot be used"):
            read_user_key(tmp_path / "wrong")
    with pytest.raises(SeedUnusableError):
        read_user_key(tmp_path / "missing")
