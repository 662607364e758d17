"""Access tokens: fetched when needed, kept, renewed early, and fetched once more when the bus refuses one.

`SystemAuth` is an `httpx.Auth`, which serves the blocking and the asynchronous client alike.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx

from lienthong.client.assertions import token_form
from lienthong.client.errors import NotAGatewayError, Text
from lienthong.client.problems import ERROR_HEADER, refusal

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from lienthong.client.credentials import Credentials


SETTLING_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and when it ends, in seconds of the clock that the holder uses."""

    value: str = field(repr=False)
    expires_in: float
    scope: str
    renew_at: float
    expires_at: float

    @classmethod
    def read(cls, content: bytes, *, now: float) -> Token:
        """Read a token answer (RFC 6749 §5.1); raises ValueError or TypeError.

        Renewal is due after four fifths of the lifetime, and at the latest thirty seconds before its end
        where the lifetime is a minute or more.
        """
        document: Any = json.loads(content)
        if not isinstance(document, dict) or not isinstance(document.get("access_token"), str):
            raise TypeError("no access_token")
        lifetime = float(document.get("expires_in", 60))
        return cls(
            value=document["access_token"],
            expires_in=lifetime,
            scope=str(document.get("scope", "")),
            renew_at=now + max(lifetime / 2, min(lifetime * 0.8, lifetime - 30)),
            expires_at=now + lifetime,
        )


class SystemAuth(httpx.Auth):
    """Puts a token on every request; safe to share between threads, and between tasks of one event loop.

    `now` is Unix time for assertions, `monotonic` measures the age of tokens, `new_id` makes `jti` values.
    """

    def __init__(
        self,
        credentials: Credentials,
        token_url: str,
        *,
        now: Callable[[], float],
        monotonic: Callable[[], float],
        sleep: Callable[[float], object] = time.sleep,
        new_id: Callable[[], str] = lambda: uuid4().hex,
    ) -> None:
        self._credentials = credentials
        self._token_url = token_url
        self._now = now
        self._monotonic = monotonic
        self._sleep = sleep
        self._new_id = new_id
        self._token: Token | None = None
        self._lock = threading.Lock()
        self._task_lock = asyncio.Lock()

    def token_request(self) -> httpx.Request:
        """A request for a new token, with an assertion of its own."""
        form = token_form(self._credentials, now=self._now(), jti=self._new_id())
        return httpx.Request("POST", self._token_url, data=form, headers={"Accept": "application/json"})

    @property
    def kept(self) -> Token:
        """The token that was fetched last; raises LookupError before the first."""
        if self._token is None:
            raise LookupError("no token yet")
        return self._token

    def token(self, used: Token | None = None) -> Token | None:
        """The token to use, or none when a new one is due; `used` is one that the bus has just refused."""
        token = self._token
        if token is None or token is used or self._monotonic() >= token.renew_at:
            return None
        return token

    def keep(self, response: httpx.Response, used: Token | None = None) -> Token:
        """Keep the token of a read answer; while the endpoint is failing, an old token still serves."""
        old = self._token
        if (
            response.status_code >= 500
            and old is not None
            and old is not used
            and self._monotonic() < old.expires_at
        ):
            return old
        if response.is_error:
            raise refusal(response)
        try:
            self._token = Token.read(response.content, now=self._monotonic())
        except (ValueError, TypeError) as error:
            raise NotAGatewayError(
                Text("Không nhận được mã truy cập", "No token in the answer"),
                Text(
                    f"{self._token_url} trả lời {response.status_code} nhưng không có access_token.",
                    f"{self._token_url} answered {response.status_code} without an access_token.",
                ),
            ) from error
        return self._token

    def _unsettled(self, response: httpx.Response) -> bool:
        # A system registered a moment ago is known to the token endpoint within a second: ask once more.
        return self._token is None and response.status_code == 401

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """One request with a token; once more with a new token when the bus refused the first."""
        used: Token | None = None
        for _ in range(2):
            with self._lock:
                token = self.token(used)
                if token is None:
                    answer = yield self.token_request()
                    answer.read()
                    if self._unsettled(answer):
                        self._sleep(SETTLING_SECONDS)
                        answer = yield self.token_request()
                        answer.read()
                    token = self.keep(answer, used)
            request.headers["Authorization"] = f"Bearer {token.value}"
            response = yield request
            if not _token_refused(response):
                return
            used = token

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """The same for tasks."""
        used: Token | None = None
        for _ in range(2):
            async with self._task_lock:
                token = self.token(used)
                if token is None:
                    answer = yield self.token_request()
                    await answer.aread()
                    if self._unsettled(answer):
                        pause = self._sleep(SETTLING_SECONDS)
                        if inspect.isawaitable(pause):
                            await pause
                        answer = yield self.token_request()
                        await answer.aread()
                    token = self.keep(answer, used)
            request.headers["Authorization"] = f"Bearer {token.value}"
            response = yield request
            if not _token_refused(response):
                return
            used = token


def _token_refused(response: httpx.Response) -> bool:
    """Whether the bus itself refused.

    A provider's own 401 comes through without LGSP-Error, and a new token would not change its mind.
    """
    return response.status_code == 401 and ERROR_HEADER in response.headers
