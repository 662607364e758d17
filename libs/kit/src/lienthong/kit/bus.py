"""The bus: acknowledged publishing and durable pulling over NATS JetStream.

A thin layer over nats-py that controls acknowledgements itself and works around known faults of nats-py.
`messages` has the values and errors, `consumer` the durable pull consumers.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import weakref
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.transport import TcpTransport
from nats.js.api import ConsumerConfig, DeliverPolicy, DiscardPolicy, StorageType, StreamConfig
from nats.js.errors import APIError, NotFoundError

from lienthong.kit.backoff import Backoff
from lienthong.kit.cancellation import cancelled_first
from lienthong.kit.consumer import Consumer
from lienthong.kit.messages import (
    BusError,
    BusFullError,
    BusRefusedError,
    BusUnavailableError,
    Delivery,
    PublishAck,
    StreamSpec,
    StreamState,
    headers_size,
)
from lienthong.kit.metrics.instruments import BUS_CONNECTED
from lienthong.kit.nkeys import read_user_key

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription
    from nats.js import JetStreamContext
    from nats.js.api import RawStreamMsg

    from lienthong.kit.metrics.figures import Figures

__all__ = [
    "MESSAGE_ID", "Bus", "BusError", "BusFullError", "BusRefusedError", "BusUnavailableError", "Consumer",
    "Delivery", "PublishAck", "StreamSpec", "StreamState",
]  # fmt: skip

MESSAGE_ID = "Nats-Msg-Id"
_STATUS = "Status"
_CONFIGURED = (
    "subjects", "max_age", "max_bytes", "max_msg_size", "max_msgs", "discard", "storage", "num_replicas",
    "duplicate_window", "deny_delete", "deny_purge",
)  # fmt: skip
_NO_SUCH_MESSAGE = 10037
_PUBLISH_ERRORS: Mapping[int | None, type[BusError]] = MappingProxyType(
    {
        10023: BusFullError,  # insufficient resources: the server's disk, or its own limit
        10047: BusFullError,  # insufficient storage resources
        10054: BusRefusedError,  # the message exceeds the stream's limit
        10077: BusFullError,  # the stream's limit of bytes
    }
)
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 2.0
_ACK_PATIENCE = 2.0
_FLUSH_PATIENCE = 2
_CLOSE_PATIENCE = 1.0

_log = structlog.get_logger(__name__)


class Bus:
    """A connection that may be opened before the server runs, and that reconnects by itself."""

    def __init__(
        self, url: str, name: str, streams: Sequence[StreamSpec] = (), *, key_file: Path | None = None
    ) -> None:
        self._servers = [server.strip() for server in url.split(",")]
        self._name = name
        self._key_file = key_file
        self._streams = tuple(streams)
        self._client: Client | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._up = asyncio.Event()
        self._lost = asyncio.Event()
        self._prepared = asyncio.Event()
        self._consumers: weakref.WeakSet[Consumer] = weakref.WeakSet()
        self._inbox = ""
        self._waiting: dict[str, asyncio.Future[Msg]] = {}
        self._token = 0

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

        On every new connection `streams` are created, or changed to what they say; `wait` includes that.
        `key_file` holds the seed that the server knows this process by. It is read for each connection, so
        that a new key needs no restart.
        """
        bus = cls(url, name, streams, key_file=key_file)
        bus._keeper = asyncio.create_task(bus._keep(), name=f"bus {name}")
        if wait:
            await bus._prepared.wait()
        return bus

    @property
    def connected(self) -> bool:
        """Whether a server answers now."""
        return self._up.is_set() and self._client is not None and self._client.is_connected

    def show(self, figures: Figures) -> None:
        """Show whether a server answers."""
        figures.observe(BUS_CONNECTED, lambda: int(self.connected))

    async def wait_connected(self) -> None:
        """Return when a server answers."""
        await self._up.wait()

    async def publish(
        self,
        subject: str,
        payload: bytes,
        *,
        message_id: str,
        headers: Mapping[str, str] | None = None,
        timeout: float = 2.0,  # noqa: ASYNC109 - a bound for this publish, named in its error
    ) -> PublishAck:
        """Publish and wait until the stream has it on disk.

        Within the stream's duplicate window a second publish of the same `message_id` is acknowledged as a
        duplicate.

        Raises:
            BusUnavailableError: not connected (at once), connection lost, no stream, or no answer within
                `timeout` seconds.
            BusFullError: the stream, or the server, has no room for it.
            BusRefusedError: payload and headers together exceed what the server or the stream takes, or not a
                subject.
        """
        # A copy: nats-py writes into the dictionary that it is given.
        answer = await self._request(subject, payload, {**(headers or {}), MESSAGE_ID: message_id}, timeout)
        if (answer.headers or {}).get(_STATUS) == "503":
            raise BusUnavailableError(f"no stream takes {subject}")
        document = json.loads(answer.data)
        if "error" in document:
            error = document["error"]
            kind = _PUBLISH_ERRORS.get(error.get("err_code"), BusUnavailableError)
            raise kind(f"{subject}: {error.get('description')}")
        return PublishAck(document["stream"], document["seq"], bool(document.get("duplicate", False)))

    async def ensure_stream(self, spec: StreamSpec) -> None:
        """Create the stream, or change it to what `spec` says; a protected one is never changed.

        Raises:
            BusUnavailableError: the server did not answer.
            BusRefusedError: the stream exists and cannot be changed to this.
        """
        config = StreamConfig(
            name=spec.name,
            subjects=list(spec.subjects),
            max_age=spec.max_age,
            max_bytes=spec.max_bytes if spec.max_bytes is not None else -1,
            max_msg_size=spec.max_message_bytes if spec.max_message_bytes is not None else -1,
            max_msgs=-1,
            discard=DiscardPolicy.NEW,
            storage=StorageType.FILE,
            num_replicas=spec.replicas,
            duplicate_window=spec.duplicate_window,
            deny_delete=spec.protected,
            deny_purge=spec.protected,
        )
        with self.translated(f"stream {spec.name}"):
            # Looked for first: nats-server 2.15 refuses to create a stream that is there already, just as it
            # is to be, when the room for another one of its size is missing.
            present = await self._configuration(spec.name)
            if present is None:
                try:
                    await self.jetstream().add_stream(config)
                except APIError:
                    # Another process may have created it at this moment.
                    present = await self._configuration(spec.name)
                    if present is None:
                        raise
                else:
                    return
            other = [name for name in _CONFIGURED if _plain(present, name) != _plain(config, name)]
            if other and spec.protected:
                raise BusRefusedError(f"stream {spec.name} has another {', '.join(other)}: left as it is")
            if other:
                await self.jetstream().update_stream(config)

    async def _configuration(self, stream: str) -> StreamConfig | None:
        try:
            return (await self.jetstream().stream_info(stream)).config
        except NotFoundError:
            return None

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
    ) -> Consumer:
        """The durable consumer `durable` of `stream`; if it cannot be created now, its first pull does it.

        `deliver_from` is where it begins when it is new: a number is the first sequence.
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
        consumer = Consumer(self, stream, durable, config)
        self._consumers.add(consumer)
        with contextlib.suppress(BusUnavailableError):
            await consumer.ensure()
        return consumer

    async def delete_consumer(self, stream: str, durable: str) -> None:
        """Delete a consumer with its state on the server; does nothing when there is none."""
        with self.translated(f"consumer {durable}"), contextlib.suppress(NotFoundError):
            await self.jetstream().delete_consumer(stream, durable)

    async def durables(self, stream: str) -> list[str]:
        """The names of the stream's durable consumers.

        Raises:
            BusUnavailableError: the server did not answer, or there is no stream.
        """
        names: list[str] = []
        with self._reading(stream):
            while page := await self.jetstream().consumers_info(stream, offset=len(names)):
                names += [info.name for info in page]
        return names

    async def last_sequence(self, stream: str) -> int:
        """The sequence of the newest message that the stream ever stored; 0 before the first.

        Raises:
            BusUnavailableError: the server did not answer, or there is no stream.
        """
        return (await self.stream_state(stream)).last_sequence

    async def stream_state(self, stream: str) -> StreamState:
        """When the stream was created, the sequence of its newest message, and its size.

        Raises:
            BusUnavailableError: the server did not answer, or there is no stream.
        """
        with self._reading(stream):
            info = await self.jetstream().stream_info(stream)
        return StreamState(
            str(info.created), info.state.last_seq, info.state.bytes, _limit(info.config.max_bytes)
        )

    async def next_sequence(self, stream: str, sequence: int) -> int | None:
        """The sequence of the first message that the stream has at `sequence` or after it; None without one.

        Raises:
            BusUnavailableError: the server did not answer, or there is no stream.
        """
        found = await self._message(stream, sequence, or_next=True)
        return None if found is None else found.seq

    async def acknowledged_through(self, stream: str, durable: str) -> int:
        """The sequence up to which a durable consumer has acknowledged everything.

        Raises:
            BusUnavailableError: the server did not answer, or does not know the consumer.
        """
        with self._reading(stream):
            info = await self.jetstream().consumer_info(stream, durable)
        return info.ack_floor.stream_seq if info.ack_floor is not None else 0

    async def message_headers(self, stream: str, sequence: int) -> Mapping[str, str] | None:
        """The headers of the message that the stream has under `sequence`; None when it has none there.

        Raises:
            BusUnavailableError: the server did not answer, or there is no stream.
        """
        found = await self._message(stream, sequence)
        return None if found is None else found.headers or {}

    async def _message(self, stream: str, sequence: int, *, or_next: bool = False) -> RawStreamMsg | None:
        with self._reading(stream):
            try:
                return await self.jetstream().get_msg(
                    stream, sequence, subject=">" if or_next else None, next=or_next
                )
            except NotFoundError as error:
                if error.err_code != _NO_SUCH_MESSAGE:
                    raise
                return None

    def forget(self, consumer: Consumer) -> None:
        """Stop notifying `consumer` of lost connections."""
        self._consumers.discard(consumer)

    async def acknowledge(self, reply: str, answer: bytes = b"+ACK") -> None:
        """Settle the delivery whose reply address is `reply`; returns when the server has confirmed it.

        Raises:
            BusUnavailableError: the server has not confirmed it.
        """
        await self._request(reply, answer, None, _ACK_PATIENCE)

    async def subscribe(self, subject: str, take: Callable[[Msg], Awaitable[None]]) -> Subscription:
        """Subscribe on the current connection (core NATS): messages are not stored for the subscriber.

        Raises:
            BusUnavailableError: not connected.
        """
        client = self._usable()
        with self.translated(subject):
            return await client.subscribe(subject, cb=take)

    async def send(self, subject: str, payload: bytes, *, reply: str = "") -> None:
        """Publish without an acknowledgement, for control messages only: delivery is not guaranteed.

        Raises:
            BusUnavailableError: not connected.
        """
        client = self._usable()
        with self.translated(subject):
            await client.publish(subject, payload, reply=reply)

    async def close(self) -> None:
        """Drain and disconnect; the bus cannot be used afterwards."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        client, self._client = self._client, None
        self._up.clear()
        self._fail_waiting("the bus was closed")
        if client is not None:
            await _end(client)

    async def _keep(self) -> None:
        """Connect again and again, with a new nats-py client for each connection.

        nats-py's own reconnecting gives up for good on some errors, buffers what was published before the
        loss and sends it late, and leaks the socket when a server dies during the handshake.
        """
        backoff = Backoff(_FIRST_PAUSE_S, _LONGEST_PAUSE_S)
        while True:
            client = self._client = Client()
            try:
                # A block for each: one that lasts for ever would never come to look for a cancellation.
                with cancelled_first():
                    await self._connect(client)
                with cancelled_first():
                    backoff.reset()
                    await self._hold(client)
            except Exception as error:  # noqa: BLE001 - after any error, connect again
                _log.warning("bus connection failed", error=repr(error), bus=self._name)
            with cancelled_first():
                await self._on_disconnected(client)
                await _end(client)
            await backoff.pause()

    async def _connect(self, client: Client) -> None:
        await client.connect(
            self._servers,
            name=self._name,
            error_cb=self._on_error,
            disconnected_cb=partial(self._on_disconnected, client),
            allow_reconnect=False,
            connect_timeout=2,
            reconnect_time_wait=0.25,  # type: ignore[arg-type]
            max_reconnect_attempts=-1,
            ping_interval=2,
            max_outstanding_pings=2,
            flush_timeout=_FLUSH_PATIENCE,
            signature_cb=self._identify(client),
        )

    async def _hold(self, client: Client) -> None:
        """Make a new connection usable and return when it is lost."""
        self._lost.clear()
        self._inbox = f"_INBOX.{secrets.token_hex(11)}"
        await client.subscribe(f"{self._inbox}.*", cb=self._on_answer)
        self._up.set()
        _log.info("bus connected", bus=self._name)
        for spec in self._streams:
            try:
                await self.ensure_stream(spec)
            except BusError as error:
                _log.warning("stream not ready", stream=spec.name, error=str(error))
        self._prepared.set()
        while client.is_connected and not self._lost.is_set():
            # nats-py calls back when its closing ends, and not at all when that fails half way: look as well.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.25):
                    await self._lost.wait()

    def _identify(self, client: Client) -> Callable[[str], bytes] | None:
        """Have `client` name this process's public key, and return what signs the server's nonce."""
        if self._key_file is None:
            return None
        key = read_user_key(self._key_file)
        # nats-py sets it itself only together with the package nkeys, see `lienthong.kit.nkeys`.
        client._public_nkey = key.public  # noqa: SLF001
        return key.signature

    async def _on_error(self, error: Exception) -> None:
        # Nobody is answered who may not ask: without this line a missing right would look like a slow server.
        level = _log.error if "permissions violation" in str(error).lower() else _log.debug
        level("bus error", bus=self._name, error=repr(error))
        # While it connects, nats-py calls this in the keeper's own task and then tries again, for ever, also
        # when it has taken the keeper's cancellation for an error of the connection.
        if asyncio.current_task() is self._keeper and self._keeper is not None and self._keeper.cancelling():
            raise asyncio.CancelledError from error

    async def _on_disconnected(self, client: Client) -> None:
        if client is not self._client:
            # nats-py calls back when its closing ends, which may be after the next connection was made.
            return
        if self._up.is_set():
            _log.warning("bus disconnected", bus=self._name)
        self._up.clear()
        self._lost.set()
        self._fail_waiting("the connection was lost")

    async def _on_answer(self, message: Msg) -> None:
        future = self._waiting.pop(message.subject, None)
        if future is not None and not future.done():
            future.set_result(message)

    def _fail_waiting(self, why: str) -> None:
        waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            if not future.done():
                future.set_exception(BusUnavailableError(why))
        for consumer in self._consumers:
            consumer.on_lost()

    async def _request(
        self, subject: str, payload: bytes, headers: dict[str, str] | None, patience: float
    ) -> Msg:
        """Send and wait for the answer; unlike nats-py's `request` it fails at once with the connection."""
        client = self._usable()
        size = len(payload) + headers_size(headers)
        if size > client.max_payload:
            # nats-py counts the payload alone, and the server would end the connection that all share.
            raise BusRefusedError(
                f"{subject}: payload and headers have {size} bytes, the server takes {client.max_payload}"
            )
        self._token += 1
        inbox = f"{self._inbox}.{self._token}"
        future: asyncio.Future[Msg] = asyncio.get_running_loop().create_future()
        self._waiting[inbox] = future
        try:
            async with asyncio.timeout(patience):
                # Inside: nats-py swallows every cancellation, that of the time-out too, while it waits for a
                # server that does not read.
                with cancelled_first():
                    await client.publish(subject, payload, reply=inbox, headers=headers)
                return await future
        except TimeoutError as error:
            raise BusUnavailableError(f"no answer within {patience:g} s") from error
        except (
            nats.errors.MaxPayloadError,
            nats.errors.BadSubjectError,
            nats.errors.BadHeaderError,
        ) as error:
            raise BusRefusedError(f"{subject}: {error}") from error
        except (nats.errors.Error, OSError) as error:
            raise BusUnavailableError(str(error)) from error
        finally:
            self._waiting.pop(inbox, None)
            if future.done() and not future.cancelled():
                future.exception()  # seen, even when the block ended for another reason

    def jetstream(self) -> JetStreamContext:
        """nats-py's JetStream context of the current connection, for what this adapter does not offer.

        Raises:
            BusUnavailableError: not connected.
        """
        return self._usable().jetstream(timeout=5)

    def _usable(self) -> Client:
        """The client of the current connection.

        Raises:
            BusUnavailableError: not connected.
        """
        client = self._client
        if client is None or not self.connected:
            raise BusUnavailableError("not connected")
        return client

    @contextlib.contextmanager
    def _reading(self, stream: str) -> Iterator[None]:
        """Like `translated`, but a missing stream is `BusUnavailableError`: it may be created later."""
        try:
            with self.translated(f"stream {stream}"):
                yield
        except BusRefusedError as error:
            raise BusUnavailableError(str(error)) from error

    @contextlib.contextmanager
    def translated(self, what: str) -> Iterator[None]:
        """Turn errors of nats-py in the block into `BusError`s, whose messages begin with `what`."""
        try:
            with cancelled_first():
                yield
        except APIError as error:
            refused = error.code is not None and 400 <= error.code < 500
            raise (BusRefusedError if refused else BusUnavailableError)(
                f"{what}: {error.description}"
            ) from error
        except (nats.errors.Error, OSError, TimeoutError) as error:
            raise BusUnavailableError(f"{what}: {error!r}") from error


