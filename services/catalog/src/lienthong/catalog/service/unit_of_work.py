"""Units of work: a change, its row in the change log, its event and its audit record commit together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from lienthong.catalog import events
from lienthong.catalog.domain.resources import ResourceKind, portions, unknown_resource
from lienthong.catalog.errors import changed_since
from lienthong.catalog.repository import ChangeLogRepository, ResourceRepository
from lienthong.kit.journal import AdminAct
from lienthong.kit.messages import OutboxMessage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession

    from lienthong.catalog.domain.resources import Resource, ResourceKey
    from lienthong.catalog.errors import Made
    from lienthong.catalog.service.versions import VersionMonitor
    from lienthong.kit.actors import Actor
    from lienthong.kit.clock import Clock
    from lienthong.kit.database import Database
    from lienthong.kit.journal import AdminJournal
    from lienthong.kit.outbox import Outbox

    Repositories = Mapping[ResourceKind, type[ResourceRepository[Any]]]


Index = Callable[["UnitOfWork", "Sequence[Resource]", int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What was done to which resource; `detail` holds no secrets and no personal data."""

    action: str
    key: ResourceKey
    detail: dict[str, Any]


class CatalogView:
    """One consistent view of the catalog, at one version and one time."""

    def __init__(
        self, session: AsyncSession, repositories: Repositories, version: int, now: datetime
    ) -> None:
        self.session = session
        self.version = version
        self.now = now
        self._repositories = repositories

    def resources(self, kind: ResourceKind) -> ResourceRepository[Any]:
        """Return the repository of a kind of resource."""
        return self._repositories[kind](self.session)

    async def made(self, versions: Sequence[int]) -> dict[int, Made]:
        """Return who made these versions, and when."""
        found = await ChangeLogRepository(self.session).made(versions)
        unknown = ("?", "?")
        return {version: found.get(version, unknown) for version in versions}

    async def check_version(self, resource: Resource, stated: int | None) -> None:
        """Check that a resource is as the caller has read it, where the caller says what that was.

        Raises:
            ProblemError: `changed-since`, which says who changed it when.
        """
        if stated is not None and stated != resource.version:
            made = await self.made([resource.version])
            raise changed_since(stated, resource.version, made[resource.version])

    async def get(self, key: ResourceKey) -> Any:  # noqa: ANN401 - the class depends on the kind
        """Return one resource, a service with its OpenAPI document.

        Raises:
            ProblemError: `unknown-resource`, there is no such resource.
        """
        kind, resource_id = key
        resource = await self.resources(kind).get(resource_id)
        if resource is None:
            raise unknown_resource(key)
        return resource


class UnitOfWork(CatalogView):
    """A change in progress. It holds the lock on the catalog's version, so versions commit in order."""

    def __init__(
        self,
        session: AsyncSession,
        repositories: Repositories,
        version: int,
        now: datetime,
        actor: Actor,
        outbox: Outbox,
        journal: AdminJournal,
    ) -> None:
        super().__init__(session, repositories, version, now)
        self.actor = actor
        self._outbox = outbox
        self._journal = journal
        self.written: list[Resource] = []
        """What was written of resources, in this order."""

    @override
    def resources(self, kind: ResourceKind) -> ResourceRepository[Any]:
        return self._repositories[kind](self.session, self.written.append)

    def next_version(self) -> int:
        """Take the next version, for one resource: the time in milliseconds, or one more if that is greater.

        So a database that is replaced by an older copy gives no version again that others have (ADR 0035).
        """
        self.version = max(self.version + 1, int(self.now.timestamp() * 1000))
        return self.version

    async def record_changes(self, versions: Mapping[ResourceKey, int]) -> None:
        """Write the change log and the events."""
        log = ChangeLogRepository(self.session)
        await log.add(versions, self.actor.name, self.actor.transaction_id, self.now)
        await self.announce(versions)

    async def announce(self, versions: Mapping[ResourceKey, int]) -> None:
        """Write the events that resources changed at these versions, those of systems with the systems, and
        those of agencies that were merged with the agencies.

        In portions: between two of them other requests get their turn.
        """
        for some in portions(ResourceKind.SYSTEM, list(versions.items())):
            # Read again, because what was written is not all: a system shows the class of its agency.
            ids = [resource_id for (kind, resource_id), _ in some if kind is ResourceKind.SYSTEM]
            systems = await self.resources(ResourceKind.SYSTEM).load(ids)
            codes = [resource_id for (kind, resource_id), _ in some if kind is ResourceKind.AGENCY]
            agencies = await self.resources(ResourceKind.AGENCY).load(codes)
            shown = (*systems.values(), *(one for one in agencies.values() if one.merged_into))
            manifests = {one.key: one.manifest() for one in shown}
            messages = []
            for key, version in some:
                event = events.upserted(version, key[0].value, key[1], manifests.get(key))
                messages.append(OutboxMessage(events.subject(key[0].value), event))
            await self._outbox.add_all(self.session, messages)

    async def publish(self, subject: str, event: bytes) -> None:
        """Leave an event for the bus, which gets it once this is committed."""
        await self._outbox.add_all(self.session, [OutboxMessage(subject, event)])

    async def audit(self, entries: Sequence[AuditEntry]) -> None:
        """Write the audit records of what was done."""
        acts = [
            AdminAct(
                self.actor.name,
                entry.action,
                f"{entry.key[0].value}/{entry.key[1]}",
                self.actor.recorded(entry.detail),
                self.actor.transaction_id,
            )
            for entry in entries
        ]
        await self._journal.add(self.session, *acts, at=self.now)


class UnitsOfWork:
    """Opens units of work and views, and tells the version monitor what was committed.

    `index` brings what a unit of work has written into the index by which it is found; it is given the
    version that the unit began at, too.
    """

    def __init__(
        self,
        db: Database,
        repositories: Repositories,
        outbox: Outbox,
        journal: AdminJournal,
        versions: VersionMonitor,
        clock: Clock,
        *,
        index: Index,
    ) -> None:
        self._db = db
        self._repositories = repositories
        self._outbox = outbox
        self._journal = journal
        self._versions = versions
        self._clock = clock
        self._index = index
        # Only one writer at a time holds the lock on the version; those of this process wait here instead of
        # in the database, so that they hold no connection that a reader could use.
        self._writers = asyncio.Lock()

    @asynccontextmanager
    async def begin(self, actor: Actor) -> AsyncIterator[UnitOfWork]:
        """Open a unit of work: commits at the end of the block, all or nothing, and tells the watches."""
        async with self._writers, self._db.transaction() as session:
            log = ChangeLogRepository(session)
            version = await log.lock_version()
            work = UnitOfWork(
                session, self._repositories, version, self._clock.now(), actor, self._outbox, self._journal
            )
            yield work
            await self._index(work, work.written, version)
            if work.version != version:
                await log.set_version(work.version)
        self._versions.announce(work.version)
        if work.version != version:
            await self._versions.wait_told(work.version)

    @asynccontextmanager
    async def view(self) -> AsyncIterator[CatalogView]:
        """Open a view, through which nothing can be changed."""
        async with self._db.reading() as session:
            version = await ChangeLogRepository(session).version()
            yield CatalogView(session, self._repositories, version, self._clock.now())
