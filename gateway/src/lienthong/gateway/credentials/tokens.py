"""Access tokens of one client at one token endpoint: kept, renewed early, one renewal at a time."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_SHORTEST_S: Final = 1.0
LONGEST_S: Final = 86_400.0
"""No token counts as good for longer."""
_MARGIN_S: Final = 5.0
"""Before its end a token is not used any more: it has a way to go."""
_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 60.0
_REFUSED_AGAIN_S: Final = 30.0
"""A token that is refused sooner after it was issued is not the reason: the next one would be refused too."""


class TokenUnavailableError(Exception):
    """The endpoint gives no token; the message says how it failed, for the log and the caller."""

    def __init__(self, reason: str, retry_after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after_s = retry_after_s


class Tokens:
    """The tokens of one client.

    `fetch` gets a token and its lifetime in seconds, or raises `TokenUnavailableError`. After a failure the
    endpoint is left alone for a second, then for twice as long each time, up to a minute.
    """

    def __init__(
        self,
        fetch: Callable[[], Awaitable[tuple[str, float]]],
        *,
        monotonic: Callable[[], float],
        jitter: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._fetch = fetch
        self._monotonic = monotonic
        self._jitter = jitter
        self._token: str | None = None
        self._issued = self._renew_at = self._ends_at = 0.0
        self._renewal: asyncio.Task[None] | None = None
        self._failure: TokenUnavailableError | None = None
        self._again_at = self._pause = 0.0

    async def token(self) -> str:
        """A token that is good now.

        Raises:
            TokenUnavailableError: there is none.
        """
        now = self._monotonic()
        token = self._token
        if token is not None and now < self._ends_at:
            if now >= self._renew_at and now >= self._again_at:
                self._renew()
            return token
        if self._renewal is None:
            self._require_endpoint(now)
        return await self._renewed()

    async def after_refusal(self, token: str) -> str | None:
        """Another token than one that was refused; None where there is none, or it would not help."""
        if token != self._token:
            return self._token
        now = self._monotonic()
        if now - self._issued < _REFUSED_AGAIN_S or now < self._again_at:
            return None
        # The old one stays until there is another: it may not have been the reason.
        await asyncio.shield(self._renew())
        return self._token if self._token != token else None

    def close(self) -> None:
        """End a renewal."""
        if self._renewal is not None:
            self._renewal.cancel()

    def _require_endpoint(self, now: float) -> None:
        if self._failure is not None and now < self._again_at:
            raise TokenUnavailableError(self._failure.reason, self._again_at - now)

    async def _renewed(self) -> str:
        # Shielded: other calls wait for it too.
        await asyncio.shield(self._renew())
        if self._token is None or self._monotonic() >= self._ends_at:
            failure = self._failure
            raise TokenUnavailableError(
                failure.reason if failure is not None else "it gives no token",
                max(self._again_at - self._monotonic(), 0.0),
            )
        return self._token

    def _renew(self) -> asyncio.Task[None]:
        if self._renewal is None:
            self._renewal = asyncio.create_task(self._fetched())
        return self._renewal

    async def _fetched(self) -> None:
        try:
            token, lifetime = await self._fetch()
        except TokenUnavailableError as failure:
            self._failure = failure
            self._pause = min(self._pause * 2, _LONGEST_PAUSE_S) or _FIRST_PAUSE_S
            self._again_at = self._monotonic() + self._pause * self._jitter(0.5, 1.0)
        else:
            self._failure = None
            self._pause = 0.0
            now = self._monotonic()
            lifetime = min(max(lifetime, _SHORTEST_S), LONGEST_S)
            self._token = token
            self._issued = now
            self._renew_at = now + max(lifetime / 2, min(lifetime * 0.8, lifetime - 30))
            self._ends_at = now + max(lifetime / 2, lifetime - _MARGIN_S)
        finally:
            self._renewal = None
