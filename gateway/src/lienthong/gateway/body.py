"""The body of a request while it is read: counted, hashed, and limited in size."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Final

from lienthong.gateway import problems
from lienthong.gateway.http1.errors import BrokenRequestError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from hashlib import _Hash

    from lienthong.gateway.digests import StatedDigests
    from lienthong.gateway.http1.incoming import Incoming

EMPTY_DIGEST: Final = hashlib.sha256().digest()
EMPTY_SHA256: Final = EMPTY_DIGEST.hex()


class NoBody:
    """The body of a request that has none."""

    __slots__ = ()

    size: Final = 0
    sha256: Final = EMPTY_SHA256


NO_BODY: Final = NoBody()


class RequestBody:
    """Reads a request's body once, as it comes.

    `length` is the declared size in bytes, None when the body comes in chunks; `limit` is the largest size
    that `service` accepts (None: the platform's own). The caller may take `timeout_s` for the next part, and
    for all of them as long as that and the time that `bytes_per_s` take. `also` is another digest that takes
    what is read. What is read has to have the digests that are `stated`, before the last part of it passes.
    """

    __slots__ = (
        "_also",
        "_bytes_per_s",
        "_digest",
        "_incoming",
        "_limit",
        "_service",
        "_stated",
        "_timeout_s",
        "_waited",
        "length",
        "size",
    )

    def __init__(
        self,
        incoming: Incoming,
        length: int | None,
        limit: int,
        service: str | None,
        *,
        timeout_s: float,
        bytes_per_s: float,
        also: _Hash | None = None,
        stated: StatedDigests | None = None,
    ) -> None:
        self.size = 0
        """Bytes read so far."""
        self.length = length
        self._incoming = incoming
        self._limit = limit
        self._service = service
        self._timeout_s = timeout_s
        self._bytes_per_s = bytes_per_s
        self._waited = 0.0
        self._digest = hashlib.sha256()
        self._also = also
        self._stated = stated

    @property
    def sha256(self) -> str:
        """SHA-256, in hex, of what was read so far."""
        return self._digest.hexdigest()

    async def whole(self) -> bytes:
        """All of it, which has to be here within `timeout_s`.

        Raises:
            ProblemError: request-timeout, request-too-large, malformed-request, digest-mismatch.
            CallerGoneError: the connection ended before the body.
        """
        try:
            first = self._counted(self._incoming.take())
            if self._incoming.body_read:
                self._check()
                return first
            parts = [first]
            async with asyncio.timeout(self._timeout_s):
                while part := self._counted(await self._incoming.part()):
                    parts.append(part)
        except TimeoutError:
            raise problems.request_timeout() from None
        except BrokenRequestError as error:
            raise problems.flawed_request(error.flaw) from None
        self._check()
        return b"".join(parts)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body, part by part, none of them empty.

        Raises:
            ProblemError: request-timeout, request-too-large, malformed-request, digest-mismatch.
            CallerGoneError: the connection ended before the body.
        """
        held = b""
        while True:
            try:
                part = self._incoming.take()
                if not part and not self._incoming.body_read:
                    part = await self._next()
            except TimeoutError:
                raise problems.request_timeout() from None
            except BrokenRequestError as error:
                raise problems.flawed_request(error.flaw) from None
            if not part:
                if held:
                    self._check()
                    yield held
                return
            part = self._counted(part)
            if self._stated is not None:
                # The last part completes the request: not before the digests are known to be right.
                held, part = part, held
                if not part:
                    continue
            yield part

    def _check(self) -> None:
        if self._stated is not None:
            self._stated.check(self._digest.digest())

    async def _next(self) -> bytes:
        """Wait for the next part, and see to it that the caller does not trickle."""
        time = asyncio.get_running_loop().time
        began = time()
        async with asyncio.timeout(self._timeout_s):
            part = await self._incoming.part()
        self._waited += time() - began
        if self._waited > self._timeout_s + (self.size + len(part)) / self._bytes_per_s:
            raise TimeoutError
        return part

    def _counted(self, part: bytes) -> bytes:
        self.size += len(part)
        if self.size > self._limit:
            raise problems.request_too_large(self._limit, self._service)
        self._digest.update(part)
        if self._also is not None:
            self._also.update(part)
        if self._stated is not None:
            self._stated.update(part)
        return part
