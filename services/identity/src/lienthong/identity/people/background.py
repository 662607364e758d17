"""Timers of accounts: idle ones are locked, what has ended by itself is forgotten, and who came to an agency
after it was merged is moved. And whom the catalog tells of systems and mergers."""

from typing import Final, TypeAlias

from lienthong.identity.background.catalog_consumer import CatalogConsumer
from lienthong.identity.background.timers import every
from lienthong.identity.events import AGENCIES, SUBJECT, AgencyEvent, SystemEvent
from lienthong.identity.people.service.mergers import Mergers
from lienthong.identity.people.service.upkeep import Upkeep
from lienthong.identity.service.clients import ClientRegistry
from lienthong.kit.bus import Bus

Followers: TypeAlias = tuple[CatalogConsumer[SystemEvent], CatalogConsumer[AgencyEvent]]

LOCK_EVERY: Final = 3600.0
FORGET_EVERY: Final = 300.0


class AccountTimers:
    """The loops. While the database does not answer they go on trying; any other error ends the process."""

    def __init__(self, upkeep: Upkeep, mergers: Mergers) -> None:
        self._upkeep = upkeep
        self._mergers = mergers

    async def lock_idle(self) -> None:
        """Lock accounts that nobody has used for too long; a sign-in on one is refused before that."""
        await every(LOCK_EVERY, "idle accounts", self._upkeep.lock_idle)

    async def forget(self) -> None:
        """Forget what has ended by itself."""
        await every(FORGET_EVERY, "ended sessions", self._upkeep.forget)

    async def move_left(self) -> None:
        """Move people who came to an agency at the moment when it was merged."""
        await every(FORGET_EVERY, "people of merged agencies", self._mergers.move_left)


def catalog_followers(bus: Bus, registry: ClientRegistry, mergers: Mergers) -> Followers:
    """What follows the catalog: systems become clients, and mergers move people."""

    async def system(event: SystemEvent) -> bool:
        merged = await mergers.follow_system(event)
        return await registry.follow(event) or merged

    async def of_systems() -> str:
        return f"identity-{await registry.database_id()}"

    async def of_agencies() -> str:
        return f"identity-agencies-{await registry.database_id()}"

    return (
        CatalogConsumer(bus, SUBJECT, SystemEvent, system, of_systems),
        CatalogConsumer(bus, AGENCIES, AgencyEvent, mergers.follow_agency, of_agencies),
    )
