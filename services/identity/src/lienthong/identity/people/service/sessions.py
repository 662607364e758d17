"""Sessions: begun, looked up with every request, listed, ended.

Each look-up reads the database, so that what was ended elsewhere is ended here, and what somebody may do
follows the roles of this moment.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from sqlalchemy.ext.asyncio import AsyncSession

from lienthong.identity.people.domain.accounts import Account, AccountState
from lienthong.identity.people.domain.secrets import digest, new_token
from lienthong.identity.people.domain.sessions import (
    HERE,
    Factor,
    Origin,
    Session,
    SessionRules,
    Via,
    alive,
    enough,
)
from lienthong.identity.people.repository import accounts, sign_ins
from lienthong.identity.people.service.recording import itself, record
from lienthong.kit.actors import Actor
from lienthong.kit.clock import Clock
from lienthong.kit.database import Database
from lienthong.kit.ids import NewId
from lienthong.kit.journal import AdminJournal

MOST_SESSIONS: Final = 20
"""Of one person; the oldest ends where another one begins."""
MOST_DEVICES: Final = 20
_SEEN_EVERY: Final = timedelta(minutes=1)
"""How exactly it is kept when the last request came: not every request writes."""


Ended: TypeAlias = Callable[[AsyncSession, list[str]], Awaitable[None]]
"""Told the ids of sessions that have ended, in the transaction that ended them."""
Renewed: TypeAlias = Callable[[AsyncSession, str, datetime], Awaitable[None]]
"""Told the id of a session that goes on, and when it ends now, in the transaction that renewed it."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A session that has just begun. `token` and `device` are for the browser, and stored nowhere.

    `device` is None where the browser sent one that is known.
    """

    token: str
    session: Session
    device: str | None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who sent a request."""

    account: Account
    session: Session


