"""Two grants of the token endpoint: codes (RFC 6749 §4.1.3) and refresh tokens (§6).

What is refused may have to end what came of it, which is one transaction with finding it out; so nothing is
raised before that has been committed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from lienthong.identity.domain.access_tokens import IssuedToken
from lienthong.identity.domain.clients import RegisteredClient
from lienthong.identity.domain.scopes import granted_scopes
from lienthong.identity.domain.token_request import AUTHORIZATION_CODE, REFRESH_TOKEN
from lienthong.identity.events import ACTOR
from lienthong.identity.openid import errors
from lienthong.identity.openid.domain.requests import is_verifier
from lienthong.identity.openid.domain.sign_ons import (
    Redeemed,
    SignOn,
    Verdict,
    judge_code,
    judge_refresh,
)
from lienthong.identity.openid.repository import applications, sign_ons
from lienthong.identity.openid.service.issuing import Issuing
from lienthong.identity.people.domain.secrets import digest, new_token
from lienthong.identity.people.service.sessions import Sessions, SignedIn
from lienthong.identity.service.tokens import Grant
from lienthong.kit.clock import Clock
from lienthong.kit.database import Database
from lienthong.kit.journal import AdminAct, AdminJournal
from lienthong.kit.tokens import Confirmation


@dataclass(frozen=True, slots=True)
class _Use:
    """What a code or a refresh token is used for."""

    scopes: tuple[str, ...]
    confirmation: Confirmation | None
    refresh: bytes | None = None
    """The digest of the refresh token that is used."""
    nonce: str | None = None


class PeopleGrants:
    """Gives applications tokens for the people who have signed in."""

    def __init__(
        self, database: Database, sessions: Sessions, issuing: Issuing, journal: AdminJournal, clock: Clock
    ) -> None:
        self._database = database
        self._sessions = sessions
        self._issuing = issuing
        self._journal = journal
        self._clock = clock

    @property
    def by_type(self) -> Mapping[str, Grant]:
        """The grants by their `grant_type`."""
        return {AUTHORIZATION_CODE: self.code, REFRESH_TOKEN: self.refresh}

    async def code(
        self, client: RegisteredClient, form: Mapping[str, str], confirmation: Confirmation | None
    ) -> IssuedToken:
        """Redeem a code.

        Raises:
            TokenError: `invalid_grant`, `invalid_request`.
        """
        for name in ("code", "redirect_uri", "code_verifier"):
            if name not in form:
                raise errors.missing(name)
        if not is_verifier(form["code_verifier"]):
            alphabet = "A-Z a-z 0-9 - . _ ~"
            raise errors.unfit(
                "code_verifier", f"43 to 128 characters of {alphabet}", f"43 đến 128 ký tự trong {alphabet}"
            )
        key = None if confirmation is None else confirmation.key
        sent = Redeemed(client.client_id, form["redirect_uri"], form["code_verifier"], key)
        issued: IssuedToken | None = None
        async with self._database.transaction() as session:
            known = await sign_ons.of_code(session, digest(form["code"]))
            found, standing = await self._locked(session, known)
            if found is not None:
                verdict = judge_code(found, sent, self._clock.now())
                if verdict is Verdict.GOOD and standing is not None:
                    use = _Use(found.scopes, confirmation, nonce=found.nonce)
                    issued = await self._issue(session, found, standing, use)
                await self._end(session, found, verdict, "application.reuse-code")
        if issued is None:
            raise errors.code_refused()
        return issued

    async def refresh(
        self, client: RegisteredClient, form: Mapping[str, str], confirmation: Confirmation | None
    ) -> IssuedToken:
        """Use a refresh token; the answer has its successor.

        Raises:
            TokenError: `invalid_grant`, `invalid_request`, `invalid_scope`.
        """
        if "refresh_token" not in form:
            raise errors.missing("refresh_token")
        sent = digest(form["refresh_token"])
        issued: IssuedToken | None = None
        async with self._database.transaction() as session:
            found, standing = await self._locked(session, await sign_ons.of_refresh(session, sent))
            if found is not None:
                verdict = judge_refresh(found, sent, client.client_id, self._clock.now())
                if verdict is Verdict.GOOD and standing is not None:
                    scopes = granted_scopes(form.get("scope"), found.scopes)
                    issued = await self._issue(session, found, standing, _Use(scopes, confirmation, sent))
                await self._end(session, found, verdict, "application.reuse-refresh-token")
        if issued is None:
            raise errors.refresh_refused()
        return issued

    async def _locked(
        self, session: AsyncSession, known: SignOn | None
    ) -> tuple[SignOn | None, SignedIn | None]:
        """A sign-on and its session, if that stands, both locked: the session first, as who ends it does."""
        if known is None:
            return None, None
        standing = await self._sessions.standing_in(session, known.person_id, known.session_id, locked=True)
        return await sign_ons.find(session, known.id, locked=True), standing

    async def _issue(
        self, session: AsyncSession, found: SignOn, standing: SignedIn, use: _Use
    ) -> IssuedToken | None:
        """Tokens, and the next refresh token; None where there is no such application any more."""
        if await applications.find(session, found.client_id) is None:
            return None
        refresh = new_token()
        issued = await self._issuing.tokens(
            found, standing, use.scopes, use.confirmation, nonce=use.nonce, refresh=refresh
        )
        # Taken once more, its time is not prolonged.
        once_more = use.refresh is not None and use.refresh == found.refresh_before
        at = found.refreshed_at if once_more else None
        await sign_ons.refreshed(
            session, found, refresh=digest(refresh), before=use.refresh, at=at or self._clock.now()
        )
        await self._sessions.see(session, found.session_id)
        return issued

    async def _end(self, session: AsyncSession, found: SignOn, verdict: Verdict, action: str) -> None:
        """End a sign-on that a thief may have part in; put on record where it was used twice."""
        if verdict not in (Verdict.SPENT, Verdict.REUSED):
            return
        await sign_ons.end(session, [found.id])
        if verdict is Verdict.REUSED:
            detail = {"session": found.session_id, "sign_on": found.id, "person": found.person_id}
            await self._journal.add(
                session, AdminAct(ACTOR, action, f"Application/{found.client_id}", detail)
            )
