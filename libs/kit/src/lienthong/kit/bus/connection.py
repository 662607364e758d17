"""The connection to the server: kept by itself, and shared by all that the process does on the bus."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import TYPE_CHECKING

import structlog
from nats.aio.client import Client

from lienthong.kit.backoff import Backoff
from lienthong.kit.bus.ending import FLUSH_PATIENCE, end
from lienthong.kit.bus.faults import translated
from lienthong.kit.bus.requests import NO_RESPONDERS, STATUS, Requests
from lienthong.kit.bus.servers import Servers
from lienthong.kit.cancellation import cancelled_first
from lienthong.kit.messages import BusUnavailableError
from lienthong.kit.nkeys import read_user_key

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription
    from nats.js import JetStreamContext

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 2.0
_ACK_PATIENCE = 2.0

_log = structlog.get_logger(__name__)


class Connection:
    """A connection that may be opened before the server runs, and that reconnects by itself.

    `on_connected` is awaited on every new connection, as soon as it can be used; `on_lost` is called when one
    is lost, perhaps more than once, and when it is closed.
    """

    def __init__(
        self,
        url: str,
        name: str,
        *,
        key_file: Path | None,
        on_connected: Callable[[], Awaitable[None]],
        on_lost: Callable[[], None],
    ) -> None:
        self._servers = Servers([server.strip() for server in url.split(",")])
        self._name = name
        self._key_file = key_file
        self._on_connected = on_connected
        self._on_lost = on_lost
        self._client: Client | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._up = asyncio.Event()
        self._lost = asyncio.Event()
        self._requests = Requests()
        self.number = 0
        """How many connections there have been: another number, another connection."""

    def start(self) -> None:
        """Start connecting, in the background, until it succeeds."""
        self._keeper = asyncio.create_task(self._keep(), name=f"bus {self._name}")

    @property
    def connected(self) -> bool:
        """Whether a server answers now."""
        return self._up.is_set() and self._client is not None and self._client.is_connected

    async def wait_connected(self) -> None:
        """Return when a server answers."""
        await self._up.wait()

    async def request(
        self,
        subject: str,
        payload: bytes,
        headers: dict[str, str] | None,
        patience: float,
        *,
        before: Sequence[tuple[str, bytes, dict[str, str]]] = (),
    ) -> Msg:
        """Send and wait for the answer; unlike nats-py's `request` it fails at once with the connection.

        `before` is sent before it on the same connection, without an answer.

        Raises:
            BusUnavailableError: not connected, connection lost, or no answer within `patience` seconds.
            BusRefusedError: payload and headers together exceed what the server takes, or not a subject.
        """
        client = self._usable()
        try:
            answer = await self._requests.ask(client, subject, payload, headers, patience, before=before)
        except BusUnavailableError:
            self.silent(client)
            raise
        if (answer.headers or {}).get(STATUS) == NO_RESPONDERS:
            self.silent(client)
        return answer

    def answered(self) -> None:
        """Note that the server does what it is asked for."""
        self._servers.answered()

    def silent(self, client: Client | None = None) -> None:
        """Note that the server does not; when that lasts, and there are others, another one is connected to.

        A server that is cut off from the others takes connections, and nothing that is to be stored. `client`
        is the connection on which it was asked, if not the present one.
        """
        if (client is None or client is self._client) and self.connected and self._servers.silent():
            _log.warning("this server of the bus answers nothing, another one is tried", bus=self._name)
            self._lost.set()

    async def acknowledge(self, reply: str, answer: bytes) -> None:
        """Settle the delivery whose reply address is `reply`; returns when the server has confirmed it.

        Raises:
            BusUnavailableError: the server has not confirmed it.
        """
        await self.request(reply, answer, None, _ACK_PATIENCE)
        self.answered()

    async def subscribe(self, subject: str, take: Callable[[Msg], Awaitable[None]]) -> Subscription:
        """Subscribe on the current connection (core NATS): messages are not stored for the subscriber.

        Raises:
            BusUnavailableError: not connected.
        """
        client = self._usable()
        with translated(subject):
            return await client.subscribe(subject, cb=take)

    async def send(self, subject: str, payload: bytes, *, reply: str = "") -> None:
        """Publish without an acknowledgement, for control messages only: delivery is not guaranteed.

        Raises:
            BusUnavailableError: not connected.
        """
        client = self._usable()
        with translated(subject):
            await client.publish(subject, payload, reply=reply)

    def jetstream(self) -> JetStreamContext:
        """nats-py's JetStream context of the current connection, for what this adapter does not offer.

        Raises:
            BusUnavailableError: not connected.
        """
        return self._usable().jetstream(timeout=5)

    async def close(self) -> None:
        """Drain and disconnect; the connection cannot be used afterwards."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        client, self._client = self._client, None
        self._up.clear()
        self._requests.fail("the bus was closed")
        self._on_lost()
        if client is not None:
            await end(client)

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
                    connected_to = client.connected_url
                    await self._hold(client)
                    if connected_to is not None:
                        self._servers.leave(connected_to.hostname, connected_to.port)
            except Exception as error:  # noqa: BLE001 - after any error, connect again
                _log.warning("bus connection failed", error=repr(error), bus=self._name)
            with cancelled_first():
                await self._on_disconnected(client)
                await end(client)
            await backoff.pause()

    async def _connect(self, client: Client) -> None:
        await client.connect(
            self._servers.addresses,
            dont_randomize=True,
            name=self._name,
            error_cb=self._on_error,
            disconnected_cb=partial(self._on_disconnected, client),
            allow_reconnect=False,
            connect_timeout=2,
            reconnect_time_wait=0.25,  # type: ignore[arg-type]
            max_reconnect_attempts=-1,
            ping_interval=2,
            max_outstanding_pings=2,
            flush_timeout=FLUSH_PATIENCE,
            signature_cb=self._identify(client),
        )

    async def _hold(self, client: Client) -> None:
        """Make a new connection usable and return when it is lost."""
        self._lost.clear()
        await self._requests.listen(client)
        self.number += 1
        self._up.set()
        _log.info("bus connected", bus=self._name)
        await self._on_connected()
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
        self._requests.fail("the connection was lost")
        self._on_lost()

    def _usable(self) -> Client:
        """The client of the current connection.

        Raises:
            BusUnavailableError: not connected.
        """
        client = self._client
        if client is None or not self.connected:
            raise BusUnavailableError("not connected")
        return client
