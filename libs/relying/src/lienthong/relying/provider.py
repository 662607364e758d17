"""A provider in which people sign in: asked with a code and PKCE, believed by its signed ID token alone.

RFC 6749 §4.1, RFC 7636, RFC 9126 where it is offered, RFC 9207, OpenID Connect Core §3.1 and Discovery §4,
RP-Initiated Logout §2.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar
from urllib.parse import urlencode

import httpx

from lienthong.relying.errors import (
    AnswerRefusedError,
    ProviderAwayError,
    ProviderRefusedError,
    TokenRefusedError,
    UnknownKeyError,
)
from lienthong.relying.keys import VerifyingKey, read_keys
from lienthong.relying.metadata import Metadata, configuration_address, read_metadata
from lienthong.relying.tokens import Expected, LogoutToken, id_claims, logout_token

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from lienthong.kit.clock import Clock
    from lienthong.relying.attempts import Attempt
    from lienthong.relying.client_proofs import Authentication
    from lienthong.relying.fetching import Fetched, Fetcher

LONGEST_CODE: Final = 2_048
_METADATA_S: Final = 3_600.0
_KEYS_S: Final = 600.0
"""For how long a copy of the keys is used: a key that the provider has withdrawn verifies nothing after."""
_STALE_S: Final = 86_400.0
"""For how long metadata are used that cannot be fetched anew."""
_FAILED_S: Final = 5.0
"""For how long nobody asks again after a failure: many who press a button are one request."""
_KEYS_AGAIN_S: Final = 10.0
"""How often tokens of unknown keys may have the keys fetched anew."""

Kept = TypeVar("Kept")


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """As what a provider knows us."""

    issuer: str
    client_id: str
    authentication: Authentication = field(repr=False)
    scopes: tuple[str, ...] = ("openid",)
    algorithms: frozenset[str] = frozenset({"RS256", "PS256", "ES256", "EdDSA"})
    userinfo: bool = False
    """Whether claims are fetched from the UserInfo endpoint as well."""


class Provider:
    """One provider, as one of its clients."""

    def __init__(self, client: Client, fetcher: Fetcher, clock: Clock) -> None:
        self.client = client
        self._fetcher = fetcher
        self._clock = clock
        self._expected = Expected(client.issuer, client.client_id, client.algorithms)
        self._metadata = _Copy(self._fetch_metadata, clock, fresh=_METADATA_S, stale=_STALE_S)
        self._keys = _Copy(self._fetch_keys, clock, fresh=_KEYS_S, stale=_KEYS_S)

    async def close(self) -> None:
        """Close the connections."""
        await self._fetcher.close()

    async def address(self, attempt: Attempt, redirect_uri: str, **asked: str) -> str:
        """Where a browser has to go for this attempt; `asked` are further parameters (OpenID Connect Core
        §3.1.2.1).

        Raises:
            ProviderAwayError, ProviderRefusedError: it cannot be asked.
        """
        metadata = await self._metadata.read()
        request = {
            "response_type": "code",
            "client_id": self.client.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(self.client.scopes),
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
            **asked,
        }
        if metadata.pushed is not None:
            answer = await self._ask(metadata.pushed, request)
            pushed = answer.document.get("request_uri")
            if answer.status != httpx.codes.CREATED or not isinstance(pushed, str):
                raise ProviderAwayError("it pushed no request")
            request = {"client_id": self.client.client_id, "request_uri": pushed}
        separator = "&" if "?" in metadata.authorization else "?"
        return f"{metadata.authorization}{separator}{urlencode(request)}"

    async def code_of(self, answer: Mapping[str, str]) -> str:
        """The code of an answer that a browser has brought, once it is certain by whom it is; the caller has
        compared `state`.

        Raises:
            AnswerRefusedError: it is another provider's (RFC 9207 §2.4), or has no code.
            ProviderRefusedError: the provider, or the person there, has said no.
            ProviderAwayError: what the provider says of itself cannot be read.
        """
        metadata = await self._metadata.read()
        said = answer.get("iss")
        if said != metadata.issuer and (said is not None or metadata.says_issuer):
            raise AnswerRefusedError("iss")
        if "error" in answer:
            raise ProviderRefusedError(answer["error"])
        code = answer.get("code", "")
        if not 0 < len(code) <= LONGEST_CODE:
            raise AnswerRefusedError("code")
        return code

    async def redeem(self, attempt: Attempt, redirect_uri: str, code: str) -> dict[str, Any]:
        """The claims that a code is worth: those of the ID token, and those of UserInfo that it lacks.

        Raises:
            ProviderAwayError, ProviderRefusedError: it gives none.
            TokenRefusedError: what it gives does not prove who has signed in, for this attempt.
        """
        metadata = await self._metadata.read()
        answer = await self._ask(
            metadata.token,
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": redirect_uri,
                "code_verifier": attempt.verifier,
            },
        )
        token, access_token = answer.document.get("id_token"), answer.document.get("access_token")
        if answer.status != httpx.codes.OK:
            raise ProviderAwayError(f"status {answer.status} for a code")
        if not isinstance(token, str) or not isinstance(access_token, str):
            raise TokenRefusedError("missing")

        async def read(keys: tuple[VerifyingKey, ...]) -> dict[str, Any]:
            now = self._clock.now()
            return id_claims(
                token, keys, self._expected, nonce=attempt.nonce, now=now, access_token=access_token
            )

        claims = await self._verified(read)
        return claims if not self.client.userinfo else await self._with_userinfo(claims, access_token)

    async def logged_out(self, token: str) -> LogoutToken:
        """Whom a logout token of the provider signs out (Back-Channel Logout §2.6).

        Raises:
            TokenRefusedError: it is none.
            ProviderAwayError: its keys cannot be read.
        """

        async def read(keys: tuple[VerifyingKey, ...]) -> LogoutToken:
            return logout_token(token, keys, self._expected, now=self._clock.now())

        return await self._verified(read)

    async def leaving(self, back: str) -> str | None:
        """Where a person ends the session at the provider and comes `back` from; None where it offers that
        nowhere. Without an ID token the provider asks the person first (RP-Initiated Logout §2).

        Raises:
            ProviderAwayError: what the provider says of itself cannot be read.
        """
        end = (await self._metadata.read()).end_session
        if end is None:
            return None
        asked = urlencode({"client_id": self.client.client_id, "post_logout_redirect_uri": back})
        return f"{end}{'&' if '?' in end else '?'}{asked}"

    async def _with_userinfo(self, claims: dict[str, Any], access_token: str) -> dict[str, Any]:
        address = (await self._metadata.read()).userinfo
        if address is None:
            raise ProviderAwayError("it has no UserInfo endpoint")
        answer = await self._fetcher.get(address, {"Authorization": f"Bearer {access_token}"})
        if answer.status != httpx.codes.OK:
            raise ProviderAwayError(f"status {answer.status} of UserInfo")
        if answer.document.get("sub") != claims["sub"]:
            # Somebody else's, put in by whoever can substitute access tokens (§5.3.4).
            raise TokenRefusedError("userinfo sub")
        return {**answer.document, **claims}

    async def _verified(self, read: Callable[[tuple[VerifyingKey, ...]], Awaitable[Kept]]) -> Kept:
        """Read a token with the keys that are known, and with new ones where it names another."""
        try:
            return await read(await self._keys.read())
        except UnknownKeyError:
            return await read(await self._keys.read(newer_than=_KEYS_AGAIN_S))

    async def _ask(self, address: str, form: Mapping[str, str]) -> Fetched:
        proof = self.client.authentication.proof(self.client.client_id, self.client.issuer, self._clock.now())
        answer = await self._fetcher.post(address, {**form, **proof.form}, proof.headers)
        if answer.status in (httpx.codes.BAD_REQUEST, httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise ProviderRefusedError(answer.document.get("error"))
        return answer

    async def _fetch_metadata(self) -> Metadata:
        answer = await self._fetcher.get(configuration_address(self.client.issuer))
        if answer.status != httpx.codes.OK:
            raise ProviderAwayError(f"status {answer.status} for its metadata")
        return read_metadata(answer.document, self.client.issuer)

    async def _fetch_keys(self) -> tuple[VerifyingKey, ...]:
        answer = await self._fetcher.get((await self._metadata.read()).keys)
        keys = read_keys(answer.document)
        if answer.status != httpx.codes.OK or not keys:
            raise ProviderAwayError(f"status {answer.status} and {len(keys)} keys")
        return keys


class _Copy(Generic[Kept]):
    """A copy of what a provider publishes: fetched by one for all who want it at the same time."""

    def __init__(
        self, fetch: Callable[[], Awaitable[Kept]], clock: Clock, *, fresh: float, stale: float
    ) -> None:
        """`fresh` and `stale` are for how many seconds it is used, and used where it cannot be fetched."""
        self._fetch = fetch
        self._clock = clock
        self._fresh = fresh
        self._stale = stale
        self._one_at_a_time = asyncio.Lock()
        self._held: Kept | None = None
        self._fetched_at = float("-inf")
        self._failed_at = float("-inf")
        self._failure: ProviderAwayError | None = None

    async def read(self, *, newer_than: float | None = None) -> Kept:
        """The copy; with `newer_than`, one that is at most so many seconds old.

        Raises:
            ProviderAwayError: there is none, and none can be had.
        """
        most = self._fresh if newer_than is None else newer_than
        async with self._one_at_a_time:
            age = self._clock.monotonic() - self._fetched_at
            if self._held is None or age >= most:
                await self._renew()
            age = self._clock.monotonic() - self._fetched_at
            if self._held is not None and age < self._stale:
                return self._held
            raise ProviderAwayError(str(self._failure))

    async def _renew(self) -> None:
        if self._clock.monotonic() - self._failed_at < _FAILED_S:
            return
        try:
            self._held, self._failure = await self._fetch(), None
        except ProviderAwayError as error:
            self._failure, self._failed_at = error, self._clock.monotonic()
        else:
            self._fetched_at = self._clock.monotonic()
