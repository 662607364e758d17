"""Stage 2, authenticate: which system calls? Access tokens are verified here, with identity's keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.gateway import problems
from lienthong.kit.bearer import check_scheme, credentials
from lienthong.kit.sender import check_certificate
from lienthong.kit.tokens import TokenRefusedError

if TYPE_CHECKING:
    from datetime import datetime

    from lienthong.gateway.edge import Certificate
    from lienthong.gateway.proofs.judge import ProofJudge
    from lienthong.gateway.request_headers import RequestHeaders
    from lienthong.kit.keys import IdentityKeys
    from lienthong.kit.tokens import AccessToken, Confirmation, TokenVerifier

SCOPE = "api"
_SCHEMES = (b"Bearer ", b"DPoP ")
MAX_CACHED = 10_000
MAX_CACHED_BYTES = 8192


class Authenticator:
    """Verifies access tokens, and caches those that passed until they expire or the keys change.

    Its times, suspension and what it is bound to are checked on every call, cached or not: the clock may have
    been set back, and a token that begins in the future is refused however often it was good.
    """

    def __init__(self, verifier: TokenVerifier, keys: IdentityKeys, proofs: ProofJudge) -> None:
        self._verifier = verifier
        self._keys = keys
        self._proofs = proofs
        self._verified: dict[bytes, AccessToken] = {}

    def with_keys(self, keys: IdentityKeys) -> Authenticator:
        """An authenticator for newer keys; it keeps the cache if the key set is the same."""
        newer = Authenticator(self._verifier, keys, self._proofs)
        if keys.jwks == self._keys.jwks:
            newer._verified = self._verified
        return newer

    @property
    def keys(self) -> IdentityKeys:
        """The keys in use."""
        return self._keys

    def authenticate(
        self,
        headers: RequestHeaders,
        now: datetime,
        certificate: Certificate | None,
        *,
        method: str,
        path: bytes,
    ) -> AccessToken:
        """The valid token of a request, of a caller that showed `certificate` at the edge.

        `method` and `path` are those that a DPoP proof has to be made for.

        Raises:
            ProblemError: no-token, token-refused, certificate-mismatch, dpop-proof-refused,
                dpop-nonce-required.
        """
        authorization = headers.authorization
        token = self._verified.get(authorization) if authorization is not None else None
        if token is None:
            token = self._verify(authorization)
        elif not token.not_before <= now < token.expires_at:
            if authorization is not None:
                del self._verified[authorization]
            token = self._verify(authorization)
        bound = token.confirmation
        if bound is not None:
            self._check_sender(bound, headers, certificate, method, path)
        return token

    def admit(self, token: AccessToken, scope: str | None = None, *, people: bool = False) -> None:
        """Check that the holder of a valid token may call, and that the token carries `scope`, if any.

        A person's token is taken only where `people` may call. One by which a system acts for a person (token
        exchange) is also taken where systems call services: what it may do there is the system's.

        Raises:
            ProblemError: person-refused, client-suspended, insufficient-scope.
        """
        if token.person is not None:
            self._admit_person(token, scope, people=people)
        if token.client_id in self._keys.suspended:
            raise problems.client_suspended(token.client_id)
        if scope is not None and scope not in token.scopes:
            raise problems.insufficient_scope(scope)

    def _admit_person(self, token: AccessToken, scope: str | None, *, people: bool) -> None:
        if not people and not (token.actors and scope == SCOPE):
            raise problems.person_refused(token.client_id)
        for actor in token.actors:
            if actor in self._keys.suspended:
                raise problems.client_suspended(actor)

    def check_standing(self, client: str, token: AccessToken | None) -> None:
        """Check that a client which was let in, by this token if it had one, still would be; the token's own
        time may be over.

        Raises:
            ProblemError: client-suspended, token-refused.
        """
        if client in self._keys.suspended:
            raise problems.client_suspended(client)
        if token is None:
            return
        for actor in token.actors:
            if actor in self._keys.suspended:
                raise problems.client_suspended(actor)
        if token.key_id not in self._keys.key_set:
            raise problems.token_refused("kid")

    def _check_sender(
        self,
        bound: Confirmation,
        headers: RequestHeaders,
        certificate: Certificate | None,
        method: str,
        path: bytes,
    ) -> None:
        check_certificate(bound, certificate.sha256 if certificate is not None else None)
        if bound.key is not None:
            text = credentials(headers.authorization).token
            self._proofs.check(headers.proof, method, path, text, bound.key)

    def _verify(self, authorization: bytes | None) -> AccessToken:
        sent = credentials(authorization)
        try:
            token = self._verifier.verify(sent.token, self._keys.key_set)
        except TokenRefusedError as error:
            raise problems.token_refused(error.reason, error.seconds, with_proof=sent.with_proof) from None
        check_scheme(sent, token.confirmation)
        # Only as usually written: with any number of spaces before it, one token could fill the cache.
        usual = len(_SCHEMES[sent.with_proof]) + len(sent.token)
        if authorization is not None and len(authorization) == usual <= MAX_CACHED_BYTES:
            while len(self._verified) >= MAX_CACHED:
                del self._verified[next(iter(self._verified))]
            self._verified[authorization] = token
        return token
