"""What people do with their own account, once they are signed in: factors, recovery codes, password.

A change that lets somebody else in, or keeps the owner out, ends the other sessions. It begins shortly after
signing in, or with the password: whoever finds a browser open, or has stolen its session, makes no way in.
"""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from lienthong.identity.people import errors
from lienthong.identity.people.domain.accounts import Account, AccountState
from lienthong.identity.people.domain.passkeys import new_challenge
from lienthong.identity.people.domain.passwords import WeakPasswordError, canonical, new_password
from lienthong.identity.people.domain.upstream import Asserted, Identity
from lienthong.identity.people.repository import accounts, factors, sign_ins, upstream
from lienthong.identity.people.repository.factors import NamedPasskey, has_second_factor
from lienthong.identity.people.service.factors import Factors, NewTotp
from lienthong.identity.people.service.failures import Failures
from lienthong.identity.people.service.password_checks import PasswordChecks
from lienthong.identity.people.service.recording import itself, record
from lienthong.identity.people.service.sessions import Sessions, SignedIn
from lienthong.kit.clock import Clock
from lienthong.kit.database import Database
from lienthong.kit.journal import AdminJournal


@dataclass(frozen=True, slots=True)
class Held:
    """By what a person signs in: the application, passkeys oldest first, recovery codes not used."""

    totp: bool
    passkeys: list[NamedPasskey]
    recovery_codes: int
    identities: list[Identity]
    """Who the person is at other providers."""


