"""Addresses of names that somebody else gave, and only of those that may be called (CWE-918).

A name is judged by the rules of providers' addresses when it has been resolved, and what is given back is the
address itself: connected to so, a name cannot lead elsewhere a moment later.

Names are looked up in a few threads of its own, each name once at a time: a name server that does not answer
holds up neither the other names nor what else the process looks up.
"""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lienthong.kit.addresses import ProviderAddresses

_LOOKING_UP: Final = 4


class NameRefusedError(OSError):
    """A name leads to no address that may be called; the text says why, in a few words."""


class JudgedNames:
    """Looks names up, and judges where they lead."""

    def __init__(self, rules: ProviderAddresses) -> None:
        self._rules = rules
        self._threads = ThreadPoolExecutor(_LOOKING_UP, thread_name_prefix="names of others")
        self._asked: dict[tuple[str, int], asyncio.Future[list[str]]] = {}

    def close(self) -> None:
        """End the threads. Names that are being looked up are not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def judged(self, host: str, port: int) -> str:
        """An address of this host that may be connected to, as it stands in a URI.

        Raises:
            NameRefusedError: there is none.
            OSError: the name cannot be looked up.
        """
        if (refusal := self._rules.host_refusal(host, port)) is not None:
            raise NameRefusedError(f"leads to {refusal.value.en}")
        platform = await self._platform(port)
        for address in await self._addresses(host, port):
            refusal = self._rules.refusal(ip_address(address), port)
            if refusal is None and address not in platform:
                return f"[{address}]" if ":" in address else address
        raise NameRefusedError("leads to no address that may be called")

    async def _platform(self, port: int) -> frozenset[str]:
        """The addresses at which the platform's own processes are reached on this port: mostly none."""
        found: set[str] = set()
        for host in self._rules.platform_hosts(port):
            with suppress(OSError):
                found.update(await self._addresses(host, port))
        return frozenset(found)

    async def _addresses(self, host: str, port: int) -> list[str]:
        """The addresses of a name; who asks while it is being looked up gets the same answer."""
        asked = self._asked.get((host, port))
        if asked is None:
            loop = asyncio.get_running_loop()
            asked = loop.run_in_executor(self._threads, _look_up, host, port)
            self._asked[host, port] = asked
            asked.add_done_callback(lambda done: self._answered((host, port), done))
        # Whoever stops waiting leaves the others theirs.
        return await asyncio.shield(asked)

    def _answered(self, name: tuple[str, int], done: asyncio.Future[list[str]]) -> None:
        del self._asked[name]
        if not done.cancelled():
            # Perhaps nobody waits any more; then nobody misses the error.
            done.exception()


def _look_up(host: str, port: int) -> list[str]:
    infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(info[4][0]) for info in infos]
