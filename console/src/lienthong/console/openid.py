"""The console as a client of identity: authorization code flow with PKCE and pushed requests.

RFC 6749 §4.1, RFC 7636, RFC 9126, RFC 7523 §2.2 (the client proves itself with a signed assertion), OpenID
Connect Core §3.1. Everything but the browser's own steps goes through the gateway.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from lienthong.console.errors import (
    CredentialsUnusableError,
    SessionEndedError,
    not_signed_in,
    platform_away,
)
from lienthong.kit.policy import Grant
from lienthong.kit.succession import CLAIM, NOBODY, StandsFor
from lienthong.relying.client_proofs import SignedAssertion
from lienthong.relying.errors import TokenRefusedError
from lienthong.relying.keys import read_keys
from lienthong.relying.tokens import Expected, id_claims

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lienthong.console.settings import ConsoleSettings
    from lienthong.kit.clock import Clock
    from lienthong.relying.attempts import Attempt

CLIENT: Final = "console"
SCOPE: Final = "openid profile roles platform"
_ALGORITHM: Final = "ES256"


@dataclass(frozen=True, slots=True)
class Tokens:
    """What identity gave for a person; `identity` is the ID token, which is needed to sign out."""

    access: str
    refresh: str
    identity: str


@dataclass(frozen=True, slots=True)
class Person:
    """Who is signed in, as identity knows the person at this moment."""

    id: str
    name: str
    login: str
    agency: str
    grants: frozenset[Grant]
    stands_for: StandsFor = NOBODY
    """The codes of before of the agencies for which the person holds roles."""

    @property
    def reach(self) -> frozenset[Grant]:
        """The roles, for the codes of before as well: what is named by them is these agencies' now."""
        return self.stands_for.reach(self.grants)


def read_key(folder: Path) -> ECKey:
    """The private key of the client `console`.

    Raises:
        CredentialsUnusableError: there is none, or it is damaged.
    """
    path = folder / "key.jwk"
    try:
        key = ECKey.import_key(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError, JoseError) as error:
        raise CredentialsUnusableError(
            f"{path} holds no private P-256 key of the client console ({error}): identity writes it at its "
            "start where LIENTHONG_IDENTITY_BOOTSTRAP_DIR is set"
        ) from error
    if not key.is_private or key.curve_name != "P-256":
        raise CredentialsUnusableError(f"{path} holds no private P-256 key")
    return key