class OwnAccount:
    """The own account of whoever is signed in."""

    def __init__(
        self,
        database: Database,
        sessions: Sessions,
        held: Factors,
        failures: Failures,
        checks: PasswordChecks,
        journal: AdminJournal,
        clock: Clock,
    ) -> None:
        self._database = database
        self._sessions = sessions
        self._factors = held
        self._failures = failures
        self._checks = checks
        self._journal = journal
        self._clock = clock

    async def held(self, who: SignedIn) -> Held:
        """The second factors that a person has."""
        person = who.account.id
        async with self._database.reading() as session:
            return Held(
                await factors.totp(session, person, confirmed=True) is not None,
                await factors.passkeys_of(session, person),
                await factors.recovery_codes_left(session, person),
                await upstream.of_person(session, person),
            )

    async def begin_totp(self, who: SignedIn) -> NewTotp:
        """Make a secret for another authenticator application; the one in use stays until it is confirmed.

        Raises:
            ProblemError: 403 `sign-in-too-old`.
        """
        self._check_recent(who)
        async with self._locked(who) as (session, account):
            return await self._factors.begin_totp(session, account)

    async def pending_totp(self, who: SignedIn) -> NewTotp:
        """The secret that `begin_totp` made, to be shown once more."""
        async with self._locked(who) as (session, account):
            return await self._factors.pending_totp(session, account)

    async def confirm_totp(self, who: SignedIn, code: str) -> None:
        """Use the new application from now on.

        Raises:
            ProblemError: 403 `sign-in-refused`, it is no code of it.
        """
        async with self._locked(who) as (session, account):
            if not await self._factors.confirm_totp(session, account, code):
                raise errors.code_refused()
            await self._end_others(session, who)

    async def remove_totp(self, who: SignedIn) -> None:
        """Remove the authenticator application.

        Raises:
            ProblemError: 403 `sign-in-too-old`; 409 `factor-needed`.
        """
        self._check_recent(who)
        async with self._locked(who) as (session, account):
            if await factors.drop_totp(session, account.id):
                await self._removed(session, who, account, "person.remove-totp")

    async def begin_passkey(self, who: SignedIn) -> dict[str, Any]:
        """What the browser needs to register another passkey.

        Raises:
            ProblemError: 403 `sign-in-too-old`; 409 `too-many-passkeys`.
        """
        self._check_recent(who)
        async with self._locked(who) as (session, account):
            challenge = new_challenge()
            expires_at = self._clock.now() + self._sessions.rules.sign_in
            await factors.put_ceremony(session, account.id, challenge, expires_at)
            return await self._factors.registration_options(session, account, challenge)

    async def register_passkey(self, who: SignedIn, response: str, name: str) -> None:
        """Register the passkey that the browser made; its challenge is used up in any case.

        Raises:
            ProblemError: 403 `sign-in-expired` or `sign-in-refused`; 409 `too-many-passkeys`; 422
                `invalid-request` for the name.
        """
        async with self._locked(who) as (session, account):
            challenge = await factors.take_ceremony(session, account.id, self._clock.now())
        if challenge is None:
            raise errors.sign_in_expired()
        async with self._locked(who) as (session, account):
            if not await self._factors.register_passkey(session, account, response, challenge, name):
                raise errors.passkey_refused()
            await self._end_others(session, who)

    async def remove_passkey(self, who: SignedIn, credential_id: bytes) -> None:
        """Remove a passkey.

        Raises:
            ProblemError: 403 `sign-in-too-old`; 409 `factor-needed`.
        """
        self._check_recent(who)
        async with self._locked(who) as (session, account):
            if await factors.drop_passkey(session, account.id, credential_id):
                await self._check_way_in(session, account)
                await self._removed(session, who, account, "person.remove-passkey")

    def check_recent(self, who: SignedIn) -> None:
        """Whether a person may change what lets it in.

        Raises:
            ProblemError: 403 `sign-in-too-old`.
        """
        self._check_recent(who)

    async def link(self, who: SignedIn, found: Asserted, identity_id: str) -> None:
        """Let the person sign in by an identity at another provider from now on.

        Raises:
            ProblemError: 403 `sign-in-too-old` or `sign-in-expired`; 409 `provider-account-taken`.
        """
        self._check_recent(who)
        try:
            async with self._locked(who) as (session, account):
                await link(session, self._journal, account, found, identity_id, self._clock.now())
                await self._end_others(session, who)
        except IntegrityError:
            raise errors.provider_account_taken() from None

    async def unlink(self, who: SignedIn, identity_id: str) -> None:
        """Let the person sign in no more by an identity at another provider.

        Raises:
            ProblemError: 403 `sign-in-too-old` or `sign-in-expired`; 409 `way-in-needed`.
        """
        self._check_recent(who)
        async with self._locked(who) as (session, account):
            gone = await upstream.drop(session, account.id, identity_id)
            if gone is not None:
                await self._check_way_in(session, account)
                detail = {"provider": gone.provider, "identity": gone.id}
                await record(
                    self._journal, session, itself(account), "person.unlink-provider", account.id, detail
                )
                await self._end_others(session, who)

    async def present_recovery_codes(self, who: SignedIn) -> str:
        """A name of the recovery codes that are good now, for `new_recovery_codes` to take their place.

        It tells nothing of them, and is another one once a code was used or new ones were made.

        Raises:
            ProblemError: 403 `sign-in-too-old`.
        """
        self._check_recent(who)
        async with self._database.reading() as session:
            return await _present_codes(session, who)

    async def new_recovery_codes(self, who: SignedIn, *, instead_of: str | None = None) -> list[str]:
        """Ten recovery codes, shown once, in the place of all others.

        None are made where those that are good now are not the ones that `instead_of` names: the same form
        has come twice.

        Raises:
            ProblemError: 403 `sign-in-too-old`.
        """
        self._check_recent(who)
        async with self._locked(who) as (session, account):
            if instead_of not in (None, await _present_codes(session, who)):
                return []
            return await self._factors.new_recovery_codes(session, account)

    async def change_password(self, who: SignedIn, old: str, new: str, device: str | None = None) -> None:
        """Choose another password; the other sessions end.

        `old` is counted like a password at signing in: who has found a browser open may not guess it here.

        Raises:
            ProblemError: 403 `sign-in-refused`, `old` is not the password; 422 `invalid-request`; 429
                `sign-in-blocked`; 503 `busy`.
        """
        self._checks.admit()
        origin = who.session.origin
        await self._failures.count(who.account.login, who.account, origin, device)
        hashed = who.account.password_hash
        if hashed is None or not await self._checks.verify(hashed, canonical(old)):
            raise errors.old_password_refused()
        try:
            chosen = new_password(new, login=who.account.login, name=who.account.name)
        except WeakPasswordError as weak:
            raise errors.unusable("new", weak.text) from None
        renewed = await self._checks.hash(chosen)
        async with self._locked(who) as (session, account):
            if account.password_hash != hashed:
                raise errors.old_password_refused()
            await accounts.put_password(session, account.id, renewed)
            await self._failures.forgive(session, account, origin, device)
            await record(self._journal, session, itself(account), "person.change-password", account.id)
            await self._end_others(session, who)

    def _check_recent(self, who: SignedIn) -> None:
        if self._clock.now() - who.session.proved_at > self._sessions.rules.recent:
            raise errors.sign_in_too_old()

    @asynccontextmanager
    async def _locked(self, who: SignedIn) -> AsyncIterator[tuple[AsyncSession, Account]]:
        """The account as it is now, locked, while the session that asks has not been ended."""
        async with self._database.transaction() as session:
            account = await accounts.lock(session, who.account.id)
            living = {one.id for one in await sign_ins.sessions_of(session, who.account.id)}
            if account is None or account.state is not AccountState.ACTIVE or who.session.id not in living:
                raise errors.sign_in_expired()
            yield session, account

    async def _check_way_in(self, session: AsyncSession, account: Account) -> None:
        """Whether the person can still sign in, after something was removed."""
        ways: list[object] = [account.password_hash]
        ways += await upstream.of_person(session, account.id)
        ways += await factors.passkeys_of(session, account.id)
        if not any(ways):
            raise errors.way_in_needed()

    async def _removed(self, session: AsyncSession, who: SignedIn, account: Account, recorded: str) -> None:
        if account.needs_second_factor and not await has_second_factor(session, account.id):
            raise errors.factor_needed()
        await record(self._journal, session, itself(account), recorded, account.id)
        await self._end_others(session, who)

    async def _end_others(self, session: AsyncSession, who: SignedIn) -> None:
        others = [one.id for one in await sign_ins.sessions_of(session, who.account.id)]
        others.remove(who.session.id)
        await sign_ins.end_sign_ins(session, who.account.id)
        if others:
            await self._sessions.end_in(session, itself(who.account), who.account.id, others)


async def link(
    session: AsyncSession,
    journal: AdminJournal,
    account: Account,
    found: Asserted,
    identity_id: str,
    now: datetime,
) -> None:
    """Link an identity at another provider to a locked account, and record it.

    Raises:
        IntegrityError: it is another account's, or the account has one of this provider.
    """
    await upstream.add(session, identity_id, account.id, found, now)
    detail = {"provider": found.provider, "identity": identity_id}
    await record(journal, session, itself(account), "person.link-provider", account.id, detail)


async def _present_codes(session: AsyncSession, who: SignedIn) -> str:
    digests = await factors.recovery_digests(session, who.account.id)
    return hashlib.sha256(b"".join([who.session.id.encode(), *digests])).hexdigest()
