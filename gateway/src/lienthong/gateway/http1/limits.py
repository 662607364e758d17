"""How long a provider may take, so that each side is blamed for its own slowness only."""

from __future__ import annotations

from typing import Final

DEFAULT_FIRST_BYTE_S: Final = 10.0
DEFAULT_IDLE_S: Final = 60.0


class TimeLimits:
    """The limits of the exchanges with one provider, in seconds.

    No limit runs while the gateway waits for the caller: for more of the request's body, or until the caller
    has read what came of the answer.
    """

    __slots__ = ("connect_s", "first_byte_s", "idle_s", "total_s")

    def __init__(
        self,
        *,
        connect_s: float | None = None,
        first_byte_s: float = DEFAULT_FIRST_BYTE_S,
        idle_s: float | None = None,
        total_s: float | None = None,
    ) -> None:
        self.connect_s = connect_s
        """For one address to accept a connection; None: as the installation has it."""
        self.first_byte_s = first_byte_s
        """From the end of the request until the head of the answer is here."""
        self.idle_s = idle_s if idle_s is not None else max(first_byte_s, DEFAULT_IDLE_S)
        """For the next part of the answer, and to take the next part of the request."""
        self.total_s = total_s
        """For the whole exchange, whoever takes the time; None: as the installation has it."""
