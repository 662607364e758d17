"""The keys of a cluster, from a file or from its API server, as they are at this moment.

A key that is not known has the set loaded anew, once in ten seconds: whoever makes up ids of keys does not
have the cluster asked more often. What is older than five minutes is loaded anew beside the requests, which
go on with what is there. For an hour that may fail: while an API server does not answer it gives no new
tokens either, and the last of the old ones has expired by then.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final, TypeAlias

import httpx
import structlog

from lienthong.identity.domain.cluster_keys import (
    LARGEST,
    ClusterKey,
    ClusterKeysUnreadableError,
    read_cluster_keys,
)
from lienthong.identity.domain.clusters import Cluster
from lienthong.identity.errors import TokenError
from lienthong.kit.problems import oauth
from lienthong.kit.text import BilingualText

FRESH_S: Final = 300.0
KEPT_S: Final = 3600.0
AGAIN_AFTER_S: Final = 10.0
_WHOLE_S: Final = 5.0
WAITING: Final = 64
"""Requests that wait for the keys of one cluster; those beyond are refused at once."""

Load: TypeAlias = Callable[[], Awaitable[bytes]]

_log = structlog.get_logger(__name__)


class ClusterKeys:
    """The keys of one cluster. `now` is a monotonic clock, in seconds."""

    def __init__(self, issuer: str, load: Load, now: Callable[[], float]) -> None:
        self._issuer = issuer
        self._load = load
        self._now = now
        self._keys: Mapping[str, ClusterKey] = {}
        self._loaded_at = self._tried_at = float("-inf")
        self._failed = False
        self._waiting = 0
        self._loading: asyncio.Task[None] | None = None

    async def find(self, key_id: str) -> ClusterKey | None:
        """The key of an id; None where the cluster has none.

        Raises:
            TokenError: `temporarily_unavailable`: the keys cannot be had, or too many wait for them already.
        """
        age = self._now() - self._loaded_at
        if key_id in self._keys and age < KEPT_S:
            if age >= FRESH_S:
                self._begin()
            return self._keys[key_id]
        loading = self._begin()
        if loading is not None:
            if self._waiting >= WAITING:
                raise _no_keys()
            self._waiting += 1
            try:
                # Whoever stops waiting leaves the others theirs.
                await asyncio.shield(loading)
            finally:
                self._waiting -= 1
        if self._now() - self._loaded_at >= KEPT_S or (self._failed and key_id not in self._keys):
            raise _no_keys()
        return self._keys.get(key_id)

    async def close(self) -> None:
        """Stop loading."""
        if self._loading is not None:
            self._loading.cancel()
            await asyncio.gather(self._loading, return_exceptions=True)

    def _begin(self) -> asyncio.Task[None] | None:
        """Load, or go on loading; None where that was tried a moment ago."""
        if self._loading is None or self._loading.done():
            if self._now() - self._tried_at < AGAIN_AFTER_S:
                return None
            self._tried_at = self._now()
            self._loading = asyncio.create_task(self._take())
        return self._loading

    async def _take(self) -> None:
        try:
            async with asyncio.timeout(_WHOLE_S):
                found = read_cluster_keys(await self._load())
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, ClusterKeysUnreadableError) as error:
            self._failed = True
            _log.warning("keys of a cluster not had", issuer=self._issuer, error=repr(error))
            return
        self._keys, self._loaded_at, self._failed = found, self._now(), False


def loader(cluster: Cluster) -> Load:
    """What loads the key set of a cluster."""
    if cluster.jwks_file is not None:
        path = cluster.jwks_file
        return lambda: asyncio.to_thread(_read, path)
    return lambda: _fetch(cluster)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LARGEST + 1)


async def _fetch(cluster: Cluster) -> bytes:
    """Ask an API server. No redirect is followed, and no proxy of the environment used."""
    # Both files are renewed while the process runs.
    trusted = await asyncio.to_thread(_trust, cluster.ca_file)
    headers = {"Accept": "application/jwk-set+json, application/json"}
    if cluster.token_file is not None:
        token = (await asyncio.to_thread(_read, cluster.token_file)).decode("ascii").strip()
        headers["Authorization"] = f"Bearer {token}"
    async with (
        httpx.AsyncClient(verify=trusted, trust_env=False, timeout=_WHOLE_S) as http,
        http.stream("GET", cluster.jwks_url or "", headers=headers) as answer,
    ):
        answer.raise_for_status()
        if answer.status_code != httpx.codes.OK:
            raise ClusterKeysUnreadableError(f"status {answer.status_code}")
        found = b""
        async for part in answer.aiter_bytes():
            found += part
            if len(found) > LARGEST:
                raise ClusterKeysUnreadableError("too large")
    return found


def _trust(authority: Path | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authority)


def _no_keys() -> TokenError:
    detail = BilingualText(
        "The keys of the cluster cannot be had at the moment. Try again in some seconds with the same token.",
        "Hiện chưa lấy được khoá của cụm (cluster). Hãy thử lại sau ít giây với cùng mã này.",
    )
    return TokenError(oauth.TEMPORARILY_UNAVAILABLE, detail, {"Retry-After": "10"})
