"""Registering clients: the systems of the catalog, and the two clients of this server itself."""

from collections.abc import Collection, Mapping

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from lienthong.identity import repository
from lienthong.identity.domain.clients import ClientChange, RegisteredClient, client_of, describe_change
from lienthong.identity.events import ACTOR, SystemEvent
from lienthong.identity.service.keyring import Keyring
from lienthong.identity.service.successions import Successions
from lienthong.kit.clock import Clock
from lienthong.kit.database import Database
from lienthong.kit.journal import AdminAct, AdminJournal

_log = structlog.get_logger(__name__)


class ClientRegistry:
    """Writes clients. A change, the new version of the state and the audit record are one transaction."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        successions: Successions,
        journal: AdminJournal,
        clock: Clock,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._successions = successions
        self._journal = journal
        self._clock = clock

    async def follow(self, event: SystemEvent) -> bool:
        """Take over what the catalog says about a system, unless a newer event came before.

        So events may come twice and in any order. Returns whether the event was new.
        """
        async with self._database.transaction() as session:
            await repository.lock_version(session)
            known = await repository.find_client(session, event.id)
            if known is not None and known.catalog_version >= event.version:
                return False
            change = await self._save(session, known, client_of(event))
        await self._publish(event.id, change)
        return True

    async def register(self, client: RegisteredClient) -> bool:
        """Register a client of this server itself, or replace its keys. Returns whether anything changed."""
        async with self._database.transaction() as session:
            await repository.lock_version(session)
            known = await repository.find_client(session, client.client_id)
            change = await self._save(session, known, client)
        await self._publish(client.client_id, change)
        return change is not None

    async def find(self, client_id: str) -> RegisteredClient | None:
        """Find a client by its id."""
        async with self._database.reading() as session:
            return await repository.find_client(session, client_id)

    async def systems(
        self, agencies: Collection[str] | None, *, after: str, limit: int
    ) -> list[RegisteredClient]:
        """The systems of these agencies, or of all, after an id, as they are known here.

        Among them are those of the codes for which the agencies stand.
        """
        if agencies is not None:
            codes = dict((await self._successions.of(agencies)).agencies)
            agencies = {code for one in agencies for code in (one, *codes.get(one, ()))}
        async with self._database.reading() as session:
            return await repository.systems(session, agencies, after=after, limit=limit)

    async def behind(self, versions: Mapping[str, int]) -> tuple[list[str], int]:
        """Which systems are unknown, or known only as they were before these versions of the catalog.

        The second value is the greatest version at which any system is known.
        """
        async with self._database.reading() as session:
            # In this order: what is taken over in between must not look passed over.
            newest = await repository.newest_catalog_version(session)
            known = await repository.catalog_versions(session, versions.keys())
        return [one for one, version in versions.items() if known.get(one, -1) < version], newest

    async def database_id(self) -> str:
        """The id of the database: a new database has another one, a restored copy the same."""
        async with self._database.reading() as session:
            return await repository.database_id(session)

    async def _save(
        self, session: AsyncSession, known: RegisteredClient | None, client: RegisteredClient
    ) -> ClientChange | None:
        if known == client:
            return None
        now = self._clock.now()
        await repository.save_client(session, client, now)
        change = describe_change(known, client)
        if change is not None:
            act = AdminAct(ACTOR, change.action, f"Client/{client.client_id}", change.detail)
            await self._journal.add(session, act)
            await repository.raise_version(session, now)
        return change

    async def _publish(self, client_id: str, change: ClientChange | None) -> None:
        if change is not None:
            _log.info("client changed", client=client_id, action=change.action, **change.detail)
            await self._keyring.refresh()


async def read_catalog_again(database: Database, new_database_id: str) -> None:
    """Give the database another id: the next start reads the catalog's events from the first one."""
    async with database.transaction() as session:
        await repository.replace_database_id(session, new_database_id)
