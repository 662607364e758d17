"""Who is signed in to the console: the browser keeps a random value, this process the tokens."""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from lienthong.console.errors import SessionEndedError

if TYPE_CHECKING:
    from lienthong.console.openid import OpenId, Person, Tokens

MOST_SESSIONS: Final = 10_000
"""The one that was used longest ago makes room: its person is led through identity once more."""


@dataclass(slots=True)
class _Session:
    tokens: Tokens
    one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)
    """A refresh token is good once."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody who is signed in, and the access token with which the platform is asked."""

    person: Person
    access: str = field(repr=False)


class Sessions:
    """Sessions in memory. Identity is asked with each request, so what was ended elsewhere is ended here."""

    def __init__(self, openid: OpenId, *, most: int = MOST_SESSIONS) -> None:
        self._openid = openid
        self._most = most
        self._held: OrderedDict[str, _Session] = OrderedDict()

    def begin(self, tokens: Tokens) -> str:
        """Keep the tokens of somebody who has signed in; gives what the browser has to keep."""
        name = secrets.token_urlsafe(32)
        self._held[name] = _Session(tokens)
        while len(self._held) > self._most:
            self._held.popitem(last=False)
        return name

    async def find(self, name: str | None) -> SignedIn | None:
        """Who sent a request, as identity says at this moment; None where nobody is signed in (any more).

        Raises:
            ProblemError: 503 `platform-unavailable`; the session stays.
        """
        session = self._held.get(name or "")
        if name is None or session is None:
            return None
        self._held.move_to_end(name)
        seen = session.tokens
        try:
            return SignedIn(await self._openid.who(seen), seen.access)
        except SessionEndedError:
            # Or the access token alone is old.
            pass
        try:
            tokens = await self._next(session, seen)
            return SignedIn(await self._openid.who(tokens), tokens.access)
        except SessionEndedError:
            self._held.pop(name, None)
            return None

    def end(self, name: str | None) -> Tokens | None:
        """Forget a session; gives what was kept of it."""
        session = self._held.pop(name or "", None)
        return None if session is None else session.tokens

    async def _next(self, session: _Session, seen: Tokens) -> Tokens:
        """The tokens after those that were `seen`."""
        async with session.one_at_a_time:
            # Another request may have got them while this one waited.
            if session.tokens is seen:
                session.tokens = await self._openid.refresh(seen)
            return session.tokens
