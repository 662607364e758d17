"""One unit of work: the change, its row in the change log, its event and its audit record commit together."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lienthong.catalog import events
from lienthong.catalog.kinds import Kind
from lienthong.catalog.repository import Repository
from lienthong.kit.outbox import OutboxMessage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession

    from lienthong.catalog.feed import Feed
    from lienthong.catalog.kinds import Key
    from lienthong.catalog.resources import Resource
    from lienthong.kit.clock import Clock
    from lienthong.kit.database import Database
    from lienthong.kit.ids import NewId
    from lienthong.kit.outbox import Outbox


@dataclass(frozen=True, slots=True)
class Author:
    """Who asks for a change, and in which request."""

    client_id: str
    transaction_id: str


@dataclass(frozen=True, slots=True)
class Act:
    """What was done to what, for the audit; `detail` holds no secrets and no personal data."""

    action: str
    key: Key
    detail: dict[str, Any]


class Change:
    """A change under way. It holds the catalog's head, so versions are committed in their order."""

    def __init__(
        self,
        session: AsyncSession,
        version: int,
        now: datetime,
        author: Author,
        outbox: Outbox,
        new_id: NewId,
    ) -> None:
        self.repository = Repository(session)
        self.version = version
        self.now = now
        self.author = author
        self._session = session
        self._outbox = outbox
        self._new_id = new_id

    def next_version(self) -> int:
        """Take the next version, for one resource."""
        self.version += 1
        return self.version

    async def log(self, versions: Mapping[Key, int]) -> None:
        """Write the change log's rows, and the events with the resources as they now are.

        They are read again, because what was written is not all: a service shows the status of its system, a
        system the class of its agency.
        """
        now: dict[Key, Resource] = {}
        for kind in Kind:
            ids = [identity for of, identity in versions if of is kind]
            now |= await self.repository.load(kind, ids, decisions=True)
        author = self.author
        await self.repository.add_changes(versions, author.client_id, author.transaction_id, self.now)
        await self._outbox.add_all(
            self._session,
            [
                OutboxMessage(key[0].subject, events.upserted(version, now[key]))
                for key, version in versions.items()
            ],
        )

    async def audit(self, acts: Sequence[Act]) -> None:
        """Write the audit records of what was done."""
        messages = []
        for act in acts:
            record_id = self._new_id()
            record = events.admin(record_id, self.author, self.now, act.action, act.key, act.detail)
            messages.append(OutboxMessage(events.JOURNAL, record, record_id))
        await self._outbox.add_all(self._session, messages)


class Changes:
    """Opens changes and tells the feed what was committed."""

    def __init__(self, db: Database, outbox: Outbox, feed: Feed, clock: Clock, new_id: NewId) -> None:
        self._db = db
        self._outbox = outbox
        self._feed = feed
        self._clock = clock
        self._new_id = new_id
        # The head is locked by one writer at a time anyway; those of this process wait here instead, where
        # they hold no connection that a watcher could need.
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def begin(self, author: Author) -> AsyncIterator[Change]:
        """Do a change: commits at the end of the block, all or nothing."""
        async with self._turn, self._db.transaction() as session:
            head = await Repository(session).lock_head()
            change = Change(session, head, self._clock.now(), author, self._outbox, self._new_id)
            yield change
            if change.version != head:
                await change.repository.set_head(change.version)
        self._feed.announce(change.version)

    @asynccontextmanager
    async def rehearse(self) -> AsyncIterator[tuple[Repository, int, datetime]]:
        """Look at the catalog as a change would: its repository, version and the time. Nothing can change."""
        async with self._db.reading() as session:
            repository = Repository(session)
            yield repository, await repository.head(), self._clock.now()
