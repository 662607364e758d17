"""Tokens of people: access tokens, ID tokens and logout tokens, signed with the key of this moment."""

from lienthong.identity.domain.access_tokens import IssuedToken, TokenRules, TokenSigningKey, mint, sign
from lienthong.identity.domain.token_request import ACCESS_TOKEN_TYPE
from lienthong.identity.errors import unavailable
from lienthong.identity.openid.domain.id_tokens import ID_TOKEN, LOGOUT_TOKEN, id_claims, logout_claims
from lienthong.identity.openid.domain.sign_ons import SignOn, sign_on_id
from lienthong.identity.people.service.sessions import SignedIn
from lienthong.identity.service.keyring import Keyring, NoSigningKeyError
from lienthong.identity.service.successions import Successions
from lienthong.kit.clock import Clock
from lienthong.kit.ids import NewId
from lienthong.kit.succession import StandsFor
from lienthong.kit.tokens import AccessToken, Confirmation, Person


class Issuing:
    """Signs tokens of people."""

    def __init__(
        self, keyring: Keyring, successions: Successions, rules: TokenRules, clock: Clock, new_id: NewId
    ) -> None:
        self._keyring = keyring
        self._successions = successions
        self._rules = rules
        self._clock = clock
        self._new_id = new_id

    async def tokens(
        self,
        sign_on: SignOn,
        signed_in: SignedIn,
        scopes: tuple[str, ...],
        confirmation: Confirmation | None,
        *,
        nonce: str | None,
        refresh: str,
    ) -> IssuedToken:
        """The answer of the token endpoint (OpenID Connect Core §3.1.3.3).

        The access token's `jti` begins with the id of the sign-on, so that its end can be looked up.

        Raises:
            TokenError: there is no key to sign with.
        """
        key, now = self._key(), self._clock.now()
        access = mint(
            key,
            self._rules,
            client_id=sign_on.client_id,
            scopes=scopes,
            now=now,
            token_id=f"{sign_on.id}.{self._new_id()}",
            confirmation=confirmation,
            person=Person(sign_on.person_id, sign_on.session_id, signed_in.account.grants),
            stands_for=await self._stands_for(signed_in),
        )
        claims = id_claims(
            self._rules.issuer,
            sign_on.client_id,
            signed_in.session,
            now=now,
            nonce=nonce,
            access_token=access,
        )
        by_proof = confirmation is not None and confirmation.key is not None
        return IssuedToken(
            sign_on.client_id,
            access,
            "DPoP" if by_proof else "Bearer",
            int(self._rules.lifetime.total_seconds()),
            " ".join(scopes),
            sign(key, ID_TOKEN, claims),
            refresh,
        )

    async def exchanged(
        self,
        subject: AccessToken,
        signed_in: SignedIn,
        client_id: str,
        actors: tuple[str, ...],
        scopes: tuple[str, ...],
        confirmation: Confirmation | None,
    ) -> IssuedToken:
        """A token by which a client acts for a person, in exchange for `subject` (RFC 8693 §2.2.1): good no
        longer than that, and of the same sign-on. `actors` begin with the client.

        Raises:
            TokenError: there is no key to sign with.
        """
        now, session = self._clock.now(), signed_in.session
        access = mint(
            self._key(),
            self._rules,
            client_id=client_id,
            scopes=scopes,
            now=now,
            token_id=f"{sign_on_id(subject.jti)}.{self._new_id()}",
            confirmation=confirmation,
            person=Person(session.person_id, session.id, signed_in.account.grants),
            actors=actors,
            stands_for=await self._stands_for(signed_in),
            not_after=subject.expires_at,
        )
        lifetime = int(self._rules.lifetime.total_seconds())
        left = int(subject.expires_at.timestamp()) - int(now.timestamp())
        by_proof = confirmation is not None and confirmation.key is not None
        return IssuedToken(
            client_id,
            access,
            "DPoP" if by_proof else "Bearer",
            min(lifetime, left),
            " ".join(scopes),
            issued_type=ACCESS_TOKEN_TYPE,
        )

    def logout_token(self, client_id: str, person_id: str, session_id: str) -> str:
        """A logout token (OpenID Connect Back-Channel Logout §2.4).

        Raises:
            TokenError: there is no key to sign with.
        """
        claims = logout_claims(
            self._rules.issuer,
            client_id,
            person_id=person_id,
            session_id=session_id,
            now=self._clock.now(),
            token_id=self._new_id(),
        )
        return sign(self._key(), LOGOUT_TOKEN, claims)

    async def _stands_for(self, signed_in: SignedIn) -> StandsFor:
        return await self._successions.of({grant.agency for grant in signed_in.account.grants})

    def _key(self) -> TokenSigningKey:
        try:
            return self._keyring.signing()
        except NoSigningKeyError as error:
            raise unavailable() from error
