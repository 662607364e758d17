"""DPoP proofs (RFC 9449 §4): each request shows that it comes from the holder of the token's key. No I/O."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import httpx
from joserfc import jwt

from lienthong.client.credentials import generate_key

if TYPE_CHECKING:
    from collections.abc import Callable

HEADER: Final = "DPoP"
_NONCE_HEADER: Final = "DPoP-Nonce"
_WANTS_NONCE: Final = (400, 401)


class ProofMaker:
    """Makes the proofs of one client, with a key of its own that lives as long as this object.

    `gateway` is the address that requests are sent to, `public` the one under which the bus knows itself: it
    stands in the proofs. The bus gives a nonce with each answer; the newest one is used.
    """

    def __init__(
        self,
        gateway: str,
        public: str,
        *,
        now: Callable[[], float],
        new_id: Callable[[], str] = lambda: uuid4().hex,
    ) -> None:
        self._below = httpx.URL(gateway).raw_path.decode("ascii").rstrip("/")
        self._public = public.rstrip("/")
        self._now = now
        self._new_id = new_id
        self._key = generate_key("ES256")
        self._jwk = {name: self._key.as_dict(private=False)[name] for name in ("kty", "crv", "x", "y")}
        self._nonce: str | None = None

    def sign(self, request: httpx.Request, token: str | None = None) -> None:
        """Put a proof on a request, for the access token that it comes with, if any."""
        path = request.url.raw_path.decode("ascii").partition("?")[0]
        claims: dict[str, Any] = {
            "jti": self._new_id(),
            "htm": request.method,
            "htu": self._public + path.removeprefix(self._below),
            "iat": int(self._now()),
        }
        if self._nonce is not None:
            claims["nonce"] = self._nonce
        if token is not None:
            digest = hashlib.sha256(token.encode("ascii")).digest()
            claims["ath"] = base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")
        header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": self._jwk}
        request.headers[HEADER] = jwt.encode(header, claims, self._key)

    def wants_another(self, response: httpx.Response) -> bool:
        """Take the nonce of an answer; whether the request has to be sent again, with a proof that has it."""
        nonce = response.headers.get(_NONCE_HEADER)
        if nonce is None:
            return False
        before, self._nonce = self._nonce, nonce
        return response.status_code in _WANTS_NONCE and nonce != before and _is_for_nonce(response)


def _is_for_nonce(response: httpx.Response) -> bool:
    """Whether a refusal is for its nonce: at the token endpoint by `LGSP-Error` too."""
    return response.headers.get("LGSP-Error") in {"use-dpop-nonce", "dpop-nonce-required"}