class OpenId:
    """Asks identity, as the client `console`."""

    def __init__(self, settings: ConsoleSettings, key: ECKey, http: httpx.AsyncClient, clock: Clock) -> None:
        """`http` follows no redirects."""
        self._issuer = settings.issuer
        self._gateway = settings.console_gateway
        self._people = settings.people_url
        self._redirect = settings.console_redirect
        self._home = f"{settings.console_url}/"
        self._proof = SignedAssertion(key)
        self._http = http
        self._clock = clock

    async def begin(self, attempt: Attempt, language: str) -> str:
        """Push the request of a sign-in; gives the address at which the person signs in.

        Raises:
            ProblemError: 503 `platform-unavailable`.
        """
        answer = await self._ask(
            "/oauth2/par",
            response_type="code",
            redirect_uri=self._redirect,
            scope=SCOPE,
            state=attempt.state,
            nonce=attempt.nonce,
            code_challenge=attempt.challenge,
            code_challenge_method="S256",
            ui_locales=language,
        )
        pushed = _text(_document(answer, 201), "request_uri")
        asked = urlencode({"client_id": CLIENT, "request_uri": pushed})
        return f"{self._people}/authorize?{asked}"

    async def redeem(self, attempt: Attempt, code: str) -> Tokens:
        """What a code is worth, if the ID token is the answer to this attempt (OpenID Connect Core §3.1.3.7).

        Raises:
            ProblemError: 403 `sign-in-expired`, the code is not good (any more); 503 `platform-unavailable`.
        """
        answer = await self._ask(
            "/oauth2/token",
            grant_type="authorization_code",
            code=code,
            redirect_uri=self._redirect,
            code_verifier=attempt.verifier,
        )
        if answer.status_code == httpx.codes.BAD_REQUEST:
            raise not_signed_in()
        tokens = _tokens(_document(answer, 200))
        await self._check(tokens, attempt.nonce)
        return tokens

    async def refresh(self, tokens: Tokens) -> Tokens:
        """The next tokens (RFC 6749 §6).

        Raises:
            SessionEndedError: identity gives none any more.
            ProblemError: 503 `platform-unavailable`.
        """
        answer = await self._ask("/oauth2/token", grant_type="refresh_token", refresh_token=tokens.refresh)
        if answer.status_code == httpx.codes.BAD_REQUEST:
            raise SessionEndedError
        return _tokens(_document(answer, 200), before=tokens)

    async def who(self, tokens: Tokens) -> Person:
        """Whose the tokens are; identity looks the session up each time.

        Raises:
            SessionEndedError: the access token is not good (any more).
            ProblemError: 503 `platform-unavailable`.
        """
        try:
            answer = await self._http.get(
                f"{self._gateway}/oauth2/userinfo", headers={"Authorization": f"Bearer {tokens.access}"}
            )
        except httpx.HTTPError as error:
            raise platform_away() from error
        if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise SessionEndedError
        found = _document(answer, 200)
        roles = found.get("roles")
        return Person(
            _text(found, "sub"),
            _text(found, "name"),
            _text(found, "preferred_username"),
            str(found.get("agency") or ""),
            frozenset(_grants(roles if isinstance(roles, list) else [])),
            _stands_for(found.get(CLAIM)),
        )

    def leaving(self, tokens: Tokens) -> str:
        """Where the person's session ends, and from where the browser comes back (RP-Initiated Logout §2)."""
        asked = urlencode({"id_token_hint": tokens.identity, "post_logout_redirect_uri": self._home})
        return f"{self._people}/end-session?{asked}"

    async def _ask(self, path: str, **form: str) -> httpx.Response:
        proof = self._proof.proof(CLIENT, self._issuer, self._clock.now())
        try:
            return await self._http.post(f"{self._gateway}{path}", data={**form, **proof.form})
        except httpx.HTTPError as error:
            raise platform_away() from error

    async def _check(self, tokens: Tokens, nonce: str) -> None:
        try:
            answer = await self._http.get(f"{self._gateway}/oauth2/jwks")
        except httpx.HTTPError as error:
            raise platform_away() from error
        keys = read_keys(_document(answer, 200))
        expected = Expected(self._issuer, CLIENT, (_ALGORITHM,))
        now = self._clock.now()
        try:
            id_claims(tokens.identity, keys, expected, nonce=nonce, now=now, access_token=tokens.access)
        except TokenRefusedError as error:
            raise not_signed_in() from error


def _document(answer: httpx.Response, status: int) -> Mapping[str, Any]:
    try:
        found = answer.json() if answer.status_code == status else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise platform_away()
    return found


def _text(document: Mapping[str, Any], name: str) -> str:
    found = document.get(name)
    if not isinstance(found, str):
        raise platform_away()
    return found


def _tokens(document: Mapping[str, Any], before: Tokens | None = None) -> Tokens:
    # A refresh need not bring another ID token (OpenID Connect Core §12.2).
    identity = document.get("id_token") or (before.identity if before is not None else None)
    return Tokens(
        _text(document, "access_token"),
        _text(document, "refresh_token"),
        _text({"id_token": identity}, "id_token"),
    )


def _stands_for(claim: object) -> StandsFor:
    try:
        return NOBODY if claim is None else StandsFor.of_claim(claim)
    except ValueError:
        return NOBODY


def _grants(names: list[Any]) -> list[Grant]:
    """The roles that this version knows; another allows nothing here."""
    found = []
    for name in names:
        try:
            found.append(Grant.of_name(str(name)))
        except ValueError:
            continue
    return found
