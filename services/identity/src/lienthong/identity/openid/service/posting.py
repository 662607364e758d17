"""Posting to addresses that somebody else named, and only to those that may be called (CWE-918).

An address is judged by the same rules as those of providers, when its name has been resolved, and connected
to as it was judged. No redirect is followed, no proxy of the environment is used, and nothing but the status
of an answer is read.
"""

import asyncio
import ssl
from contextlib import suppress
from typing import Final
from urllib.parse import SplitResult, urlencode, urlsplit

import httpx

from lienthong.kit.addresses import ProviderAddresses
from lienthong.kit.judged_names import JudgedNames, NameRefusedError

CONNECT_S: Final = 2.0
WHOLE_S: Final = 5.0
_PORTS: Final = {"http": 80, "https": 443}
_DONE: Final = frozenset((200, 204))


class NotPostedError(Exception):
    """An address did not take what was posted; the text says why, in a few words."""


class Poster:
    """Posts forms."""

    def __init__(self, rules: ProviderAddresses) -> None:
        self._names = JudgedNames(rules)
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
        except NameRefusedError as refused:
            raise NotPostedError(str(refused)) from None
        except TimeoutError:
            raise NotPostedError(f"no answer within {WHOLE_S:.0f} seconds") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            raise NotPostedError(type(error).__name__) from error

    async def close(self) -> None:
        """Close the connections."""
        self._names.close()
        await self._http.aclose()

    async def _post(self, parts: SplitResult, form: dict[str, str]) -> None:
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        literal = await self._names.judged(host, port)
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
