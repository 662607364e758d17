"""Which server of several to use: one that is cut off from the others is connected to in vain."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_PORT: Final = 4222
"""Where an address names none."""
_PATIENCE_S: Final = 5.0
"""About as long as servers take to agree on a new leader: sooner, the next one would be silent too."""


class Servers:
    """The addresses in the order in which they are tried, and for how long nothing was answered.

    Processes begin with different ones.
    """

    def __init__(self, addresses: Sequence[str], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._addresses = random.sample(addresses, len(addresses))
        self._monotonic = monotonic
        self._silent_since: float | None = None

    @property
    def addresses(self) -> list[str]:
        """All of them, the one to be tried first at the beginning."""
        return list(self._addresses)

    def answered(self) -> None:
        """A request was answered."""
        self._silent_since = None

    def silent(self) -> bool:
        """A request was not answered; whether another server should be tried."""
        now = self._monotonic()
        if self._silent_since is None:
            self._silent_since = now
        return len(self._addresses) > 1 and now - self._silent_since >= _PATIENCE_S

    def leave(self, host: str | None, port: int | None) -> None:
        """Try a server after all others from now on."""
        self._silent_since = None
        self._addresses.sort(key=lambda address: _place(address) == (host, port or _PORT))


def _place(address: str) -> tuple[str | None, int]:
    url = urlsplit(address if "://" in address else f"nats://{address}")
    return url.hostname, url.port or _PORT
