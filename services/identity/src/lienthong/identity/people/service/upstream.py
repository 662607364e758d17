"""Signing in by another OpenID Connect provider: begun in a browser, answered in the same one, once.

An attempt is used up before anything is asked about its answer, in a transaction of its own: killed later, a
process leaves nobody signed in, and the person begins again. What an answer leads to (a session, a link, an
account taken over) is one transaction.
"""

from datetime import timedelta
from typing import Any, Final

import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from lienthong.identity.people import errors
from lienthong.identity.people.domain.accounts import Account, AccountState
from lienthong.identity.people.domain.secrets import digest
from lienthong.identity.people.domain.sessions import Origin
from lienthong.identity.people.domain.upstream import Asserted, Purpose, asserted
from lienthong.identity.people.repository import accounts, upstream
from lienthong.identity.people.repository.upstream import UpstreamAttempt
from lienthong.identity.people.service.own_account import OwnAccount, link
from lienthong.identity.people.service.people import People
from lienthong.identity.people.service.recording import IDENTITY
from lienthong.identity.people.service.sessions import Begun, Sessions, SignedIn
from lienthong.identity.people.service.sign_ins import SignIns, UnderWay
from lienthong.identity.service.providers import Providers, Upstream
from lienthong.kit.clock import Clock
from lienthong.kit.database import Database
from lienthong.kit.ids import NewId
from lienthong.kit.journal import AdminJournal
from lienthong.kit.text import BilingualText
from lienthong.relying.attempts import Attempt
from lienthong.relying.errors import (
    AnswerRefusedError,
    ProviderAwayError,
    ProviderRefusedError,
    RelyingError,
    TokenRefusedError,
)

SIGNED_OUT_THERE: Final = "signed-out-at-provider"
"""Why sessions ended: a provider said so."""
_CLOCKS: Final = timedelta(seconds=30)

_log = structlog.get_logger(__name__)


