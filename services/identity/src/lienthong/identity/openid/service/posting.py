"""Posting to addresses that somebody else named, and only to those that may be called (CWE-918).

An address is judged by the same rules as those of providers, when its name has been resolved, and connected
to as it was judged: a name cannot lead elsewhere a moment later. No redirect is followed, no proxy of the
environment is used, and nothing but the status of an answer is read.

Names are looked up in a few threads of its own, each name once at a time: a name server that does not answer
holds up neither the other names nor what else the process looks up.
"""

import asyncio
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, urlencode, urlsplit

import httpx

from lienthong.kit.addresses import ProviderAddresses

CONNECT_S: Final = 2.0
WHOLE_S: Final = 5.0
_LOOKING_UP: Final = 4
_PORTS: Final = {"http": 80, "https": 443}
_DONE: Final = frozenset((200, 204))


class NotPostedError(Exception):
    """An address did not take what was posted; the text says why, in a few words."""


class Poster:
    """Posts forms."""

    def __init__(self, rules: ProviderAddresses) -> None:
        self._rules = rules
        self._names = ThreadPoolExecutor(_LOOKING_UP, thread_name_prefix="names to post to")
        self._asked: dict[tuple[str, int], asyncio.Future[list[str]]] = {}
        self._http = httpx.AsyncClient(
            verify=ssl.create_default_context(),
            timeout=httpx.Timeout(WHOLE_S, connect=CONNECT_S),
            follow_redirects=False,
            trust_env=False,
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    async def post(self, address: str, form: dict[str, str]) -> None:
        """Post a form; it was taken when this returns.

        Raises:
            NotPostedError: it was not, or perhaps not.
        """
        try:
            async with asyncio.timeout(WHOLE_S):
                await self._post(urlsplit(address), form)
        except TimeoutError:
            raise NotPostedError(f"no answer within {WHOLE_S:.0f} seconds") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            raise NotPostedError(type(error).__name__) from error

    async def close(self) -> None:
        """Close the connections. Names that are being looked up are not waited for."""
        self._names.shutdown(wait=False, cancel_futures=True)
        await self._http.aclose()

    async def _post(self, parts: SplitResult, form: dict[str, str]) -> None:
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        found = await self._judged(host, port)
        literal = f"[{found}]" if ":" in found else found
        target = parts._replace(netloc=f"{literal}:{port}").geturl()
        request = self._http.build_request(
            "POST",
            target,
            content=urlencode(form),
            headers={"Host": parts.netloc, "Content-Type": "application/x-www-form-urlencoded"},
            # The certificate has to be the name's.
            extensions={"sni_hostname": host},
        )
        answer = await self._http.send(request, stream=True)
        with suppress(httpx.HTTPError):
            await answer.aclose()
        if answer.status_code not in _DONE:
            raise NotPostedError(f"status {answer.status_code}")

    async def _judged(self, host: str, port: int) -> str:
        """An address of this host that may be connected to.

        Raises:
            NotPostedError: there is none.
        """
        if (refusal := self._rules.host_refusal(host, port)) is not None:
            raise NotPostedError(f"leads to {refusal.value.en}")
        platform = await self._platform(port)
        for address in await self._addresses(host, port):
            refusal = self._rules.refusal(ip_address(address), port)
            if refusal is None and address not in platform:
                return address
        raise NotPostedError("leads to no address that may be called")

    async def _platform(self, port: int) -> frozenset[str]:
        """The addresses at which the platform's own processes are reached on this port: mostly none."""
        found: set[str] = set()
        for host in self._rules.platform_hosts(port):
            with suppress(OSError):
                found.update(await self._addresses(host, port))
        return frozenset(found)

    async def _addresses(self, host: str, port: int) -> list[str]:
        """The addresses of a name; who asks while it is being looked up gets the same answer."""
        asked = self._asked.get((host, port))
        if asked is None:
            loop = asyncio.get_running_loop()
            asked = loop.run_in_executor(self._names, _look_up, host, port)
            self._asked[host, port] = asked
            asked.add_done_callback(lambda done: self._answered((host, port), done))
        # Whoever stops waiting leaves the others theirs.
        return await asyncio.shield(asked)

    def _answered(self, name: tuple[str, int], done: asyncio.Future[list[str]]) -> None:
        del self._asked[name]
        if not done.cancelled():
            # Perhaps nobody waits any more; then nobody misses the error.
            done.exception()


def _look_up(host: str, port: int) -> list[str]:
    infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(info[4][0]) for info in infos]
