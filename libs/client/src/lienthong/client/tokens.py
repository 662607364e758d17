"""Access tokens: reading the token response, how long a token is used, and when a new one is due. No I/O."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx

from lienthong.client.assertions import token_form
from lienthong.client.errors import NotAGatewayError, Text
from lienthong.client.problems import ERROR_HEADER, refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from lienthong.client.credentials import Credentials
    from lienthong.client.proofs import ProofMaker

SETTLING_SECONDS = 1.0
"""How long a client waits before it asks the token endpoint once more for a system that is not known yet."""


@dataclass(frozen=True, slots=True)
class Token:
    """An access token.

    `expires_in` is its lifetime in seconds. `renew_at` and `expires_at` are seconds of the monotonic clock of
    the client that fetched it.
    """

    value: str = field(repr=False)
    expires_in: float
    scope: str
    renew_at: float
    expires_at: float

    @classmethod
    def read(cls, content: bytes, *, now: float) -> Token:
        """Read a token response (RFC 6749 §5.1); raises ValueError or TypeError.

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


class TokenCache:
    """The access token of one client: when a new one is due, how to ask for it, and the one in use.

    `now` is Unix time for assertions, `monotonic` measures the age of tokens, `new_id` makes `jti` values.
    With `proofs` the tokens are bound to their key, and every request carries a proof (DPoP, RFC 9449).
    The caller holds a lock from `usable` to `keep`, so that threads or tasks fetch one token, not several.
    """

    def __init__(
        self,
        credentials: Credentials,
        token_url: str,
        *,
        now: Callable[[], float],
        monotonic: Callable[[], float],
        new_id: Callable[[], str] = lambda: uuid4().hex,
        proofs: ProofMaker | None = None,
    ) -> None:
        self.credentials = credentials
        self._token_url = token_url
        self._now = now
        self._monotonic = monotonic
        self._new_id = new_id
        self._proofs = proofs
        self._token: Token | None = None

    def request(self) -> httpx.Request:
        """A request for a new token, with an assertion and a proof of its own."""
        form = token_form(self.credentials, now=self._now(), jti=self._new_id())
        request = httpx.Request("POST", self._token_url, data=form, headers={"Accept": "application/json"})
        if self._proofs is not None:
            self._proofs.sign(request)
        return request

    def authorize(self, request: httpx.Request, token: Token) -> None:
        """Put a token on a request, and a proof for it."""
        if self._proofs is None:
            request.headers["Authorization"] = f"Bearer {token.value}"
        else:
            request.headers["Authorization"] = f"DPoP {token.value}"
            self._proofs.sign(request, token.value)

    def wants_another_proof(self, response: httpx.Response) -> bool:
        """Whether the request has to be sent again with a new proof, which has the nonce of this answer."""
        return self._proofs is not None and self._proofs.wants_another(response)

    @property
    def current(self) -> Token:
        """The token that was fetched last; raises LookupError before the first."""
        if self._token is None:
            raise LookupError("no token yet")
        return self._token

    def usable(self, refused: Token | None = None) -> Token | None:
        """The token to use, or none when a new one is due; `refused` is one that the bus has just refused."""
        token = self._token
        if token is None or token is refused or self._monotonic() >= token.renew_at:
            return None
        return token

    def keep(self, response: httpx.Response, refused: Token | None = None) -> Token:
        """Keep the token of an answer whose body was read.

        While the endpoint fails (5xx), the old token is used until it expires. Raises `RefusedError`, or
        `NotAGatewayError` for an answer without a token.
        """
        old = self._token
        if (
            response.status_code >= 500
            and old is not None
            and old is not refused
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

    def not_known_yet(self, response: httpx.Response) -> bool:
        """Whether to ask once more after `SETTLING_SECONDS`.

        A system registered a moment ago becomes known to the token endpoint within a second.
        """
        return self._token is None and response.status_code == 401


def token_refused(response: httpx.Response) -> bool:
    """Whether the bus itself refused the token.

    A provider's own 401 comes through without LGSP-Error, and a new token would not change it.
    """
    return response.status_code == 401 and ERROR_HEADER in response.headers
