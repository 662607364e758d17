# Made from async_auth.py by libs/client/make_sync.py: change that file, then run `make sync`.
"""Puts an access token on every request of the synchronous client."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import httpx

from lienthong.client.tokens import SETTLING_SECONDS, Token, TokenCache, token_refused

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


class SystemAuth(httpx.Auth):
    """Authenticates requests with the token of a `TokenCache`; threads may share it.

    A token that the bus refuses is replaced once, and the request sent again; so is a request whose DPoP
    proof needs another nonce.
    """

    def __init__(self, tokens: TokenCache, sleep: Callable[[float], None]) -> None:
        self.tokens = tokens
        self._sleep = sleep
        self._lock = threading.Lock()

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """One request with a token; once more with a new token when the bus refused the first."""
        refused: Token | None = None
        for _ in range(2):
            with self._lock:
                token = self.tokens.usable(refused)
                if token is None:
                    answer = yield self.tokens.request()
                    answer.read()
                    if self.tokens.wants_another_proof(answer):
                        answer = yield self.tokens.request()
                        answer.read()
                    if self.tokens.not_known_yet(answer):
                        self._sleep(SETTLING_SECONDS)
                        answer = yield self.tokens.request()
                        answer.read()
                    token = self.tokens.keep(answer, refused)
            self.tokens.authorize(request, token)
            response = yield request
            if self.tokens.wants_another_proof(response):
                self.tokens.authorize(request, token)
                response = yield request
            if not token_refused(response):
                return
            refused = token
