"""What administrators do with accounts, and how an invited person takes one over.

Each change, and the audit record of it, is one transaction.
"""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from lienthong.identity.people import errors
from lienthong.identity.people.domain.accounts import (
    Account,
    AccountRules,
    AccountState,
    may_change,
    may_see,
    refusal,
    ungrantable,
    visible_agencies,
)
from lienthong.identity.people.domain.names import UnusableNameError, login_of, matches, name_of
from lienthong.identity.people.domain.passwords import WeakPasswordError, new_password
from lienthong.identity.people.domain.secrets import digest, new_token
from lienthong.identity.people.domain.sessions import Session
from lienthong.identity.people.repository import accounts, factors, sign_ins, upstream
from lienthong.identity.people.service.password_checks import PasswordChecks
from lienthong.identity.people.service.recording import IDENTITY, itself, named, record
from lienthong.identity.people.service.sessions import Sessions
from lienthong.kit.actors import Actor
from lienthong.kit.clock import Clock
from lienthong.kit.database import Database
from lienthong.kit.ids import NewId
from lienthong.kit.journal import AdminJournal
from lienthong.kit.policy import Action, Grant, Role, may_grant
from lienthong.kit.problems.roles import role_required
from lienthong.kit.text import BilingualText

INVITATION = "/invitation"
"""The path of the page on which links are used."""
_FIRST = Grant(Role.PLATFORM_OPERATOR)


