"""What is done to accounts with time: idle ones are locked, and what has ended by itself is forgotten."""

from dataclasses import replace
from typing import Final

from lienthong.identity.people.domain.accounts import AccountRules, AccountState
from lienthong.identity.people.domain.attempts import FOR_AN_ACCOUNT, FOR_AN_ADDRESS
from lienthong.identity.people.repository import accounts, sign_ins, upstream
from lienthong.identity.people.service.recording import IDENTITY, record
from lienthong.identity.people.service.sessions import Sessions
from lienthong.kit.clock import Clock
from lienthong.kit.database import Database
from lienthong.kit.journal import AdminJournal

_AT_ONCE: Final = 50


class Upkeep:
    """Looks after accounts; several replicas may do so at once."""

    def __init__(
        self,
        database: Database,
        sessions: Sessions,
        journal: AdminJournal,
        clock: Clock,
        rules: AccountRules,
    ) -> None:
        self._database = database
        self._sessions = sessions
        self._journal = journal
        self._clock = clock
        self._rules = rules

    async def lock_idle(self) -> int:
        """Lock the accounts that nobody has used for too long; gives how many."""
        locked = 0
        while some := await self._lock_some():
            locked += some
        return locked

    async def forget(self) -> None:
        """Delete what has ended by itself: links, sign-ins, sessions, devices, old failures."""
        now = self._clock.now()
        kept = max(FOR_AN_ACCOUNT.forgotten_after, FOR_AN_ADDRESS.forgotten_after)
        async with self._database.transaction() as session:
            await accounts.forget_links(session, now)
            await sign_ins.forget(session, now=now, tried_before=now - kept)
            await upstream.forget_attempts(session, now)
            await self._sessions.forget(session)

    async def _lock_some(self) -> int:
        async with self._database.transaction() as session:
            before = self._clock.now() - self._rules.idle
            idle = await accounts.idle(session, used_before=before, limit=_AT_ONCE)
            for account in idle:
                await accounts.save(session, replace(account, state=AccountState.LOCKED))
                await self._sessions.end_in(session, IDENTITY, account.id)
                await accounts.drop_link(session, account.id)
                await record(self._journal, session, IDENTITY, "person.lock", account.id, {"reason": "idle"})
        return len(idle)
