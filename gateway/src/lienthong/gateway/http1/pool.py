"""Connections to providers, kept open for further exchanges."""

from __future__ import annotations

import asyncio
import ssl
import time
from typing import TYPE_CHECKING, Protocol, cast

from aiohappyeyeballs import start_connection

from lienthong.gateway.http1.balance import Balance
from lienthong.gateway.http1.connection import Connection
from lienthong.gateway.http1.errors import ProviderUnreachableError
from lienthong.gateway.http1.names import Names

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

    from lienthong.gateway.http1.address import Origin
    from lienthong.gateway.http1.circuit import CircuitState
    from lienthong.gateway.http1.names import AddressInfo

IDLE_S = 4.0
"""Shorter than the keep-alive of common servers (uvicorn, Node.js: 5 s), so that they do not close first; of
those that state a shorter one (`Keep-Alive: timeout`), so long."""
MAX_AGE_S = 60.0
"""One that never rests is closed all the same, between two exchanges: a name may lead elsewhere by now."""
_NEXT_ADDRESS_S = 0.25
"""How long to wait for one address of a name before the next is tried as well (RFC 8305 section 5)."""


def provider_trust() -> ssl.SSLContext:
    """What providers' certificates are checked against: the system's authorities, or those in SSL_CERT_FILE.

    The same with every Python. From 3.13 on a new context also asks for what RFC 5280 wants to see in a
    certificate and not every authority writes into it, such as the Authority Key Identifier.
    """
    context = ssl.create_default_context()
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


class Guard(Protocol):
    """Says which addresses may be connected to."""

    async def allowed(self, found: Sequence[AddressInfo], port: int) -> list[AddressInfo]:
        """Those of the addresses of a name that may be connected to.

        Raises:
            ProviderRefusedError: there is none among them.
        """
        ...

    def check_connected(self, stream: socket.socket) -> None:
        """Look at a connection before anything is sent over it.

        Raises:
            ProviderRefusedError: it may not be used.
        """
        ...


class Pool:
    """Opens connections and keeps idle ones; the one used last is used first.

    `tls` says which certificates are trusted; `connect_timeout` is in seconds, for one address, unless its
    provider has a limit of its own. `guard` says
    which addresses may be connected to; without one all may. `names` looks names up; pools may share one.
    """

    def __init__(
        self,
        *,
        connect_timeout: float,
        tls: ssl.SSLContext,
        guard: Guard | None = None,
        names: Names | None = None,
    ) -> None:
        self._guard = guard
        self._connect_timeout = connect_timeout
        self._tls = tls
        self._names = names or Names()
        self._idle: dict[Origin, dict[Connection, float]] = {}
        self._opened: dict[Origin, int] = {}
        self.balance = Balance(self.load)
        """Which of several addresses is called next."""
        self._open: set[Connection] = set()
        self._sweeping: asyncio.TimerHandle | None = None

    def idle(self, origin: Origin) -> Connection | None:
        """An idle connection to `origin`, if there is one."""
        kept = self._idle.get(origin)
        if not kept:
            return None
        now = time.monotonic()
        opened = now - MAX_AGE_S
        while kept:
            connection, until = kept.popitem()
            if until > now and connection.opened > opened and connection.open and connection.quiet:
                return connection
            connection.close()
        return None

    async def connect(self, origin: Origin, deadline: float, within_s: float | None = None) -> Connection:
        """A new connection; `deadline` is on the loop's clock, `within_s` the time for this one address.

        Raises:
            ProviderUnreachableError: there was none in time, or the certificate is not trusted.
            ProviderRefusedError: no connection is made to any of its addresses.
        """
        loop = asyncio.get_running_loop()
        try:
            within_s = self._connect_timeout if within_s is None else within_s
            async with asyncio.timeout_at(min(deadline, loop.time() + within_s)):
                stream = await self._reach(origin)
                connection = Connection(origin, self)
                await loop.create_connection(
                    lambda: cast("asyncio.Protocol", connection),
                    sock=stream,
                    ssl=self._tls if origin.tls else None,
                    server_hostname=origin.name if origin.tls else None,
                )
        except (OSError, UnicodeError) as error:
            raise ProviderUnreachableError(repr(error)) from error
        if not connection.open:
            raise ProviderUnreachableError("closed as soon as it was open")
        self._open.add(connection)
        self._opened[origin] = self._opened.get(origin, 0) + 1
        return connection

    def load(self, origin: Origin) -> int:
        """How many connections to `origin` are in use."""
        return self._opened.get(origin, 0) - len(self._idle.get(origin, ()))

    def connections(self) -> tuple[int, int]:
        """How many connections are idle, and how many are in use."""
        idle = sum(len(kept) for kept in list(self._idle.values()))
        return idle, max(len(self._open) - idle, 0)

    def resting(self) -> int:
        """How many addresses failed and are left alone."""
        return self.balance.resting

    def circuits(self) -> dict[tuple[str, CircuitState], int]:
        """How many addresses of each service are not simply called, by where they are."""
        return self.balance.states()

    async def _reach(self, origin: Origin) -> socket.socket:
        """Resolve the name once, and connect to one of its addresses."""
        found = await self._names.look_up(origin.host, origin.port)
        if self._guard is None:
            return await start_connection(found, happy_eyeballs_delay=_NEXT_ADDRESS_S)
        stream = await start_connection(
            await self._guard.allowed(found, origin.port), happy_eyeballs_delay=_NEXT_ADDRESS_S
        )
        try:
            self._guard.check_connected(stream)
        except BaseException:
            stream.close()
            raise
        return stream

    def keep(self, connection: Connection) -> None:
        """Keep a connection for the next exchange with its origin, for as long as its provider does."""
        rests_s = min(connection.rests_s, IDLE_S)
        if rests_s <= 0:
            connection.close()
            return
        self._idle.setdefault(connection.origin, {})[connection] = time.monotonic() + rests_s
        if self._sweeping is None:
            self._sweeping = asyncio.get_running_loop().call_later(IDLE_S, self._sweep)

    def forget(self, connection: Connection) -> None:
        """Drop a connection that has closed."""
        if connection in self._open:
            self._open.discard(connection)
            left = self._opened[connection.origin] - 1
            if left:
                self._opened[connection.origin] = left
            else:
                del self._opened[connection.origin]
        kept = self._idle.get(connection.origin)
        if kept is not None:
            kept.pop(connection, None)

    def close(self) -> None:
        """Close every connection."""
        if self._sweeping is not None:
            self._sweeping.cancel()
        for connection in tuple(self._open):
            connection.close()

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        now = time.monotonic()
        for kept in self._idle.values():
            for connection in [connection for connection, until in kept.items() if until <= now]:
                del kept[connection]
                connection.close()
        self._idle = {origin: kept for origin, kept in self._idle.items() if kept}
        self._sweeping = loop.call_later(IDLE_S / 4, self._sweep) if self._idle else None
