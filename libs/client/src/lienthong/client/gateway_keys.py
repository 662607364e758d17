"""The public keys of a gateway's assertions: fetched when one is missing, kept for an hour."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from lienthong.client.errors import Text, UnreachableError
from lienthong.client.wire import options

if TYPE_CHECKING:
    from collections.abc import Callable

KEPT_S: Final = 3600.0
"""After so long they are fetched again. While that fails those that are here are used on: a key is published
for a day before it signs."""
PAUSE_S: Final = 10.0
"""Between two attempts: whoever sends made-up names of keys causes no more than that."""
_MAX_BYTES: Final = 64 * 1024
_MOST_KEYS: Final = 32
_TIMEOUT_S: Final = 5.0


class GatewayKeys:
    """Keys by their ids; may be used from several threads."""

    def __init__(
        self,
        url: str,
        *,
        client: httpx.Client | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._client = client
        self._monotonic = monotonic
        self._keys: dict[str, ECKey] = {}
        self._fetched: float | None = None
        self._tried: float | None = None
        self._lock = threading.Lock()

    def get(self, kid: str) -> ECKey | None:
        """The key of this id, if it is here."""
        return self._keys.get(kid)

    def lacks(self, kid: str) -> bool:
        """Whether keys are to be fetched before one of this id is looked for."""
        now = self._monotonic()
        old = self._fetched is None or now - self._fetched >= KEPT_S
        tried_now = self._tried is not None and now - self._tried < PAUSE_S
        return (old or kid not in self._keys) and not tried_now

    def fetch_for(self, kid: str) -> None:
        """Fetch the keys where they are old, or lack this one.

        Raises `UnreachableError` where there are none at all.
        """
        with self._lock:
            reason = ""
            if self.lacks(kid):
                self._tried = self._monotonic()
                reason = self._fetch()
            if not self._keys:
                raise UnreachableError(
                    Text("Không lấy được khoá của cổng", "The gateway's keys cannot be fetched"),
                    Text(f"{self._url}: {reason or 'vừa thử'}", f"{self._url}: {reason or 'tried just now'}"),
                )

    def _fetch(self) -> str:
        """Why it failed; empty when it did not."""
        try:
            if self._client is not None:
                answer = self._client.get(self._url, timeout=_TIMEOUT_S)
            else:
                with httpx.Client(**options(self._url, _TIMEOUT_S)) as client:
                    answer = client.get(self._url)
            if answer.status_code != httpx.codes.OK or len(answer.content) > _MAX_BYTES:
                return f"status {answer.status_code}, {len(answer.content)} bytes"
            self._keys = _read(answer.json())
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, JoseError) as error:
            return str(error) or type(error).__name__
        self._fetched = self._monotonic()
        return ""


def _read(document: Any) -> dict[str, ECKey]:  # noqa: ANN401 - any JSON
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list) or not 0 < len(listed) <= _MOST_KEYS:
        raise ValueError("not a JWK set")
    found: dict[str, ECKey] = {}
    for jwk in listed:
        if isinstance(jwk, dict) and (jwk.get("kty"), jwk.get("crv")) == ("EC", "P-256") and "d" not in jwk:
            found[str(jwk.get("kid"))] = ECKey.import_key(jwk)
    if not found:
        raise ValueError("no EC key on P-256 in the set")
    return found
