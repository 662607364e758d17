"""Durable pull consumers: requests that survive every loss of the connection."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from typing import TYPE_CHECKING, Any

import structlog
from nats.js.errors import NotFoundError

from lienthong.kit.backoff import Backoff
from lienthong.kit.bus.faults import translated
from lienthong.kit.bus.requests import STATUS
from lienthong.kit.messages import BusError, BusRefusedError, BusUnavailableError, Delivery

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription
    from nats.js.api import ConsumerConfig

    from lienthong.kit.bus.connection import Connection

_ACK_PREFIX = "$JS.ACK."
_HEARTBEAT = 5.0

_log = structlog.get_logger(__name__)


class Consumer:
    """A durable pull consumer. Processes may share one by its name: each message goes to one of them."""

    def __init__(
        self,
        connection: Connection,
        stream: str,
        durable: str,
        config: ConsumerConfig,
        *,
        on_closed: Callable[[Consumer], None],
        before_made_again: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._connection = connection
        self._on_closed = on_closed
        self._before_made_again = before_made_again
        self._stream = stream
        self._durable = durable
        self._config = config
        self._ensured = False
        self._subscription: Subscription | None = None
        self._inbox = ""
        self._requests = 0
        self._arrived: asyncio.Queue[Msg | None] = asyncio.Queue()
        self._fetch_lock = asyncio.Lock()

    async def ensure(self) -> None:
        """Create the consumer on the server, or change it to this configuration.

        Raises:
            BusUnavailableError: the server does not answer, or the stream does not exist yet.
            BusRefusedError: it exists with a configuration that cannot be changed to this one.
        """
        try:
            with translated(f"consumer {self._durable}"):
                await self._connection.jetstream().add_consumer(self._stream, self._config)
        except BusUnavailableError:
            self._connection.silent()
            raise
        except BusRefusedError as error:
            if isinstance(error.__cause__, NotFoundError):
                raise BusUnavailableError(f"there is no stream {self._stream} yet") from error
            raise
        self._ensured = True

    async def batches(self, max_messages: int, wait: float) -> AsyncIterator[list[Delivery]]:
        """Yield batches of 1 to `max_messages` messages, endlessly, across every loss of the connection.

        `wait` is how long the server keeps one pull request open, in seconds; a batch is yielded as soon as
        there is a message.
        """
        backoff = Backoff()
        while True:
            try:
                batch = await self.fetch(max_messages, wait)
            except BusError as error:
                level = _log.error if isinstance(error, BusRefusedError) else _log.debug
                level("pull failed", stream=self._stream, durable=self._durable, error=str(error))
                await self._connection.wait_connected()
                await backoff.pause()
                continue
            backoff.reset()
            if batch:
                yield batch

    async def fetch(self, max_messages: int, wait: float) -> list[Delivery]:
        """Pull the messages that are there, up to `max_messages`; waits up to `wait` seconds for the first.

        Raises:
            BusUnavailableError: not connected, or the connection was lost before anything came.
            BusRefusedError: the consumer cannot be created.
        """
        async with self._fetch_lock:
            taken = self._take_late(max_messages)
            if taken:
                return taken
            if not self._ensured:
                if self._before_made_again is not None:
                    await self._before_made_again()
                await self.ensure()
            await self._listen()
            try:
                await self._pull(taken, max_messages, wait)
            except BusUnavailableError:
                if not taken:
                    raise
            except asyncio.CancelledError:
                await self._give_back(taken)
                raise
            return taken

    async def close(self) -> None:
        """Stop listening and return untaken messages to the server, which keeps the consumer."""
        self._on_closed(self)
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            with contextlib.suppress(BusError), translated(f"consumer {self._durable}"):
                await subscription.unsubscribe()
        await self._give_back(self._take_late(self._arrived.qsize()))

    def on_lost(self) -> None:
        """Note that the connection was lost (called by the bus): open pull requests get no answer."""
        self._subscription = None
        self._arrived.put_nowait(None)

    async def _listen(self) -> None:
        if self._subscription is None:
            self._inbox = f"_INBOX.{secrets.token_hex(11)}"
            self._subscription = await self._connection.subscribe(f"{self._inbox}.*", self._on_message)

    async def _on_message(self, message: Msg) -> None:
        self._arrived.put_nowait(message)

    async def _pull(self, taken: list[Delivery], max_messages: int, wait: float) -> None:
        """Make one pull request; its messages are added to `taken` as they arrive."""
        self._requests += 1
        reply = f"{self._inbox}.{self._requests}"
        # Both together: wait for the first message, deliver all there are, then end the request.
        request: dict[str, Any] = {"batch": max_messages, "no_wait": True, "expires": int(wait * 1e9)}
        patience = wait + 1.0
        if wait >= 1.0:
            heartbeat = min(wait / 2, _HEARTBEAT)
            request["idle_heartbeat"] = int(heartbeat * 1e9)
            patience = heartbeat * 2 + 0.5
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{self._durable}"
        await self._connection.send(subject, json.dumps(request).encode(), reply=reply)
        while len(taken) < max_messages:
            if not self._arrived.empty():
                message = self._arrived.get_nowait()
            else:
                message = await self._next(patience)
            if message is None:
                raise BusUnavailableError("the connection was lost")
            if message.reply.startswith(_ACK_PREFIX):
                taken.append(self._delivery(message))
                self._connection.answered()
            elif message.subject == reply and self._ends(message):
                self._connection.answered()
                return

    async def _next(self, patience: float) -> Msg | None:
        try:
            async with asyncio.timeout(patience):
                return await self._arrived.get()
        except TimeoutError as error:
            self._connection.silent()
            raise BusUnavailableError("the server forgot the request") from error

    def _ends(self, status: Msg) -> bool:
        """Whether a status message ends its request; raises when it says that something is wrong."""
        headers = status.headers or {}
        match headers.get(STATUS):
            case "100":
                return False
            case "404" | "408":
                return True
            case other:
                # No such consumer or stream, or another server leads it now: ensure the consumer again.
                self._ensured = False
                self._connection.silent()
                raise BusUnavailableError(
                    f"the server ended the request: {other} {headers.get('Description', '')}"
                )

    def _take_late(self, most: int) -> list[Delivery]:
        """Messages that arrived after their pull request had been abandoned."""
        taken: list[Delivery] = []
        while len(taken) < most and not self._arrived.empty():
            message = self._arrived.get_nowait()
            if message is not None and message.reply.startswith(_ACK_PREFIX):
                taken.append(self._delivery(message))
        return taken

    async def _give_back(self, deliveries: Sequence[Delivery]) -> None:
        """Have the server redeliver these at once instead of after `ack_wait`."""
        with contextlib.suppress(BusError):
            for delivery in deliveries:
                await self._connection.send(delivery.reply, b"-NAK")

    def _delivery(self, message: Msg) -> Delivery:
        metadata = message.metadata
        return Delivery(
            subject=message.subject,
            payload=message.data,
            headers=message.headers or {},
            sequence=metadata.sequence.stream,
            stored_at=metadata.timestamp,
            delivered_count=metadata.num_delivered,
            reply=message.reply,
            _acknowledge=self._connection.acknowledge,
        )
