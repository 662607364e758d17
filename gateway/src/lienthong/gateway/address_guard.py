"""Judges the addresses that connections to providers really go to, after their names were resolved."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address
from typing import TYPE_CHECKING

from lienthong.gateway.http1.errors import ProviderRefusedError
from lienthong.kit.addresses import AddressRefusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lienthong.gateway.http1.names import AddressInfo
    from lienthong.kit.addresses import ProviderAddresses


class AddressGuard:
    """Lets connections through to the addresses that the installation's rules allow.

    Costs nothing on a connection that is open already; a name is not resolved a second time, so that what was
    judged is what is connected to.
    """

    def __init__(self, rules: ProviderAddresses) -> None:
        self._rules = rules

    async def allowed(self, found: Sequence[AddressInfo], port: int) -> list[AddressInfo]:
        """Those of the addresses of a name that may be connected to.

        Raises:
            ProviderRefusedError: there is none among them.
        """
        platform = await self._platform_addresses(port)
        reasons = [self._judge(str(info[4][0]), port, platform) for info in found]
        allowed = [info for info, reason in zip(found, reasons, strict=True) if reason is None]
        if not allowed and (refused := next((reason for reason in reasons if reason), None)):
            raise ProviderRefusedError(refused)
        return allowed

    def check_connected(self, stream: socket.socket) -> None:
        """Refuse a connection that turned out to lead to a port of the platform on this machine.

        Raises:
            ProviderRefusedError: it does.
        """
        (here, *_), (there, port, *_) = stream.getsockname(), stream.getpeername()
        if here == there and port in self._rules.local_ports:
            raise ProviderRefusedError(AddressRefusal.PLATFORM)

    def _judge(self, address: str, port: int, platform: frozenset[str]) -> AddressRefusal | None:
        if address in platform:
            return AddressRefusal.PLATFORM
        return self._rules.refusal(ip_address(address), port)

    async def _platform_addresses(self, port: int) -> frozenset[str]:
        """The addresses at which the platform's own processes are reached on this port: mostly none."""
        addresses: set[str] = set()
        for host in self._rules.platform_hosts(port):
            try:
                found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
            except OSError:
                continue
            addresses.update(str(info[4][0]) for info in found)
        return frozenset(addresses)