class UpstreamSignIns:
    """Sign-ins by other providers."""

    def __init__(
        self,
        database: Database,
        providers: Providers,
        sign_ins: SignIns,
        people: People,
        own_account: OwnAccount,
        sessions: Sessions,
        journal: AdminJournal,
        clock: Clock,
        new_id: NewId,
        *,
        people_url: str,
    ) -> None:
        self._database = database
        self._sign_ins = sign_ins
        self._people = people
        self._own_account = own_account
        self._sessions = sessions
        self._journal = journal
        self._clock = clock
        self._new_id = new_id
        self._people_url = people_url
        self.providers = providers

    async def begin(
        self, provider_id: str, onward: str, origin: Origin, device: str | None, *, fresh: bool
    ) -> tuple[Attempt, str]:
        """Begin a sign-in: the attempt, which the browser keeps, and where it has to go.

        `fresh` demands that the person proves anew there who it is.

        Raises:
            ProblemError: 404 `unknown-sign-in-provider`; 429 `rate-limited`; 503 `sign-in-provider-away`.
        """
        await self._sign_ins.start(origin, device)
        return await self._begin(provider_id, Purpose.SIGN_IN, onward=onward, fresh=fresh)

    async def begin_link(
        self, provider_id: str, who: SignedIn, origin: Origin, device: str | None
    ) -> tuple[Attempt, str]:
        """Begin to link an identity to the own account.

        Raises:
            ProblemError: as `begin`; 403 `sign-in-too-old`.
        """
        self._own_account.check_recent(who)
        await self._sign_ins.start(origin, device)
        return await self._begin(provider_id, Purpose.LINK, session_id=who.session.id)

    async def begin_accept(
        self, provider_id: str, token: str, origin: Origin, device: str | None
    ) -> tuple[Attempt, str]:
        """Begin to take an account over with a one-time link.

        Raises:
            ProblemError: as `begin`; 403 `link-refused`, also for the link of a first administrator.
        """
        await self._sign_ins.start(origin, device)
        if await self._people.invited(token) is None:
            raise errors.link_refused()
        return await self._begin(provider_id, Purpose.ACCEPT, link=digest(token))

    async def answer(
        self,
        provider_id: str,
        attempt: Attempt,
        answer: dict[str, str],
        who: SignedIn | None,
        origin: Origin,
        device: str | None,
    ) -> tuple[UpstreamAttempt, Begun | UnderWay | None]:
        """Take what a provider has sent the browser back with: what was wanted, and a session or what is
        still needed for one; None where an identity was linked, by `who` is signed in.

        Raises:
            ProblemError: 403 `sign-in-expired`, `sign-in-provider-refused`, `provider-account-unknown`,
                `account-not-active`, `link-refused`; 409 `provider-account-taken`; 503
                `sign-in-provider-away`.
        """
        chosen = self._chosen(provider_id)
        async with self._database.transaction() as session:
            wanted = await upstream.take_attempt(session, digest(attempt.secret), self._clock.now())
        # Another provider's answer at this address is a mix-up, and the attempt is spent.
        if wanted is None or wanted.provider != provider_id:
            raise errors.sign_in_expired()
        found = await self._asserted(chosen, attempt, answer)
        name = chosen.spec.title
        if wanted.fresh and found.proved_at < wanted.begun_at - _CLOCKS:
            raise errors.provider_not_anew(name)
        try:
            match wanted.purpose:
                case Purpose.SIGN_IN:
                    return wanted, await self._sign_in(found, name, origin, device)
                case Purpose.ACCEPT:
                    return wanted, await self._accept(found, wanted.link or b"", origin, device)
                case Purpose.LINK:
                    if who is None or who.session.id != wanted.session_id:
                        raise errors.sign_in_expired()
                    await self._own_account.link(who, found, self._new_id())
                    return wanted, None
        except IntegrityError:
            raise errors.provider_account_taken() from None

    async def logged_out(self, provider_id: str, token: str) -> int:
        """End the sessions that a logout token of a provider names; gives how many there were.

        Only those that had begun when it was issued: one that comes again ends nothing new.

        Raises:
            RelyingError: the token cannot be used.
            ProblemError: 404 `unknown-sign-in-provider`.
        """
        chosen = self._chosen(provider_id)
        try:
            said = await chosen.provider.logged_out(token)
        except RelyingError as error:
            _log.warning("logout token refused", provider=provider_id, why=str(error))
            raise
        async with self._database.transaction() as session:
            known = None
            if said.subject is not None:
                known = await upstream.find(session, chosen.spec.issuer, said.subject)
                if known is None:
                    return 0
            issued_at = self._clock.now() - timedelta(
                seconds=max(0.0, self._clock.now().timestamp() - said.issued_at)
            )
            found = await upstream.sessions_by(
                session,
                provider_id,
                person_id=None if known is None else known.person_id,
                upstream_session=said.session,
                begun_before=issued_at + _CLOCKS,
            )
            ended = 0
            for person_id, ids in found.items():
                await accounts.lock(session, person_id)
                ended += await self._sessions.end_in(
                    session, IDENTITY, person_id, ids, reason=SIGNED_OUT_THERE
                )
        return ended

    async def leaving(self, provider_id: str) -> str | None:
        """Where the browser goes to sign out at a provider too; None where it offers that nowhere.

        Raises:
            ProblemError: 404 `unknown-sign-in-provider`; 503 `sign-in-provider-away`.
        """
        chosen = self._chosen(provider_id)
        try:
            return await chosen.provider.leaving(f"{self._people_url}/sign-in")
        except ProviderAwayError as away:
            raise self._problem(chosen, away) from away

    def callback(self, provider_id: str) -> str:
        """The redirect URI of a provider: each has its own, so that none answers for another (RFC 9700
        §4.4.2.2)."""
        return f"{self._people_url}/upstream/{provider_id}/callback"

    async def _begin(
        self,
        provider_id: str,
        purpose: Purpose,
        *,
        onward: str = "",
        session_id: str | None = None,
        link: bytes | None = None,
        fresh: bool = False,
    ) -> tuple[Attempt, str]:
        chosen = self._chosen(provider_id)
        attempt, now = Attempt.new(), self._clock.now()
        asked = {"max_age": str(int(self._sessions.rules.absolute.total_seconds()))}
        if chosen.spec.acr_values:
            asked["acr_values"] = " ".join(chosen.spec.acr_values)
        if fresh:
            asked |= {"prompt": "login", "max_age": "0"}
        try:
            address = await chosen.provider.address(attempt, self.callback(provider_id), **asked)
        except RelyingError as error:
            raise self._problem(chosen, error) from error
        lasting = self._sessions.rules.sign_in
        under_way = UpstreamAttempt(provider_id, purpose, session_id, link, onward, fresh, now, now + lasting)
        async with self._database.transaction() as session:
            await upstream.put_attempt(session, digest(attempt.secret), under_way)
        return attempt, address

    async def _asserted(self, chosen: Upstream, attempt: Attempt, answer: dict[str, str]) -> Asserted:
        try:
            code = await chosen.provider.code_of(answer)
            claims: dict[str, Any] = await chosen.provider.redeem(
                attempt, self.callback(chosen.spec.id), code
            )
            return asserted(chosen.spec, claims, self._clock.now())
        except RelyingError as error:
            raise self._problem(chosen, error) from error

    async def _sign_in(
        self, found: Asserted, name: BilingualText, origin: Origin, device: str | None
    ) -> Begun | UnderWay:
        async with self._database.transaction() as session:
            known = await upstream.find(session, found.issuer, found.subject)
            person_id = await self._by_login(session, found) if known is None else known.person_id
            account = None if person_id is None else await accounts.lock(session, person_id)
            if account is None:
                raise errors.provider_account_unknown(name)
            # Under the lock: it may have been unlinked, or linked, meanwhile.
            known = await upstream.find(session, found.issuer, found.subject)
            if known is None:
                account = await self._linked_by_login(session, account, found, name)
            elif known.person_id != account.id:
                raise errors.provider_account_unknown(name)
            return await self._sign_ins.proved_elsewhere(session, account, found, origin, device)

    async def _linked_by_login(
        self, session: AsyncSession, account: Account, found: Asserted, name: BilingualText
    ) -> Account:
        """Link an identity to the account of the login that its provider is trusted to assert."""
        held = await upstream.of_person(session, account.id)
        if found.login != account.login or any(one.provider == found.provider for one in held):
            raise errors.provider_account_unknown(name)
        if account.state not in (AccountState.ACTIVE, AccountState.INVITED):
            raise errors.account_not_active(account.state)
        if account.state is AccountState.INVITED:
            account = await self._people.let_in(session, account)
        await link(session, self._journal, account, found, self._new_id(), self._clock.now())
        return account

    async def _accept(
        self, found: Asserted, link_digest: bytes, origin: Origin, device: str | None
    ) -> Begun | UnderWay:
        async with self._database.transaction() as session:
            account = await self._people.accept_in(session, link_digest)
            await link(session, self._journal, account, found, self._new_id(), self._clock.now())
            return await self._sign_ins.proved_elsewhere(session, account, found, origin, device)

    @staticmethod
    async def _by_login(session: AsyncSession, found: Asserted) -> str | None:
        account = None if found.login is None else await accounts.find_by_login(session, found.login)
        return None if account is None else account.id

    def _chosen(self, provider_id: str) -> Upstream:
        found = self.providers.get(provider_id)
        if found is None:
            raise errors.unknown_provider()
        return found

    @staticmethod
    def _problem(chosen: Upstream, error: RelyingError) -> Exception:
        name = chosen.spec.title
        kind = type(error).__name__
        _log.warning("sign-in by another provider", provider=chosen.spec.id, error=kind, why=str(error))
        match error:
            case ProviderRefusedError():
                return errors.provider_refused(name, error.code)
            case TokenRefusedError() | AnswerRefusedError():
                return errors.provider_unproved(name, str(error))
        return errors.provider_away(name)
