"""Issuing access tokens: by client credentials (RFC 6749 §4.4), and by whatever other grants there are."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from sqlalchemy.exc import SQLAlchemyError

from lienthong.identity.domain.access_tokens import IssuedToken, TokenRules, TokenSigningKey, mint
from lienthong.identity.domain.clients import RegisteredClient
from lienthong.identity.domain.scopes import granted_scopes
from lienthong.identity.domain.token_request import CLIENT_CREDENTIALS, check_grant
from lienthong.identity.errors import TokenError, only_for_people, unavailable
from lienthong.identity.service.client_authentication import ClientAuthentication, database_failed
from lienthong.identity.service.keyring import Keyring, NoSigningKeyError
from lienthong.identity.service.successions import Successions
from lienthong.kit.clock import Clock
from lienthong.kit.dpop import Proof
from lienthong.kit.ids import NewId
from lienthong.kit.rates import TokenBuckets
from lienthong.kit.tokens import Confirmation

Grant: TypeAlias = Callable[
    [RegisteredClient, Mapping[str, str], Confirmation | None], Awaitable[IssuedToken]
]
"""What becomes of the parameters of a client that has proved itself; it raises a `TokenError`, or what a
database raises."""


class TokenService:
    """Issues access tokens: everything behind the token endpoint but HTTP."""

    def __init__(
        self,
        authentication: ClientAuthentication,
        keyring: Keyring,
        clock: Clock,
        new_id: NewId,
        *,
        token_rules: TokenRules,
        requests: TokenBuckets,
        grants: Mapping[str, Grant],
        successions: Successions,
    ) -> None:
        """`grants` are those beside client credentials, by their `grant_type`."""
        self._authentication = authentication
        self._keyring = keyring
        self._clock = clock
        self._new_id = new_id
        self._requests = requests
        self._token_rules = token_rules
        self._successions = successions
        self._grants = {CLIENT_CREDENTIALS: self._client_credentials, **grants}

    async def issue(
        self, form: Mapping[str, str], certificate: str | None = None, proof: Proof | None = None
    ) -> IssuedToken:
        """Issue a token for the parameters of a request. A genuine assertion is used up by this, and so is a
        proof.

        `certificate` is the SHA-256, in hex, of the one that the client showed, and `proof` its DPoP proof;
        the token is bound to that certificate, and to the key of the proof.

        Raises:
            TokenError: the request is refused.
        """
        check_grant(form)
        # Before the assertion is used up: a request that fails without a key can be sent again as it is.
        self._signing_key()
        client = await self._authentication.authenticate(form, certificate, proof, self._requests)
        key = proof.key.thumbprint if proof is not None else None
        bound = certificate is not None or key is not None
        confirmation = Confirmation(certificate, key) if bound else None
        try:
            return await self._grants[form["grant_type"]](client, form, confirmation)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            failed = database_failed(error)
            failed.client_id = client.client_id
            raise failed from error
        except TokenError as refusal:
            refusal.client_id = client.client_id
            raise

    async def _client_credentials(
        self, client: RegisteredClient, form: Mapping[str, str], confirmation: Confirmation | None
    ) -> IssuedToken:
        if not client.scopes:
            raise only_for_people()
        scopes = granted_scopes(form.get("scope"), client.scopes)
        token = mint(
            self._signing_key(),
            self._token_rules,
            client_id=client.client_id,
            scopes=scopes,
            now=self._clock.now(),
            token_id=self._new_id(),
            confirmation=confirmation,
            stands_for=await self._successions.of_client(client.client_id),
        )
        lifetime = int(self._token_rules.lifetime.total_seconds())
        by_proof = confirmation is not None and confirmation.key is not None
        return IssuedToken(
            client.client_id, token, "DPoP" if by_proof else "Bearer", lifetime, " ".join(scopes)
        )

    def _signing_key(self) -> TokenSigningKey:
        try:
            return self._keyring.signing()
        except NoSigningKeyError as error:
            raise unavailable() from error
