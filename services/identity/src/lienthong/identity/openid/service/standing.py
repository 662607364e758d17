"""What tokens are worth at this moment (RFC 7662), whom they speak of (OpenID Connect Core §5.3), and their
revocation (RFC 7009).

The database is asked each time: a session that was ended anywhere is over here at once.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from lienthong.identity.domain.access_tokens import TokenRules
from lienthong.identity.domain.clients import RegisteredClient
from lienthong.identity.openid import errors
from lienthong.identity.openid.domain.id_tokens import context, methods, person_claims
from lienthong.identity.openid.domain.sign_ons import sign_on_id
from lienthong.identity.openid.repository import sign_ons
from lienthong.identity.people.domain.secrets import LONGEST_TOKEN, digest
from lienthong.identity.people.service.sessions import Sessions, SignedIn
from lienthong.identity.service.client_authentication import ClientAuthentication
from lienthong.identity.service.own_keys import OwnKeys
from lienthong.identity.service.successions import Successions
from lienthong.kit.access import Caller
from lienthong.kit.clock import Clock
from lienthong.kit.database import Database
from lienthong.kit.journal import AdminAct, AdminJournal
from lienthong.kit.problems.callers import insufficient_scope, token_refused
from lienthong.kit.succession import CLAIM, NOBODY
from lienthong.kit.tokens import AccessToken, Person, TokenRefusedError, TokenVerifier, act_claim

INACTIVE: Final[Mapping[str, Any]] = {"active": False}


class Standing:
    """Looks tokens up."""

    def __init__(
        self,
        database: Database,
        sessions: Sessions,
        clients: ClientAuthentication,
        keys: OwnKeys,
        successions: Successions,
        journal: AdminJournal,
        clock: Clock,
        *,
        rules: TokenRules,
    ) -> None:
        self._database = database
        self._sessions = sessions
        self._clients = clients
        self._keys = keys
        self._successions = successions
        self._journal = journal
        self._rules = rules
        # No leeway: the clock that issued it is this one.
        self._verifier = TokenVerifier(rules.issuer, rules.audience, clock, leeway=0)

    async def introspect(self, client: RegisteredClient, form: Mapping[str, str]) -> Mapping[str, Any]:
        """What a token is worth (RFC 7662 §2.2). A refresh token is worth something to its own client only.

        Raises:
            TokenError: `invalid_request`.
        """
        token = _token(form)
        if len(token) <= LONGEST_TOKEN:
            return await self._refresh_token(client, token)
        access = self.verified(token)
        if access is None or await self._clients.active(access.client_id) is None:
            return INACTIVE
        said: dict[str, Any] = {
            "active": True,
            "scope": " ".join(sorted(access.scopes)),
            "client_id": access.client_id,
            "sub": access.client_id,
            "iss": self._rules.issuer,
            "aud": self._rules.audience,
            "iat": int(access.issued_at.timestamp()),
            "exp": int(access.expires_at.timestamp()),
            "jti": access.jti,
            "token_type": "Bearer",
        }
        if access.confirmation is not None:
            said["cnf"] = access.confirmation.claim()
            said["token_type"] = "DPoP" if access.confirmation.key is not None else "Bearer"
        if access.stands_for != NOBODY:
            said[CLAIM] = access.stands_for.claim()
        if access.person is None:
            return said
        signed_in = await self.whose(access)
        if signed_in is None or not await self._all_active(access.actors):
            return INACTIVE
        if access.actors:
            said["act"] = act_claim(access.actors)
        return said | _of_person(signed_in)

    async def revoke(self, client: RegisteredClient, form: Mapping[str, str]) -> None:
        """Revoke a token of the client, and all that came of the same sign-in (RFC 7009 §2.1); nothing where
        it is none of the client's.

        Raises:
            TokenError: `invalid_request`; `unsupported_token_type` for a token of the client itself, for
                which nobody signed in.
        """
        token = _token(form)
        access = None if len(token) <= LONGEST_TOKEN else self.verified(token)
        if access is not None and access.person is None and access.client_id == client.client_id:
            raise errors.not_revocable()
        async with self._database.transaction() as session:
            if access is not None and access.person is not None:
                found = await sign_ons.find(session, sign_on_id(access.jti))
            else:
                found = await sign_ons.of_refresh(session, digest(token))
            if found is None or found.client_id != client.client_id:
                if found is not None and access is not None and access.client_id == client.client_id:
                    raise errors.not_revocable()
                return
            for ended in await sign_ons.end(session, [found.id]):
                detail = {"session": ended.session_id, "sign_on": ended.id, "person": ended.person_id}
                act = AdminAct(
                    client.client_id, "application.revoke", f"Application/{client.client_id}", detail
                )
                await self._journal.add(session, act)

    async def claims(self, access: AccessToken) -> dict[str, Any]:
        """What the application of an access token is told of its person.

        Raises:
            ProblemError: 401 `token-refused`, 403 `insufficient-scope`.
        """
        if access.person is None or "openid" not in access.scopes:
            raise insufficient_scope("openid")
        signed_in = await self.whose(access)
        if signed_in is None:
            raise token_refused("ended")
        claims = person_claims(signed_in.account, access.scopes)
        if "roles" in claims:
            found = await self._successions.of({grant.agency for grant in signed_in.account.grants})
            claims |= {CLAIM: found.claim()} if found != NOBODY else {}
        return claims

    async def of_caller(self, caller: Caller) -> SignedIn | None:
        """Whose sign-in the token of a caller came of; None where that has ended, or there was none."""
        return await self._of(caller.person, caller.jti)

    async def whose(self, access: AccessToken) -> SignedIn | None:
        """Whose sign-in an access token came of; None where that has ended."""
        return await self._of(access.person, access.jti)

    def verified(self, token: str) -> AccessToken | None:
        """What an access token of this server says; None where it is none, or its time is over."""
        keys = self._keys.fresh()
        try:
            return None if keys is None else self._verifier.verify(token, keys.key_set)
        except TokenRefusedError:
            return None

    async def _refresh_token(self, client: RegisteredClient, token: str) -> Mapping[str, Any]:
        sent = digest(token)
        async with self._database.reading() as session:
            found = await sign_ons.of_refresh(session, sent)
            if found is None or found.client_id != client.client_id or found.refresh != sent:
                return INACTIVE
            signed_in = await self._sessions.standing_in(session, found.person_id, found.session_id)
        if signed_in is None:
            return INACTIVE
        said = {"active": True, "scope": " ".join(found.scopes), "client_id": found.client_id}
        times = {"iss": self._rules.issuer, "exp": int(found.expires_at.timestamp())}
        return said | times | _of_person(signed_in)

    async def _of(self, person: Person | None, jti: str) -> SignedIn | None:
        if person is None:
            return None
        async with self._database.reading() as session:
            found = await sign_ons.find(session, sign_on_id(jti))
            if found is None or found.person_id != person.id:
                return None
            return await self._sessions.standing_in(session, person.id, person.session)

    async def _all_active(self, client_ids: Sequence[str]) -> bool:
        for one in client_ids:
            if await self._clients.active(one) is None:
                return False
        return True


def _token(form: Mapping[str, str]) -> str:
    # token_type_hint may be wrong or unknown (RFC 7009 §2.1): the two kinds are told apart without it.
    if "token" not in form:
        raise errors.missing("token")
    return form["token"]


def _of_person(signed_in: SignedIn) -> dict[str, Any]:
    session = signed_in.session
    return {
        "sub": session.person_id,
        "username": signed_in.account.login,
        "sid": session.id,
        "roles": sorted(grant.name for grant in signed_in.account.grants),
        "auth_time": int(session.proved_at.timestamp()),
        "acr": context(session.factors),
        "amr": methods(session.factors),
    }
