"""Changes of systems that the bus had taken, and that never came to identity: published again.

A damaged block of the bus's store leaves a hole among changes that are whole, which identity passes over
without noticing. So the catalog asks identity which systems it lacks (ADR 0035).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from lienthong.catalog import events
from lienthong.catalog.domain.missed_changes import MissedChanges
from lienthong.catalog.domain.resources import ResourceKind
from lienthong.catalog.service.lost_events import AT_ONCE, SYSTEM_SUBJECT
from lienthong.contracts.identity.v1.systems_pb2 import CheckRequest, SystemVersion
from lienthong.contracts.identity.v1.systems_pb2_grpc import SystemsStub
from lienthong.kit.actors import Actor
from lienthong.kit.lost_records import LOST_AFTER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    import grpc.aio

    from lienthong.catalog.service.unit_of_work import UnitsOfWork
    from lienthong.kit.bus import Bus
    from lienthong.kit.clock import Clock
    from lienthong.kit.database import Database
    from lienthong.kit.ids import NewId
    from lienthong.kit.outbox import Outbox

_ASKED_AT_ONCE: Final = 1000
_PATIENCE_S: Final = 10.0

_log = structlog.get_logger(__name__)


class MissedSystems:
    """Asks identity, and leaves in the outbox what it lacks; of several replicas one at a time does."""

    def __init__(
        self,
        db: Database,
        units: UnitsOfWork,
        outbox: Outbox,
        bus: Bus,
        identity: grpc.aio.Channel,
        clock: Clock,
        new_id: NewId,
        *,
        lost_after: timedelta = LOST_AFTER,
    ) -> None:
        self._db = db
        self._units = units
        self._outbox = outbox
        self._bus = bus
        self._identity = SystemsStub(identity)
        self._clock = clock
        self._new_id = new_id
        self._changes = MissedChanges(lost_after)

    async def publish_again(self) -> int:
        """Ask once; leave an event for each system whose last change is lost, and return for how many.

        An event shows the system as it is now. While other events of systems wait for the bus, nobody can
        say what is lost.

        Raises:
            AioRpcError: identity does not answer.
        """
        async with self._db.exclusive("missed systems") as mine:
            if not mine or not self._bus.connected:
                self._changes.forget()
                return 0
            if await self._waits():
                return 0
            behind, newest = await self._behind()
            lost = self._changes.note(behind, newest, self._clock.monotonic())
            if lost:
                _log.error(
                    "identity lacks changes of systems that the bus had taken, they are published again",
                    systems=len(lost),
                )
                await self._announce(list(lost.items()))
            return len(lost)

    async def _waits(self) -> bool:
        async with self._units.view() as view:
            return await self._outbox.oldest(view.session, SYSTEM_SUBJECT) is not None

    async def _behind(self) -> tuple[dict[str, int], int]:
        """The systems that identity lacks, at which version, and the newest version that it had before."""
        behind: dict[str, int] = {}
        newest: int | None = None
        after = 0
        while True:
            async with self._units.view() as view:
                systems = view.resources(ResourceKind.SYSTEM)
                some = dict(await systems.versions_between(after, None, _ASKED_AT_ONCE))
            if not some:
                return behind, newest or 0
            asked = [SystemVersion(id=system, version=version) for system, version in some.items()]
            answer = await self._identity.Check(
                CheckRequest(node=events.SERVICE, systems=asked), timeout=_PATIENCE_S
            )
            behind |= {system: some[system] for system in answer.behind_ids}
            newest = answer.newest_version if newest is None else newest
            after = max(some.values())

    async def _announce(self, lost: Sequence[tuple[str, int]]) -> None:
        """Leave the events of these systems and versions, and behind them that of the newest system.

        For on a new connection the stream's last event says which are missing after it.
        """
        for first in range(0, len(lost), AT_ONCE):
            versions = dict(lost[first : first + AT_ONCE])
            some = list(versions)
            async with self._units.begin(Actor(events.SERVICE, transaction_id=self._new_id())) as work:
                newest = await work.resources(ResourceKind.SYSTEM).newest()
                if newest is not None and first + AT_ONCE >= len(lost):
                    # Taken out first: a member that is there keeps its place.
                    versions.pop(newest[0], None)
                    versions[newest[0]] = newest[1]
                await work.announce(
                    {(ResourceKind.SYSTEM, one): version for one, version in versions.items()}
                )
            for system in some:
                self._changes.published(system, self._clock.monotonic())
