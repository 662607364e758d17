"""Stage 2, authenticate: who calls? Decided here alone, by the keys that identity hands out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.gateway import problems
from lienthong.kit.problems import ProblemError
from lienthong.kit.tokens import TokenRefusedError

if TYPE_CHECKING:
    from datetime import datetime

    from lienthong.gateway.call import Call
    from lienthong.kit.keys import IdentityKeys
    from lienthong.kit.tokens import AccessToken, TokenVerifier

SCOPE = "api"
_SCHEME = b"bearer "
MAX_REMEMBERED = 10_000
MAX_REMEMBERED_BYTES = 8192


class Authenticator:
    """Verifies access tokens and remembers those that passed, until they expire or the keys change.

    Expiry and suspension are looked at on every call, remembered or not.
    """

    def __init__(self, verifier: TokenVerifier, keys: IdentityKeys) -> None:
        self._verifier = verifier
        self._keys = keys
        self._remembered: dict[bytes, AccessToken] = {}

    def with_keys(self, keys: IdentityKeys) -> Authenticator:
        """An authenticator for newer keys; it starts with an empty memory if the key set is another."""
        newer = Authenticator(self._verifier, keys)
        if keys.jwks == self._keys.jwks:
            newer._remembered = self._remembered
        return newer

    @property
    def keys(self) -> IdentityKeys:
        """The keys in use."""
        return self._keys

    def authenticate(self, call: Call) -> None:
        """Set the client of a call to a service.

        Raises:
            ProblemError: no-token, token-refused, client-suspended, insufficient-scope.
        """
        authorization = call.inbound.authorization if call.inbound is not None else None
        if authorization is None:
            raise problems.no_token()
        token = self._token(authorization, call.received)
        call.client = token.client_id
        if token.client_id in self._keys.suspended:
            raise problems.client_suspended(token.client_id)
        if SCOPE not in token.scopes:
            raise problems.insufficient_scope(SCOPE)

    def recognise(self, call: Call) -> None:
        """Set the client of a call to a room, if a valid token came; rooms refuse by themselves."""
        authorization = call.inbound.authorization if call.inbound is not None else None
        if authorization is None:
            return
        try:
            call.client = self._token(authorization, call.received).client_id
        except ProblemError:
            return

    def _token(self, authorization: bytes, now: datetime) -> AccessToken:
        token = self._remembered.get(authorization)
        if token is not None:
            if now < token.expires_at:
                return token
            del self._remembered[authorization]
        return self._verify(authorization)

    def _verify(self, authorization: bytes) -> AccessToken:
        if authorization[: len(_SCHEME)].lower() != _SCHEME:
            raise problems.no_token()
        try:
            text = authorization[len(_SCHEME) :].strip().decode("ascii")
            token = self._verifier.verify(text, self._keys.key_set)
        except UnicodeDecodeError:
            raise problems.token_refused("malformed") from None
        except TokenRefusedError as error:
            raise problems.token_refused(error.reason) from None
        # Only under its plain spelling: a token can be written with any number of spaces before it.
        if len(authorization) == len(_SCHEME) + len(text) <= MAX_REMEMBERED_BYTES:
            while len(self._remembered) >= MAX_REMEMBERED:
                del self._remembered[next(iter(self._remembered))]
            self._remembered[authorization] = token
        return token