def _plain(config: StreamConfig, name: str) -> object:
    """A part of a stream's configuration; what is left out is zero for the server."""
    return getattr(config, name) or 0


def _limit(value: int | None) -> int | None:
    """A limit of a stream; the server says -1 for none."""
    return value if value is not None and value >= 0 else None


async def _end(client: Client) -> None:
    """Flush what was published, then disconnect; takes four seconds at most.

    Not by nats-py's `drain`: it swallows a time-out, and then flushes for up to ten seconds.
    """
    try:
        if client.is_connected:
            async with asyncio.timeout(_FLUSH_PATIENCE):
                with cancelled_first():
                    await client.flush(_FLUSH_PATIENCE)
    except (nats.errors.Error, OSError, TimeoutError) as error:
        _log.debug("bus not flushed", error=repr(error))
    try:
        with contextlib.suppress(nats.errors.Error, OSError, TimeoutError):
            async with asyncio.timeout(_CLOSE_PATIENCE):
                await client.close()
    finally:
        await _end_socket(client._transport)  # noqa: SLF001


async def _end_socket(transport: object) -> None:
    """Close the socket, which nats-py leaves open when its closing fails half way or waits for the server."""
    if not isinstance(transport, TcpTransport) or transport._io_writer is None:  # noqa: SLF001
        return
    writer = transport._io_writer  # noqa: SLF001
    writer.close()
    try:
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(_CLOSE_PATIENCE):
                await writer.wait_closed()
    finally:
        # With it ends whatever of nats-py still waits for a server that does not read.
        writer.transport.abort()
