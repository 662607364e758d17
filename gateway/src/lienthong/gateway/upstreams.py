"""The base addresses of one provider, used in rotation."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from lienthong.gateway.http1.address import Address

if TYPE_CHECKING:
    from collections.abc import Iterable


class Upstreams:
    """The addresses of a provider, and which of them the next request begins with.

    The addresses never change; the position in the rotation does with every request.

    Raises:
        ValueError: one of the addresses cannot be parsed.
    """

    __slots__ = ("_next", "addresses", "several")

    def __init__(self, addresses: Iterable[str]) -> None:
        self.addresses = tuple(map(Address.parse, addresses))
        self.several = len(self.addresses) > 1
        self._next = count()

    def in_order(self) -> tuple[Address, ...]:
        """Every address once, in the order in which to try them; each request begins with the next one."""
        addresses = self.addresses
        if not self.several:
            return addresses
        start = next(self._next) % len(addresses)
        return addresses[start:] + addresses[:start]