class Sessions:
    """The sessions of all people."""

    def __init__(
        self, database: Database, journal: AdminJournal, clock: Clock, new_id: NewId, rules: SessionRules
    ) -> None:
        self._database = database
        self._journal = journal
        self._clock = clock
        self._new_id = new_id
        self._told: list[Ended] = []
        self._told_renewed: list[Renewed] = []
        self.rules = rules

    def on_end(self, told: Ended) -> None:
        """Tell of every session that ends, however it does, but for its own time: of that `forget` tells."""
        self._told.append(told)

    def on_renew(self, told: Renewed) -> None:
        """Tell of every session that goes on because its person has proved anew who it is."""
        self._told_renewed.append(told)

    async def begin(
        self,
        session: AsyncSession,
        account: Account,
        factors: tuple[Factor, ...],
        origin: Origin,
        device: str | None,
        via: Via = HERE,
    ) -> Begun:
        """Begin a session, in the transaction in which the person proved who it is."""
        now = self._clock.now()
        token = new_token()
        ends_at = now + self.rules.absolute
        begun = Session(self._new_id(), account.id, now, now, ends_at, factors, origin, via)
        older = await sign_ins.sessions_of(session, account.id)
        surplus = [one.id for one in older[MOST_SESSIONS - 1 :]]
        await self._tell(session, await sign_ins.end_sessions(session, account.id, only=surplus))
        await sign_ins.add_session(session, digest(token), begun)
        known = device and await sign_ins.known_device(session, digest(device), account.id, now)
        new_device = None if known else new_token()
        if new_device is not None:
            await sign_ins.add_device(
                session,
                digest(new_device),
                self._new_id(),
                account.id,
                now + self.rules.device,
                most=MOST_DEVICES,
            )
        detail = {"session": begun.id, "factors": list(factors)}
        if via.provider:
            detail["provider"] = via.provider
        await record(self._journal, session, itself(account), "person.sign-in", account.id, detail)
        return Begun(token, begun, new_device)

    async def renew(self, before: Session, begun: Begun) -> bool:
        """Let a browser's session go on where its person has signed in anew: it takes the place of the one
        that has just begun, whose token, times and factors it has from now on. What came of it stays.

        Gives whether it did; not where it is another person's, or has ended.
        """
        anew = begun.session
        if before.person_id != anew.person_id:
            return False
        async with self._database.transaction() as session:
            held = await sign_ins.session_by_id(session, before.id, locked=True)
            if held is None or not alive(held, self._clock.now(), self.rules):
                return False
            if await sign_ins.session_by_id(session, anew.id, locked=True) is None:
                return False
            account = await accounts.find(session, before.person_id)
            if account is None:
                return False
            await sign_ins.renew_session(session, before.id, anew.id)
            for told in self._told_renewed:
                await told(session, before.id, anew.expires_at)
            detail = {"session": before.id, "by": anew.id}
            await record(self._journal, session, itself(account), "person.renew-session", account.id, detail)
        return True

    async def check(self, token: str) -> SignedIn | None:
        """Who sent a request with this token; None where the session has ended, however it did."""
        now = self._clock.now()
        async with self._database.reading() as session:
            found = await sign_ins.session_of(session, digest(token))
            account = None if found is None else await accounts.find(session, found.person_id)
        signed_in = self._standing(account, found)
        if signed_in is not None and now - signed_in.session.seen_at >= _SEEN_EVERY:
            async with self._database.transaction() as session:
                await sign_ins.see_session(session, signed_in.session.id, now)
        return signed_in

    async def standing(self, person_id: str, session_id: str) -> SignedIn | None:
        """Whose session of this id it is, with the roles of this moment; None where it has ended."""
        async with self._database.reading() as session:
            return await self.standing_in(session, person_id, session_id)

    async def standing_in(
        self, session: AsyncSession, person_id: str, session_id: str, *, locked: bool = False
    ) -> SignedIn | None:
        """As `standing`, in a transaction; nobody ends a `locked` session before that has ended."""
        found = await sign_ins.session_by_id(session, session_id, locked=locked)
        account = await accounts.find(session, person_id)
        signed_in = self._standing(account, found)
        return None if signed_in is None or signed_in.session.person_id != person_id else signed_in

    async def see(self, session: AsyncSession, session_id: str) -> None:
        """Note that an application asked something in a session, as if its person had."""
        await sign_ins.see_session(session, session_id, self._clock.now())

    async def of(self, person_id: str) -> list[Session]:
        """The sessions of a person that have not ended, newest first."""
        now = self._clock.now()
        async with self._database.reading() as session:
            found = await sign_ins.sessions_of(session, person_id)
        return [one for one in found if alive(one, now, self.rules)]

    async def end(
        self, actor: Actor, person_id: str, session_id: str | None = None, *, reason: str | None = None
    ) -> int:
        """End one session of a person, or all; gives how many there were. Nobody else is asked here.

        The record has the `reason` where one is given.
        """
        only = None if session_id is None else [session_id]
        async with self._database.transaction() as session:
            return await self.end_in(session, actor, person_id, only, reason=reason)

    async def end_in(
        self,
        session: AsyncSession,
        actor: Actor,
        person_id: str,
        only: list[str] | None = None,
        *,
        reason: str | None = None,
    ) -> int:
        """As `end`, in a transaction; ends the sign-ins that are under way too."""
        ended = await sign_ins.end_sessions(session, person_id, only=only)
        await self._tell(session, ended)
        if only is None:
            await sign_ins.end_sign_ins(session, person_id)
        if ended:
            detail = {"sessions": ended} | ({} if reason is None else {"reason": reason})
            await record(self._journal, session, actor, "person.sign-out", person_id, detail)
        return len(ended)

    async def forget(self, session: AsyncSession) -> None:
        """End the sessions whose own time is over."""
        now = self._clock.now()
        await self._tell(session, await sign_ins.end_over(session, now=now, idle_since=now - self.rules.idle))

    async def _tell(self, session: AsyncSession, ended: list[str]) -> None:
        if ended:
            for told in self._told:
                await told(session, ended)

    def _standing(self, account: Account | None, found: Session | None) -> SignedIn | None:
        if found is None or account is None or account.state is not AccountState.ACTIVE:
            return None
        if not (alive(found, self._clock.now(), self.rules) and enough(account, found)):
            return None
        return SignedIn(account, found)
