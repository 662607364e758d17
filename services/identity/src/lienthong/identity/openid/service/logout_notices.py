"""Telling applications of sessions that have ended (OpenID Connect Back-Channel Logout §2).

Whom to tell is stored in the transaction that ends the session, and deleted when the application has taken
the notice: killed in between, a process loses none, and an application may be told twice. Of several replicas
one takes a notice; if that one is killed, another does half a minute later.
"""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from lienthong.identity.errors import TokenError
from lienthong.identity.events import ACTOR
from lienthong.identity.openid.domain.sign_ons import SignOn
from lienthong.identity.openid.repository import applications, notices
from lienthong.identity.openid.repository.notices import Notice
from lienthong.identity.openid.service.issuing import Issuing
from lienthong.identity.openid.service.posting import NotPostedError, Poster
from lienthong.kit.clock import Clock
from lienthong.kit.database import Database
from lienthong.kit.ids import NewId
from lienthong.kit.journal import AdminAct, AdminJournal

_LEASE: Final = timedelta(seconds=30)
_GIVEN_UP_AFTER: Final = timedelta(hours=1)
_LONGEST_WAIT_S: Final = 300
_POLL_S: Final = 0.5
_NOT_TRIED_AFTER: Final = _GIVEN_UP_AFTER + timedelta(seconds=_LONGEST_WAIT_S)
"""Whatever was tried and is older has missed its last turn: it is given up without another."""
_MOST_AT_ONCE: Final = 50
_MOST_LOOKED_AT: Final = 500
_MOST_OF_ONE: Final = 5
"""Of one application at a time: one that does not answer holds nobody else up."""

_log = structlog.get_logger(__name__)


class LogoutNotices:
    """The notices that applications have not taken yet."""

    def __init__(
        self,
        database: Database,
        issuing: Issuing,
        poster: Poster,
        journal: AdminJournal,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._database = database
        self._issuing = issuing
        self._poster = poster
        self._journal = journal
        self._clock = clock
        self._new_id = new_id
        self._new = asyncio.Event()
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._of: Counter[str] = Counter()

    async def add(self, session: AsyncSession, ended: list[SignOn]) -> None:
        """Store whom to tell of sign-ons that have ended with their sessions, in the transaction of that."""
        now = self._clock.now()
        found: dict[tuple[str, str], Notice] = {}
        for one in ended:
            at = (one.client_id, one.session_id)
            application = None if at in found else await applications.find(session, one.client_id)
            if application is not None and application.logout is not None and one.code_used:
                found[at] = Notice(
                    self._new_id(),
                    one.client_id,
                    application.logout,
                    one.person_id,
                    one.session_id,
                    0,
                    now,
                    now,
                )
        await notices.add(session, list(found.values()))
        if found:
            event.listen(session.sync_session, "after_commit", lambda _: self._new.set(), once=True)

    async def run(self) -> None:
        """Tell applications, for ever; while the database does not answer it goes on trying."""
        failing = False
        try:
            while True:
                self._new.clear()
                try:
                    await self._take()
                    failing = False
                except (SQLAlchemyError, OSError, TimeoutError) as error:
                    if not failing:
                        _log.warning("database not usable", work="logout notices", error=repr(error))
                    failing = True
                try:
                    async with asyncio.timeout(_POLL_S):
                        await self._new.wait()
                except TimeoutError:
                    continue
        finally:
            for task in self._under_way.values():
                task.cancel()
            await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def close(self) -> None:
        """Close the connections."""
        await self._poster.close()

    async def _take(self) -> None:
        now = self._clock.now()
        async with self._database.reading() as session:
            full = [client for client, under_way in self._of.items() if under_way >= _MOST_OF_ONE]
            due = await notices.due(
                session, now, passed_over=full, of_each=_MOST_OF_ONE, limit=_MOST_LOOKED_AT
            )
        chosen = self._chosen(due)
        if not chosen:
            return
        told: list[Notice] = []
        async with self._database.transaction() as session:
            for one in await notices.take(session, chosen, now=now, again_at=now + _LEASE):
                if one.attempts > 1 and now - one.created_at >= _NOT_TRIED_AFTER:
                    await self._give_up(session, one, "its time is over", attempts=one.attempts - 1)
                else:
                    told.append(one)
        # Only now is it certain that they were taken. The database gives them in any order.
        places = {notice_id: place for place, notice_id in enumerate(chosen)}
        for one in sorted(told, key=lambda one: places[one.id]):
            self._of[one.client_id] += 1
            self._under_way[one.id] = asyncio.create_task(self._tell(one), name="logout notice")

    def _chosen(self, due: list[tuple[str, str]]) -> list[str]:
        """Which of these notices to take: those of applications that are being told least come first."""
        of = Counter(self._of)
        placed: list[tuple[int, str]] = []
        for notice_id, client_id in due:
            if notice_id not in self._under_way and of[client_id] < _MOST_OF_ONE:
                placed.append((of[client_id], notice_id))
                of[client_id] += 1
        placed.sort(key=lambda one: one[0])
        return [notice_id for _, notice_id in placed[: max(_MOST_AT_ONCE - len(self._under_way), 0)]]

    async def _tell(self, notice: Notice) -> None:
        try:
            token = self._issuing.logout_token(notice.client_id, notice.person_id, notice.session_id)
            await self._poster.post(notice.address, {"logout_token": token})
        except (NotPostedError, TokenError) as error:
            _log.info("application not told of a logout", client=notice.client_id, why=str(error))
            await self._keep(notice, str(error))
        else:
            await self._done(notice)
        finally:
            self._of[notice.client_id] -= 1
            if not self._of[notice.client_id]:
                del self._of[notice.client_id]
            self._under_way.pop(notice.id, None)
            self._new.set()

    async def _keep(self, notice: Notice, why: str) -> None:
        """Try again later, or give up: that the application does not know is on record then."""
        now = self._clock.now()
        try:
            async with self._database.transaction() as session:
                if now - notice.created_at < _GIVEN_UP_AFTER:
                    wait = min(2**notice.attempts, _LONGEST_WAIT_S)
                    await notices.put_off(session, notice.id, now + timedelta(seconds=wait))
                    return
                await self._give_up(session, notice, why, attempts=notice.attempts)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            _log.warning("logout notice not put off", client=notice.client_id, error=repr(error))

    async def _give_up(self, session: AsyncSession, notice: Notice, why: str, *, attempts: int) -> None:
        await notices.remove(session, notice.id)
        detail = {"session": notice.session_id, "attempts": attempts, "why": why}
        object_ = f"Application/{notice.client_id}"
        await self._journal.add(session, AdminAct(ACTOR, "application.logout-not-taken", object_, detail))

    async def _done(self, notice: Notice) -> None:
        try:
            async with self._database.transaction() as session:
                await notices.remove(session, notice.id)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            # It is told once more after the lease.
            _log.warning("logout notice not deleted", client=notice.client_id, error=repr(error))
