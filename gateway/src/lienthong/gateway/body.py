"""The body of a request while it is read: counted, hashed, and limited in size."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Final

from lienthong.gateway import problems
from lienthong.gateway.watch import CallerGoneError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from typing import Any

    from lienthong.gateway.watch import Receive

EMPTY_SHA256: Final = hashlib.sha256().hexdigest()


class NoBody:
    """The body of a request that has none."""

    __slots__ = ()

    size: Final = 0
    sha256: Final = EMPTY_SHA256


NO_BODY: Final = NoBody()


class RequestBody:
    """Reads a request's body once, as it comes. `ended` is called when its last byte has been read.

    `length` is the declared size in bytes, None when the body comes in chunks; `limit` is the largest size
    that is accepted, and `timeout_s` how long the caller may take for the next part.
    """

    __slots__ = ("_digest", "_ended", "_limit", "_receive", "_timeout_s", "length", "size")

    def __init__(
        self,
        receive: Receive,
        length: int | None,
        limit: int,
        ended: Callable[[], None],
        *,
        timeout_s: float,
    ) -> None:
        self.size = 0
        """Bytes read so far."""
        self.length = length
        self._receive = receive
        self._limit = limit
        self._timeout_s = timeout_s
        self._ended = ended
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """SHA-256, in hex, of what was read so far."""
        return self._digest.hexdigest()

    async def whole(self) -> bytes:
        """All of it, which has to be here within `timeout_s`.

        Raises:
            ProblemError: request-timeout, request-too-large.
            CallerGoneError: the connection ended before the body, or the body has not the declared size.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                return b"".join([chunk async for chunk in self._parts(self._receive)])
        except TimeoutError:
            raise problems.request_timeout() from None

    def chunks(self) -> AsyncIterator[bytes]:
        """The body, part by part, none of them empty.

        Raises:
            ProblemError: request-timeout, request-too-large.
            CallerGoneError: the connection ended before the body, or the body has not the declared size.
        """
        return self._parts(self._receive_in_time)

    async def _receive_in_time(self) -> Mapping[str, Any]:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._receive()  # type: ignore[no-any-return]
        except TimeoutError:
            raise problems.request_timeout() from None

    async def _parts(self, receive: Receive) -> AsyncIterator[bytes]:
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise CallerGoneError
            chunk: bytes = message.get("body", b"")
            if chunk:
                self.size += len(chunk)
                if self.size > self._limit:
                    raise problems.request_too_large(self._limit)
                self._digest.update(chunk)
                yield chunk
            if not message.get("more_body", False):
                if self.length not in (None, self.size):
                    # The provider would take the next request for the rest of this one.
                    raise CallerGoneError
                self._ended()
                return
