# `make sync` makes sync_auth.py from this file.
"""Puts an access token on every request of the asynchronous client."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx

from lienthong.client.tokens import SETTLING_SECONDS, Token, TokenCache, token_refused

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable


class AsyncSystemAuth(httpx.Auth):
    """Authenticates requests with the token of a `TokenCache`; the tasks of one event loop may share it.

    A token that the bus refuses is replaced once, and the request sent again; so is a request whose DPoP
    proof needs another nonce.
    """

    def __init__(self, tokens: TokenCache, sleep: Callable[[float], Awaitable[None]]) -> None:
        self.tokens = tokens
        self._sleep = sleep
        self._lock = asyncio.Lock()

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """One request with a token; once more with a new token when the bus refused the first."""
        refused: Token | None = None
        for _ in range(2):
            async with self._lock:
                token = self.tokens.usable(refused)
                if token is None:
                    answer = yield self.tokens.request()
                    await answer.aread()
                    if self.tokens.wants_another_proof(answer):
                        answer = yield self.tokens.request()
                        await answer.aread()
                    if self.tokens.not_known_yet(answer):
                        await self._sleep(SETTLING_SECONDS)
                        answer = yield self.tokens.request()
                        await answer.aread()
                    token = self.tokens.keep(answer, refused)
            self.tokens.authorize(request, token)
            response = yield request
            if self.tokens.wants_another_proof(response):
                self.tokens.authorize(request, token)
                response = yield request
            if not token_refused(response):
                return
            refused = token
