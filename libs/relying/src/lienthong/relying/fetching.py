"""Requests to one provider: bounded in time, in size and in number, and never led elsewhere."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode, urlsplit

import httpx
import msgspec

from lienthong.kit.judged_names import NameRefusedError
from lienthong.relying.errors import ProviderAwayError, ProviderBusyError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from lienthong.kit.judged_names import JudgedNames

CONNECT_S: Final = 3.0
WHOLE_S: Final = 8.0
LARGEST_ANSWER: Final = 256 * 1024
"""Bytes; metadata, keys and tokens have some thousand."""
AT_ONCE: Final = 8
WAITING: Final = 32
"""Requests to one provider that are under way, and that wait for their turn; those beyond are not made."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a provider has answered: the status, and the JSON object, empty where there is none."""

    status: int
    document: Mapping[str, Any]


class Fetcher:
    """Asks one provider. Others have their own: one that is slow holds up nobody else's people."""

    def __init__(self, names: JudgedNames) -> None:
        """`names` says to which address of a host a connection may go."""
        self._names = names
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._here = 0
        self._http = httpx.AsyncClient(
            verify=ssl.create_default_context(),
            timeout=httpx.Timeout(WHOLE_S, connect=CONNECT_S),
            follow_redirects=False,
            trust_env=False,
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def get(self, address: str, headers: Mapping[str, str] | None = None) -> Fetched:
        """Fetch a document.

        Raises:
            ProviderBusyError: too many requests wait already.
            ProviderAwayError: no answer in time, or one that is too large or no JSON.
        """
        return await self._send("GET", address, None, headers or {})

    async def post(self, address: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Fetched:
        """Post a form.

        Raises:
            ProviderBusyError, ProviderAwayError: as `get`.
        """
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return await self._send("POST", address, urlencode(form), {**headers, **kind})

    async def _send(
        self, method: str, address: str, content: str | None, headers: Mapping[str, str]
    ) -> Fetched:
        async with self._turn():
            try:
                async with asyncio.timeout(WHOLE_S):
                    return await self._asked(method, address, content, headers)
            except NameRefusedError as refused:
                raise ProviderAwayError(f"it {refused}") from None
            except TimeoutError:
                raise ProviderAwayError(f"no answer within {WHOLE_S:.0f} seconds") from None
            except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
                raise ProviderAwayError(type(error).__name__) from error

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._here >= AT_ONCE + WAITING:
            raise ProviderBusyError("too many requests to it wait")
        self._here += 1
        try:
            async with self._turns:
                yield
        finally:
            self._here -= 1

    async def _asked(
        self, method: str, address: str, content: str | None, headers: Mapping[str, str]
    ) -> Fetched:
        parts = urlsplit(address)
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        literal = await self._names.judged(host, port)
        target = parts._replace(netloc=f"{literal}:{port}").geturl()
        request = self._http.build_request(
            method,
            target,
            content=content,
            headers={
                "Accept": "application/json",
                # What is packed is small before it is large.
                "Accept-Encoding": "identity",
                **headers,
                "Host": parts.netloc,
            },
            # The certificate has to be the name's.
            extensions={"sni_hostname": host},
        )
        answer = await self._http.send(request, stream=True)
        try:
            return Fetched(answer.status_code, _document(await _body(answer)))
        finally:
            await answer.aclose()


async def _body(answer: httpx.Response) -> bytes:
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise ProviderAwayError("the answer is packed, which was not asked for")
    body = bytearray()
    async for chunk in answer.aiter_raw():
        body += chunk
        if len(body) > LARGEST_ANSWER:
            raise ProviderAwayError(f"the answer has more than {LARGEST_ANSWER} bytes")
    return bytes(body)


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        found = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {}
