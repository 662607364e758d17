"""The base address of a provider, parsed once, when the routing table is built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """Host, port and scheme: connections to the same origin are interchangeable (RFC 6454 section 4)."""

    host: str
    port: int
    tls: bool

    @property
    def name(self) -> str:
        """The name that the certificate has to carry: without a dot at the end (RFC 9525)."""
        return self.host.rstrip(".")


@dataclass(frozen=True, slots=True)
class Address:
    """A base address, in the parts that a connection and a request need."""

    text: str
    """As the catalog has it, without a `/` at the end."""
    origin: Origin
    authority: bytes
    """The value of the Host field (RFC 9110 section 7.2)."""
    path: bytes
    """The prefix of every request's path, without a `/` at the end."""
    weight: int = 1
    """How much it takes, compared with the provider's other addresses."""

    @classmethod
    def parse(cls, text: str, weight: int = 1) -> Address:
        """Parse `http://10.0.0.5:8201/base` or the like.

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
        return cls(text, origin, shown.encode(), parts.path.encode(), weight)
