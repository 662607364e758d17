"""What processes use of the bus: publishing, durable consumers, and the streams."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import weakref
from typing import TYPE_CHECKING, Any, Final, Literal

import structlog
from nats.js.api import ConsumerConfig, DeliverPolicy

from lienthong.kit.backoff import Backoff
from lienthong.kit.bus.connection import Connection
from lienthong.kit.bus.consumer import Consumer
from lienthong.kit.bus.faults import publish_error
from lienthong.kit.bus.requests import NO_RESPONDERS, STATUS
from lienthong.kit.bus.streams import Streams
from lienthong.kit.messages import (
    BusError,
    BusUnavailableError,
    PublishAck,
    StoredMessage,
    StreamSpec,
    StreamState,
)
from lienthong.kit.metrics.instruments import BUS_CONNECTED

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from pathlib import Path

    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription
    from nats.js import JetStreamContext

    from lienthong.kit.messages import Delivery
    from lienthong.kit.metrics.figures import Figures

MESSAGE_ID = "Nats-Msg-Id"
_EXPECTED: Final = "Nats-Expected-Last-Subject-Sequence"
_BATCH: Final = "Nats-Batch-Id"
_PLACE: Final = "Nats-Batch-Sequence"
_COMMIT: Final = "Nats-Batch-Commit"

_log = structlog.get_logger(__name__)


class Bus:
    """A connection that may be opened before the server runs, and that reconnects by itself."""

    def __init__(
        self, url: str, name: str, streams: Sequence[StreamSpec] = (), *, key_file: Path | None = None
    ) -> None:
        self._connection = Connection(
            url, name, key_file=key_file, on_connected=self._prepare, on_lost=self._notify
        )
        self._streams = Streams(self._connection)
        self._wanted = tuple(streams)
        self._prepared = asyncio.Event()
        self._preparing: asyncio.Task[None] | None = None
        self._consumers: weakref.WeakSet[Consumer] = weakref.WeakSet()

    @classmethod
    async def connect(
        cls,
        url: str,
        name: str,
        *,
        wait: bool = False,
        streams: Sequence[StreamSpec] = (),
        key_file: Path | None = None,
    ) -> Bus:
        """Start connecting, in the background, until it succeeds; `wait` returns only when it has.

        On every new connection `streams` are created, or changed to what they say; `wait` includes that. What
        the server cannot do then, a cluster without a leader for one, is tried again until it can.
        `key_file` holds the seed that the server knows this process by. It is read for each connection, so
        that a new key needs no restart.
        """
        bus = cls(url, name, streams, key_file=key_file)
        bus._connection.start()
        if wait:
            await bus._prepared.wait()
        return bus

    @property
    def connected(self) -> bool:
        """Whether a server answers now."""
        return self._connection.connected

    @property
    def connection_number(self) -> int:
        """How many connections there have been: with another number the server may have another store."""
        return self._connection.number

    def show(self, figures: Figures) -> None:
        """Show whether a server answers."""
        figures.observe(BUS_CONNECTED, lambda: int(self.connected))

    async def wait_connected(self) -> None:
        """Return when a server answers."""
        await self._connection.wait_connected()

    async def close(self) -> None:
        """Drain and disconnect; the bus cannot be used afterwards."""
        if self._preparing is not None:
            self._preparing.cancel()
            await asyncio.gather(self._preparing, return_exceptions=True)
        await self._connection.close()

    async def publish(
        self,
        subject: str,
        payload: bytes,
        *,
        message_id: str,
        headers: Mapping[str, str] | None = None,
        expected: int | None = None,
        timeout: float = 2.0,  # noqa: ASYNC109 - a bound for this publish, named in its error
    ) -> PublishAck:
        """Publish and wait until the stream has it on disk.

        Within the stream's duplicate window a second publish of the same `message_id` is acknowledged as a
        duplicate. `expected` is the sequence of the newest message that there is under the subject, 0 for
        none: with another one nothing is stored.

        Raises:
            BusConflictError: there is another one than `expected`.
            BusUnavailableError: not connected (at once), connection lost, no stream, or no answer within
                `timeout` seconds.
            BusFullError: the stream, or the server, has no room for it.
            BusRefusedError: payload and headers together exceed what the server or the stream takes, or not a
                subject.
        """
        # A copy: nats-py writes into the dictionary that it is given.
        stated = {**(headers or {}), MESSAGE_ID: message_id}
        if expected is not None:
            stated[_EXPECTED] = str(expected)
        answer = await self._connection.request(subject, payload, stated, timeout)
        document = self._stored(subject, answer)
        return PublishAck(document["stream"], document["seq"], bool(document.get("duplicate", False)))

    async def publish_together(
        self,
        messages: Sequence[tuple[str, StoredMessage]],
        *,
        timeout: float = 5.0,  # noqa: ASYNC109 - a bound for this publish, named in its error
    ) -> int:
        """Publish up to 1,000 messages and wait until the stream has all of them on disk, or none.

        Each has its subject, all of one stream, and is as it is to lie there, with its id as header
        `Nats-Msg-Id`; they lie in their order without another one between. Returns the sequence of the first.
        The stream's specification says `atomic` (ADR-50 of NATS).

        Raises:
            BusNotTogetherError: the stream has a message of one of these ids, it cannot store one of them, or
                it is not `atomic`. None is stored: published one by one, it is seen which it is.
            BusUnavailableError, BusFullError, BusRefusedError: as `publish`; of the first it is not known
                whether all are stored or none.
        """
        batch = secrets.token_hex(16)
        sent = [
            (subject, message.payload, {**message.headers, _BATCH: batch, _PLACE: str(place)})
            for place, (subject, message) in enumerate(messages, 1)
        ]
        subject, payload, headers = sent.pop()
        answer = await self._connection.request(
            subject, payload, {**headers, _COMMIT: "1"}, timeout, before=sent
        )
        document = self._stored(subject, answer)
        if document.get("count") != len(messages):
            raise BusUnavailableError(f"{subject}: this server does not store messages together")
        return int(document["seq"]) - len(messages) + 1

    async def acknowledge(self, reply: str, answer: bytes = b"+ACK") -> None:
        """Settle the delivery whose reply address is `reply`; returns when the server has confirmed it.

        Raises:
            BusUnavailableError: the server has not confirmed it.
        """
        await self._connection.acknowledge(reply, answer)

    async def acknowledge_all(self, deliveries: Sequence[Delivery]) -> None:
        """Acknowledge deliveries; returns when the server has confirmed the last one.

        It has been sent those before it, on the same connection unless that broke: what it has not taken then
        it delivers again.

        Raises:
            BusUnavailableError: the server has not confirmed it.
        """
        for delivery in deliveries[:-1]:
            await self._connection.send(delivery.reply, b"+ACK")
        for delivery in deliveries[-1:]:
            await delivery.ack()

    async def consumer(
        self,
        stream: str,
        durable: str,
        *,
        filter_subject: str | None = None,
        ack_wait: float = 30.0,
        max_deliver: int = -1,
        deliver_from: Literal["all", "new"] | int = "all",
        max_ack_pending: int = 1000,
        before_made_again: Callable[[], Awaitable[None]] | None = None,
    ) -> Consumer:
        """The durable consumer `durable` of `stream`; if it cannot be created now, its first pull does it.

        `deliver_from` is where it begins when it is new: a number is the first sequence. `before_made_again`
        is awaited before a pull makes it again because the server has ended it, and may refuse by raising.
        """
        policy = {"all": DeliverPolicy.ALL, "new": DeliverPolicy.NEW}.get(str(deliver_from))
        config = ConsumerConfig(
            durable_name=durable,
            filter_subject=filter_subject,
            ack_wait=ack_wait,
            max_deliver=max_deliver,
            deliver_policy=policy or DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=deliver_from if isinstance(deliver_from, int) else None,
            max_ack_pending=max_ack_pending,
        )
        consumer = Consumer(
            self._connection,
            stream,
            durable,
            config,
            on_closed=self.forget,
            before_made_again=before_made_again,
        )
        self._consumers.add(consumer)
        with contextlib.suppress(BusUnavailableError):
            await consumer.ensure()
        return consumer

    def forget(self, consumer: Consumer) -> None:
        """Stop notifying `consumer` of lost connections."""
        self._consumers.discard(consumer)

    async def ensure_stream(self, spec: StreamSpec) -> None:
        """As `Streams.ensure`."""
        await self._streams.ensure(spec)

    async def stream_state(self, stream: str) -> StreamState:
        """As `Streams.state`."""
        return await self._streams.state(stream)

    async def find_stream(self, stream: str) -> StreamState | None:
        """As `Streams.find`."""
        return await self._streams.find(stream)

    async def gaps(self, stream: str) -> list[tuple[int, int]]:
        """As `Streams.gaps`."""
        return await self._streams.gaps(stream)

    async def last_sequence(self, stream: str) -> int:
        """As `Streams.last_sequence`."""
        return await self._streams.last_sequence(stream)

    async def next_sequence(self, stream: str, sequence: int) -> int | None:
        """As `Streams.next_sequence`."""
        return await self._streams.next_sequence(stream, sequence)

    async def message(self, stream: str, sequence: int) -> StoredMessage | None:
        """As `Streams.message`."""
        return await self._streams.message(stream, sequence)

    async def last_message(self, stream: str, subject: str) -> StoredMessage | None:
        """As `Streams.last_message`."""
        return await self._streams.last_message(stream, subject)

    async def purge_before(self, stream: str, sequence: int) -> None:
        """As `Streams.purge_before`."""
        await self._streams.purge_before(stream, sequence)

    async def durables(self, stream: str) -> list[str]:
        """As `Streams.durables`."""
        return await self._streams.durables(stream)

    async def acknowledged_through(self, stream: str, durable: str) -> int:
        """As `Streams.acknowledged_through`."""
        return await self._streams.acknowledged_through(stream, durable)

    async def unacknowledged(self, stream: str, durable: str) -> int:
        """As `Streams.unacknowledged`."""
        return await self._streams.unacknowledged(stream, durable)

    async def delete_consumer(self, stream: str, durable: str) -> None:
        """As `Streams.delete_consumer`."""
        await self._streams.delete_consumer(stream, durable)

    async def subscribe(self, subject: str, take: Callable[[Msg], Awaitable[None]]) -> Subscription:
        """As `Connection.subscribe`."""
        return await self._connection.subscribe(subject, take)

    async def send(self, subject: str, payload: bytes, *, reply: str = "") -> None:
        """As `Connection.send`."""
        await self._connection.send(subject, payload, reply=reply)

    def jetstream(self) -> JetStreamContext:
        """As `Connection.jetstream`."""
        return self._connection.jetstream()

    def _stored(self, subject: str, answer: Msg) -> dict[str, Any]:
        """What a stream answered to a publish, or the error that it told."""
        if (answer.headers or {}).get(STATUS) == NO_RESPONDERS:
            raise BusUnavailableError(f"no stream takes {subject}")
        document: dict[str, Any] = json.loads(answer.data)
        if "error" in document:
            failure = publish_error(subject, document["error"])
            if isinstance(failure, BusUnavailableError):
                # As a leader answers that has lost the others.
                self._connection.silent()
            raise failure
        self._connection.answered()
        return document

    async def _prepare(self) -> None:
        if self._preparing is not None:
            self._preparing.cancel()
        put_off = await self._ensure(self._wanted)
        self._prepared.set()
        if put_off:
            self._preparing = asyncio.create_task(self._ensure_later(put_off), name="streams of the bus")

    async def _ensure(self, specs: Sequence[StreamSpec]) -> list[StreamSpec]:
        """Create streams; returns those that the server cannot create now."""
        put_off = []
        for spec in specs:
            try:
                await self._streams.ensure(spec)
            except BusError as error:
                _log.warning("stream not ready", stream=spec.name, error=str(error))
                if isinstance(error, BusUnavailableError):
                    put_off.append(spec)
        return put_off

    async def _ensure_later(self, specs: Sequence[StreamSpec]) -> None:
        """Try again until there is another connection, which begins anew."""
        backoff, number = Backoff(), self.connection_number
        while specs and self.connection_number == number:
            await backoff.pause()
            specs = await self._ensure(specs)

    def _notify(self) -> None:
        for consumer in self._consumers:
            consumer.on_lost()