@dataclass(frozen=True, slots=True)
class Link:
    """A one-time link: the secret in it, which is stored nowhere, and until when it is good."""

    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class NewPerson:
    """Whom somebody invites; the texts are in canonical form."""

    login: str
    name: str
    agency: str
    grants: frozenset[Grant]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which people somebody looks for: of one agency; to be reviewed; whose login or name has these words."""

    agency: str = ""
    review_due: bool = False
    words: str = ""


class People:
    """Accounts as administrators see and change them."""

    def __init__(
        self,
        database: Database,
        sessions: Sessions,
        checks: PasswordChecks,
        journal: AdminJournal,
        clock: Clock,
        new_id: NewId,
        *,
        rules: AccountRules,
        link_lifetime: timedelta,
    ) -> None:
        self._database = database
        self._sessions = sessions
        self._checks = checks
        self._journal = journal
        self._clock = clock
        self._new_id = new_id
        self._link_lifetime = link_lifetime
        self.rules = rules

    async def page(self, actor: Actor, wanted: Wanted, *, after: str, limit: int) -> list[Account]:
        """The accounts that are wanted, of those that `actor` may see, after an id.

        Raises:
            ProblemError: 403 `role-required`.
        """
        agencies = visible_agencies(actor)
        if wanted.agency:
            only = frozenset({wanted.agency})
            agencies = only if agencies is None else agencies & only
        if agencies is not None and not agencies:
            raise role_required(Action.READ_PEOPLE, wanted.agency or None)
        before = self._clock.now() - self.rules.review if wanted.review_due else None
        words = partial(matches, wanted.words) if wanted.words else None
        async with self._database.reading() as session:
            return await accounts.page(
                session, accounts.Which(agencies, before, words), after=after, limit=limit
            )

    async def get(self, actor: Actor, person_id: str) -> Account:
        """An account.

        Raises:
            ProblemError: 404 `unknown-person`, also where `actor` may not see it.
        """
        async with self._database.reading() as session:
            return self._seen(actor, await accounts.find(session, person_id))

    async def invite(self, actor: Actor, wanted: NewPerson) -> tuple[Account, Link]:
        """Make an account, and the link by which the person takes it over.

        Raises:
            ProblemError: 403 `role-required`, 409 `login-taken`.
        """
        actor.demand(Action.MANAGE_PEOPLE, wanted.agency)
        if refused := ungrantable(actor, (), wanted.grants):
            raise errors.cannot_grant(refused)
        async with self._database.transaction() as session:
            account = await self._add(session, wanted, AccountState.INVITED)
            link = await self._link(session, account.id)
            detail = {"agency": account.agency, "roles": named(account.grants)}
            await record(self._journal, session, actor, "person.invite", account.id, detail)
        return account, link

    async def renew_link(self, actor: Actor, person_id: str) -> Link:
        """A new link for someone who has lost the first one, or password and factors; the older is useless.

        Whoever uses it chooses a new password, and all factors and sessions of before are gone.

        Raises:
            ProblemError: 403 `role-required` or `own-account`, 404 `unknown-person`, 409 `account-state`.
        """
        async with self._database.transaction() as session:
            account = await self._changed(session, actor, person_id, Action.MANAGE_PEOPLE)
            if account.state not in (AccountState.INVITED, AccountState.ACTIVE):
                raise errors.account_state(account.state)
            link = await self._link(session, account.id)
            await record(self._journal, session, actor, "person.renew-link", account.id)
        return link

    async def administrator_link(self) -> Link:
        """The link by which a platform operator makes an account; an older one is useless.

        For who runs the process: it is made also where there are operators, who may all have lost their
        second factors.
        """
        async with self._database.transaction() as session:
            return await self._administrator_link(session, IDENTITY)

    async def first_administrator_link(self, actor: Actor) -> Link:
        """As `administrator_link`, while nobody can sign in as the platform's operator.

        Raises:
            ProblemError: 403 `role-required`, 409 `account-state`: there is an operator, who invites others.
        """
        if not may_grant(actor.grants, _FIRST):
            raise role_required(Action.MANAGE_PEOPLE, "")
        async with self._database.transaction() as session:
            if await accounts.has_operator(session):
                raise errors.has_operator()
            return await self._administrator_link(session, actor)

    async def invited(self, token: str) -> Account | None:
        """Whose account a link is for, without using it; None for a first administrator, who has none yet.

        Raises:
            ProblemError: 403 `link-refused`.
        """
        async with self._database.reading() as session:
            good, person_id = await accounts.peek_link(session, digest(token), self._clock.now())
            known = person_id and await accounts.find(session, person_id)
        if not good:
            raise errors.link_refused()
        return known or None

    async def accept(
        self, token: str, password: str, *, login: str | None = None, name: str | None = None
    ) -> Account:
        """Take an account over with a link: choose a password, and login and name as the first administrator.

        A refused password leaves the link as it is; used, it is gone, whoever else holds it.

        Raises:
            ProblemError: 403 `link-refused`, 409 `login-taken` or `account-state`, 422 `invalid-request`.
        """
        known = await self.invited(token)
        if known and (login is not None or name is not None):
            raise errors.unusable("login", _GIVEN_ALREADY)
        wanted, faults = (_taken_over(known), {}) if known else _first(login, name)
        canonical = ""
        try:
            canonical = new_password(password, login=wanted.login, name=wanted.name)
        except WeakPasswordError as weak:
            faults["password"] = weak.text
        if faults:
            raise errors.all_unusable(faults)
        hashed = await self._checks.hash(canonical)
        async with self._database.transaction() as session:
            account = None if known is None else await accounts.lock(session, known.id)
            if not await accounts.take_link(session, digest(token), self._clock.now()):
                raise errors.link_refused()
            return await self._take_over(session, account, wanted, hashed)

    async def accept_in(self, session: AsyncSession, link: bytes) -> Account:
        """Take an account over with the link of this digest, without a password, in the transaction that
        gives the person another way to sign in.

        Raises:
            ProblemError: 403 `link-refused`, also for the link of a first administrator; 409 `account-state`.
        """
        now = self._clock.now()
        _, person_id = await accounts.peek_link(session, link, now)
        account = None if person_id is None else await accounts.lock(session, person_id)
        if account is None or not await accounts.take_link(session, link, now):
            raise errors.link_refused()
        return await self._take_over(session, account, _taken_over(account), None)

    async def let_in(self, session: AsyncSession, account: Account) -> Account:
        """Let an invited person in on whose login a trusted provider has said a word, in the transaction that
        links it; the account is locked, and its link useless then."""
        await accounts.drop_link(session, account.id)
        return await self._take_over(session, account, _taken_over(account), None)

    async def change_grants(self, actor: Actor, person_id: str, wanted: Collection[Grant]) -> Account:
        """Give a person these roles, and no others.

        Roles that are added end the person's outstanding link: whoever else has kept it would get them too.

        Raises:
            ProblemError: 403 `role-required` or `own-account`, 404 `unknown-person`.
        """
        # Roles that differ are asked for one by one; of somebody who may change none, nothing is taken.
        actor.demand_somewhere(Action.MANAGE_PEOPLE)
        async with self._database.transaction() as session:
            account = self._seen(actor, await accounts.lock(session, person_id))
            if account.id == actor.id:
                raise errors.own_account()
            if refused := ungrantable(actor, account.grants, wanted):
                raise errors.cannot_grant(refused)
            changed = replace(account, grants=frozenset(wanted))
            if changed == account:
                return account
            await accounts.save(session, changed)
            detail: dict[str, Any] = {"roles": named(changed.grants), "before": named(account.grants)}
            if changed.grants - account.grants and await accounts.drop_link(session, account.id):
                detail["link"] = "ended"
            await record(self._journal, session, actor, "person.change-roles", account.id, detail)
        return changed

    async def suspend(self, actor: Actor, person_id: str) -> Account:
        """Let a person sign in no more; sessions and links end at once.

        Raises:
            ProblemError: 403 `role-required` or `own-account`, 404 `unknown-person`.
        """

        async def end(session: AsyncSession, account: Account) -> Account:
            await self._sessions.end_in(session, actor, account.id)
            await accounts.drop_link(session, account.id)
            return replace(account, state=AccountState.SUSPENDED)

        return await self._move(actor, person_id, Action.SUSPEND_PEOPLE, "person.suspend", end)

    async def resume(self, actor: Actor, person_id: str) -> Account:
        """Let a suspended or locked person sign in again; the idle days begin anew.

        Raises:
            ProblemError: 403 `role-required` or `own-account`, 404 `unknown-person`.
        """

        async def let_in(session: AsyncSession, account: Account) -> Account:
            if account.state not in (AccountState.SUSPENDED, AccountState.LOCKED):
                return account
            taken = account.password_hash is not None or await upstream.of_person(session, account.id)
            state = AccountState.ACTIVE if taken else AccountState.INVITED
            return replace(account, state=state, used_at=self._clock.now())

        return await self._move(actor, person_id, Action.MANAGE_PEOPLE, "person.resume", let_in)

    async def review(self, actor: Actor, person_id: str) -> Account:
        """Confirm that an account and its roles are still needed.

        Raises:
            ProblemError: 403 `role-required` or `own-account`, 404 `unknown-person`.
        """

        async def confirm(_: AsyncSession, account: Account) -> Account:
            return replace(account, reviewed_at=self._clock.now())

        return await self._move(actor, person_id, Action.MANAGE_PEOPLE, "person.review", confirm)

    async def sessions(self, actor: Actor, person_id: str) -> list[Session]:
        """The sessions of a person that have not ended.

        Raises:
            ProblemError: 404 `unknown-person`.
        """
        return await self._sessions.of((await self.get(actor, person_id)).id)

    async def sign_out(self, actor: Actor, person_id: str, session_id: str | None = None) -> int:
        """End one session of a person, or all; gives how many there were.

        Raises:
            ProblemError: 403 `role-required`, 404 `unknown-person`.
        """
        async with self._database.transaction() as session:
            account = self._seen(actor, await accounts.lock(session, person_id))
            if account.id != actor.id and not may_change(actor, Action.SUSPEND_PEOPLE, account):
                raise refusal(actor, Action.SUSPEND_PEOPLE, account)
            only = None if session_id is None else [session_id]
            return await self._sessions.end_in(session, actor, account.id, only)

    async def _move(
        self,
        actor: Actor,
        person_id: str,
        action: Action,
        recorded: str,
        move: Callable[[AsyncSession, Account], Awaitable[Account]],
    ) -> Account:
        """Change an account and record it; what changes nothing is not recorded."""
        async with self._database.transaction() as session:
            account = await self._changed(session, actor, person_id, action)
            changed = await move(session, account)
            if changed != account:
                await accounts.save(session, changed)
                await record(
                    self._journal, session, actor, recorded, account.id, {"state": changed.state.value}
                )
        return changed

    async def _changed(self, session: AsyncSession, actor: Actor, person_id: str, action: Action) -> Account:
        """An account that `actor` may change, locked."""
        account = self._seen(actor, await accounts.lock(session, person_id))
        if account.id == actor.id:
            raise errors.own_account()
        if not may_change(actor, action, account):
            raise refusal(actor, action, account)
        return account

    @staticmethod
    def _seen(actor: Actor, account: Account | None) -> Account:
        if account is None or not may_see(actor, account):
            raise errors.unknown_person()
        return account

    async def _add(self, session: AsyncSession, wanted: NewPerson, state: AccountState) -> Account:
        now = self._clock.now()
        account = Account(
            self._new_id(), wanted.login, wanted.name, wanted.agency, state, wanted.grants, now, now, now
        )
        try:
            await accounts.add(session, account)
        except IntegrityError:
            raise errors.login_taken() from None
        return account

    async def _link(self, session: AsyncSession, person_id: str | None) -> Link:
        link = Link(new_token(), self._clock.now() + self._link_lifetime)
        await accounts.put_link(session, digest(link.token), person_id, link.expires_at)
        return link

    async def _administrator_link(self, session: AsyncSession, actor: Actor) -> Link:
        link = await self._link(session, None)
        await record(self._journal, session, actor, "person.invite-administrator", "first")
        return link

    async def _take_over(
        self, session: AsyncSession, account: Account | None, wanted: NewPerson, hashed: str | None
    ) -> Account:
        """Let the holder of a link in: on the account that it was for, or on a new one."""
        if account is None:
            account = await self._add(session, wanted, AccountState.ACTIVE)
        elif account.state not in (AccountState.INVITED, AccountState.ACTIVE):
            raise errors.account_state(account.state)
        else:
            await self._sessions.end_in(session, itself(account), account.id)
            await sign_ins.forget_devices(session, account.id)
            await factors.drop_factors(session, account.id)
            await upstream.drop_all(session, account.id)
        taken = replace(account, state=AccountState.ACTIVE, password_hash=hashed, used_at=self._clock.now())
        await accounts.save(session, taken)
        detail = {"roles": named(taken.grants)}
        await record(self._journal, session, itself(taken), "person.accept", taken.id, detail)
        return taken


_GIVEN_ALREADY = BilingualText(
    "is known already for this link; leave it out", "đã có sẵn cho liên kết này; hãy bỏ đi"
)
_MISSING = BilingualText(
    "is missing; the first administrator chooses it", "còn thiếu; quản trị viên đầu tiên tự đặt"
)


def _taken_over(account: Account) -> NewPerson:
    return NewPerson(account.login, account.name, account.agency, account.grants)


def _first(login: str | None, name: str | None) -> tuple[NewPerson, dict[str, BilingualText]]:
    """An operator of the platform, as the person chose to be called, and what cannot be used of that."""
    made: list[str] = []
    faults: dict[str, BilingualText] = {}
    for member, given, canonical in (("login", login, login_of), ("name", name, name_of)):
        if given is None:
            faults[member] = _MISSING
            made.append("")
            continue
        try:
            made.append(canonical(given))
        except UnusableNameError as unusable:
            faults[member] = unusable.text
            made.append("")
    return NewPerson(made[0], made[1], "", frozenset({_FIRST})), faults
