"""Who calls a service's REST endpoints, and what they may do: bearer tokens after RFC 6750.

Every request is verified here, also one that reaches the service without the gateway, from inside the
cluster. What comes through the gateway has been read there by the same `kit.bearer`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fastapi import Request  # noqa: TC002 - FastAPI reads the annotation when the application starts

from lienthong.kit.bearer import authorization_of, check_scheme, credentials
from lienthong.kit.openapi import BEARER
from lienthong.kit.problems import ProblemError, general
from lienthong.kit.problems.callers import (
    client_suspended,
    insufficient_scope,
    person_refused,
    token_refused,
)
from lienthong.kit.problems.people import ROLE_REQUIRED
from lienthong.kit.sender import check_certificate, check_key
from lienthong.kit.succession import NOBODY
from lienthong.kit.text import BilingualText
from lienthong.kit.tokens import TokenRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lienthong.kit.keys import IdentityKeys
    from lienthong.kit.problems import ProblemType
    from lienthong.kit.shown import Shown
    from lienthong.kit.succession import StandsFor
    from lienthong.kit.tokens import AccessToken, KeySet, Person, TokenVerifier

MAX_CACHED: Final = 10_000
"""Tokens that have passed and are known; each has 8 KiB at most, and about one."""
_KNOWN: Final = "caller"


@dataclass(frozen=True, slots=True)
class Caller:
    """The client whose valid token came with a request, and the person for whom it came, if it did."""

    client_id: str
    scopes: frozenset[str]
    person: Person | None = None
    jti: str = ""
    """The id of the token."""
    stands_for: StandsFor = NOBODY

    @property
    def agency(self) -> str:
        """The agency of a system (`H11.05` of `H11.05/land`); empty for clients that are no systems."""
        agency, slash, _ = self.client_id.partition("/")
        return agency if slash else ""

    def is_of(self, agency: str | None) -> bool:
        """Whether a system is of this agency, or of one that stands for it or that it stands for."""
        return agency in self.stands_for.together(self.agency)


class Access:
    """Verifies the access tokens of a service's callers with the keys that identity publishes.

    Tokens that passed are known until they expire or the keys change, as in the gateway. Their times and
    suspension are checked each time.
    """

    def __init__(
        self,
        keys: Callable[[], IdentityKeys | None],
        verifier: TokenVerifier,
        shown: Shown,
    ) -> None:
        self._keys = keys
        self._verifier = verifier
        self._verified: dict[str, AccessToken] = {}
        self._verified_with: KeySet | None = None
        self._shown = shown

    def caller(self, headers: Sequence[tuple[bytes, bytes]]) -> AccessToken:
        """What the token of a request says, which comes from the one that it is bound to, if to anyone.

        Raises:
            ProblemError: `malformed-request`, 401 `no-token`, `token-refused`, `certificate-mismatch` or
                `dpop-proof-refused`, 403 `client-suspended`, 503 `not-ready`.
        """
        sent = credentials(authorization_of(headers))
        token = self.authenticate(sent.token, with_proof=sent.with_proof)
        bound = token.confirmation
        check_scheme(sent, bound)
        if bound is not None:
            check_certificate(bound, self._shown.certificates.read(headers))
            check_key(bound, self._shown.keys.read(headers))
        return token

    def authenticate(self, token: str, *, with_proof: bool = False) -> AccessToken:
        """Verify a token, which came with a DPoP proof or without, and return what it says.

        Raises:
            ProblemError: 401 `token-refused`, 403 `client-suspended`, 503 `not-ready` while there are no keys
                that are recent enough.
        """
        keys = self._keys()
        if keys is None:
            raise _no_keys()
        if keys.key_set is not self._verified_with:
            self._verified, self._verified_with = {}, keys.key_set
        access = self._verified.get(token)
        if access is None or not self._verifier.in_time(access):
            access = self._verify(token, keys.key_set, with_proof=with_proof)
        if access.client_id in keys.suspended:
            raise client_suspended(access.client_id)
        for actor in access.actors:
            if actor in keys.suspended:
                raise client_suspended(actor)
        return access

    def _verify(self, token: str, keys: KeySet, *, with_proof: bool) -> AccessToken:
        self._verified.pop(token, None)
        try:
            access = self._verifier.verify(token, keys)
        except TokenRefusedError as refusal:
            raise token_refused(refusal.reason, refusal.seconds, with_proof=with_proof) from None
        while len(self._verified) >= MAX_CACHED:
            del self._verified[next(iter(self._verified))]
        self._verified[token] = access
        return access


@dataclass(frozen=True, slots=True)
class _CallerRequired:
    """A FastAPI dependency: the caller, who must hold `scope` when one is named. Tokens of people are taken
    only where there is a scope `for_people`, which they must hold.

    It uses `app.state.access`, an `Access`. `StrictRoute` asks it before the body is read, FastAPI again for
    the endpoint: the token is verified once in a request.
    """

    scope: str | None = None
    for_people: str | None = None

    async def __call__(self, request: Request) -> Caller:
        """The caller of a request.

        Raises:
            ProblemError: one of `problems`.
        """
        found = known_caller(request)
        if found is None:
            access: Access = request.app.state.access
            token = access.caller(request.scope["headers"])
            found = Caller(token.client_id, token.scopes, token.person, token.jti, token.stands_for)
            setattr(request.state, _KNOWN, found)
        if found.person is not None:
            if self.for_people is None:
                raise person_refused(found.client_id)
            demand(found, self.for_people)
        elif self.scope is not None:
            demand(found, self.scope)
        return found

    @property
    def problems(self) -> Sequence[ProblemType]:
        """What it refuses."""
        scope = () if self.scope is None and self.for_people is None else (general.INSUFFICIENT_SCOPE,)
        people = general.PERSON_REFUSED if self.for_people is None else ROLE_REQUIRED
        return (
            general.MALFORMED_REQUEST,
            general.NO_TOKEN,
            general.TOKEN_REFUSED,
            general.CERTIFICATE_MISMATCH,
            general.DPOP_PROOF_REFUSED,
            *scope,
            people,
            general.CLIENT_SUSPENDED,
            general.NOT_READY,
        )

    @property
    def security(self) -> Mapping[str, Sequence[str]]:
        """An access token, with the scope that is asked for."""
        return {BEARER: [] if self.scope is None else [self.scope]}


def known_caller(request: Request) -> Caller | None:
    """The caller of a request; None before the token is verified, and where none is asked for."""
    found: Caller | None = getattr(request.state, _KNOWN, None)
    return found


def require(scope: str | None = None, *, for_people: str | None = None) -> _CallerRequired:
    """A FastAPI dependency: the caller, who must hold `scope` when one is named.

    An application that acts for a person must hold the scope `for_people`; without one it is refused. What
    the person may do is then asked of the `Actor` that the caller is.
    """
    return _CallerRequired(scope, for_people)


def demand(caller: Caller, scope: str) -> None:
    """Refuse a caller whose token does not carry `scope`.

    Raises:
        ProblemError: 403 `insufficient-scope` (RFC 6750 §3.1).
    """
    if scope not in caller.scopes:
        raise insufficient_scope(scope)


def _no_keys() -> ProblemError:
    detail = BilingualText(
        "The keys that verify access tokens have not arrived yet.",
        "Chưa nhận được khoá để xác minh mã truy cập.",
    )
    return ProblemError(general.NOT_READY, detail, {"Retry-After": "1"})
