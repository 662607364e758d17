"""People of agencies that were merged: they belong to the other one, and have their roles there."""

from sqlalchemy.ext.asyncio import AsyncSession

from lienthong.identity import repository
from lienthong.identity.domain.successions import final
from lienthong.identity.events import AgencyEvent, SystemEvent
from lienthong.identity.people.repository import accounts
from lienthong.identity.people.service.recording import IDENTITY, record
from lienthong.identity.service.keyring import Keyring
from lienthong.kit.clock import Clock
from lienthong.kit.database import Database
from lienthong.kit.journal import AdminJournal


class Mergers:
    """Takes over what the catalog tells of mergers; several replicas may do so at once."""

    def __init__(self, database: Database, keyring: Keyring, journal: AdminJournal, clock: Clock) -> None:
        self._database = database
        self._keyring = keyring
        self._journal = journal
        self._clock = clock

    async def follow_agency(self, event: AgencyEvent) -> bool:
        """Take over what the catalog says about an agency; whether a merger of it is new.

        So events may come twice and in any order.
        """
        if event.resource is None or event.resource.merged_into is None:
            return False
        return await self._merged(event.id, event.resource.merged_into, event.version)

    async def follow_system(self, event: SystemEvent) -> bool:
        """Take over that a system has another agency than that of its id: that one was merged, which the bus
        may have lost the event of."""
        agency = event.id.partition("/")[0]
        if event.resource is None or event.resource.agency in {None, agency}:
            return False
        return await self._merged(agency, str(event.resource.agency), event.version)

    async def move_left(self) -> int:
        """Move people who came to an agency after it was merged; gives how many."""
        async with self._database.transaction() as session:
            known = await repository.successors(session)
            return sum([await self._move(session, code, final(code, known)) for code in known])

    async def _merged(self, code: str, successor: str, version: int) -> bool:
        async with self._database.transaction() as session:
            await repository.lock_version(session)
            if await repository.succession_version(session, code) >= version:
                return False
            await repository.save_succession(session, code, successor, version)
            await self._move(session, code, final(code, await repository.successors(session)))
            await repository.raise_version(session, self._clock.now())
        await self._keyring.refresh()
        return True

    async def _move(self, session: AsyncSession, code: str, agency: str) -> int:
        moved = await accounts.move(session, code, agency)
        for person_id, roles in moved.items():
            detail = {"from": code, "to": agency, "roles": roles}
            await record(self._journal, session, IDENTITY, "person.move", person_id, detail)
        return len(moved)
