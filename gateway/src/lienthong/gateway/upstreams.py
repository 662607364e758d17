"""Where a provider is reached: its base addresses, taken apart once, when the routing table is built."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

_PORTS = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """Whom a connection leads to."""

    host: str
    port: int
    tls: bool

    @property
    def name(self) -> str:
        """Whom the certificate has to be for: names there have no dot at the end (RFC 9525)."""
        return self.host.rstrip(".")


@dataclass(frozen=True, slots=True)
class Address:
    """A base address, as the catalog took it in."""

    text: str
    origin: Origin
    authority: bytes
    """What the Host field says (RFC 9110 section 7.2)."""
    path: bytes
    """What the path of every request begins with; no `/` at the end."""

    @classmethod
    def parse(cls, text: str) -> Address:
        """Take apart `http://10.0.0.5:8201/base` or the like.

        Raises:
            ValueError: it is not an http or https address.
        """
        text = text.rstrip("/")
        parts = urlsplit(text)
        if parts.scheme not in _PORTS or not parts.hostname or not text.isascii():
            raise ValueError(f"{text!r} is not an http or https address")
        origin = Origin(parts.hostname, parts.port or _PORTS[parts.scheme], parts.scheme == "https")
        host = f"[{origin.host}]" if ":" in origin.host else origin.host
        shown = host if origin.port == _PORTS[parts.scheme] else f"{host}:{origin.port}"
        return cls(text, origin, shown.encode(), parts.path.encode())


class Upstreams:
    """The base addresses of a provider, taken in turn.

    Raises:
        ValueError: one of them cannot be read.
    """

    __slots__ = ("_turn", "addresses")

    def __init__(self, addresses: Iterable[str]) -> None:
        self.addresses = tuple(map(Address.parse, addresses))
        self._turn = count()

    def in_order(self) -> tuple[Address, ...]:
        """Every address once, each call starting with the next one."""
        addresses = self.addresses
        if len(addresses) < 2:
            return addresses
        start = next(self._turn) % len(addresses)
        return addresses[start:] + addresses[:start]
