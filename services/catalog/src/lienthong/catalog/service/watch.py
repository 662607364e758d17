"""What watches are sent: the whole catalog page by page, and what changed after a version.

Each page is read in a transaction of its own, so that a slow watch holds none. A page may therefore be newer
than the one before. What changed since the first page is read at the end, page by page again, until there is
nothing more: only then do all pages together show one version.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from lienthong.catalog.domain.resources import ResourceKind
from lienthong.catalog.repository import ChangeLogRepository

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from lienthong.catalog.domain.resources import ResourceKey, Watched, WatchScope
    from lienthong.catalog.repository import Change
    from lienthong.catalog.service.unit_of_work import UnitsOfWork

    Heard: TypeAlias = tuple[int, int | None]
    _Reading: TypeAlias = tuple["Position", WatchScope, Heard]

PAGE = 500
"""Rows read at a time, of large ones fewer."""
_WEIGHTS = {
    ResourceKind.AGENCY: 1,
    ResourceKind.SYSTEM: 4,
    ResourceKind.SERVICE: 20,
    ResourceKind.EVENT_TYPE: 10,
    ResourceKind.AGREEMENT: 1,
}
"""For how many rows one counts. The largest keys of a system have 20 KiB, operations of a service 300, the
schema of an event type 64: a page of them takes some ten MiB of memory."""
_PAGES = {ResourceKind.AGREEMENT: 8}
"""As how many pages one of a snapshot counts: of a million agreements, the rows of each are bounded by their
size as well, and to begin and end a transaction costs as much as to read hundreds of them."""
MOST_CHANGES = 100_000
"""A watch that is further behind gets everything: that is less than reading each change."""


@dataclass(frozen=True, slots=True)
class Position:
    """A version of the catalog; `mark` tells it from one of the same number in another history."""

    version: int
    mark: str


class HistoryChangedError(Exception):
    """The database was restored, or a standby that lacked the last changes took over: send everything."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Resources as they are now, and those that watches are not sent (any more).

    `position` is the version that everything sent up to here shows; None when more changes follow.
    """

    upserts: Sequence[Watched]
    removals: Sequence[ResourceKey]
    position: Position | None


class WatchService:
    """Reads the catalog for watches."""

    def __init__(self, units: UnitsOfWork, *, page: int = PAGE, most_changes: int = MOST_CHANGES) -> None:
        self._units = units
        self._page = page
        self._most_changes = most_changes
        self._readings: dict[_Reading, asyncio.Task[tuple[Position, Changes]]] = {}

    async def position(self) -> Position:
        """Return the version of the catalog."""
        async with self._units.view() as view:
            return Position(view.version, await ChangeLogRepository(view.session).mark(view.version))

    async def continues_from(self, known: Position) -> bool:
        """Tell whether a watch that has a version can be sent what changed since, instead of everything."""
        if known.mark == "":
            return False
        async with self._units.view() as view:
            log = ChangeLogRepository(view.session)
            return known.version <= view.version and not await log.has_more_changes(
                known.version, self._most_changes
            )

    async def everything(self, scope: WatchScope) -> AsyncIterator[Sequence[Watched]]:
        """Yield all resources, in pages that may show different versions."""
        for kind in scope.kinds:
            after: str | None = ""
            while after is not None:
                async with self._units.view() as view:
                    limit = max(self._page * _PAGES.get(kind, 1) // _WEIGHTS[kind], 1)
                    page, after = await view.resources(kind).watched_page(after, limit, scope)
                yield page

    async def changes_since(
        self, known: Position, scope: WatchScope, heard: Heard | None
    ) -> AsyncIterator[Changes]:
        """Yield what changed after a version, in pages; the last one tells the version that was reached.

        Watches that have the same wake up together: what they are sent is read once for all of them. What is
        being read holds what was committed before it began, so it is shared by those alone who have `heard`
        the same: the epoch and the version (`VersionMonitor`). None shares nothing: what closes a snapshot
        must begin after the snapshot's pages were read, or it tells less than they show.

        Raises:
            HistoryChangedError: the catalog has never been what the version says.
        """
        read, position = known, None
        while position is None:
            if heard is None:
                read, changes = await self._read_changes(read, scope)
            else:
                read, changes = await self._read_together(read, scope, heard)
            position = changes.position
            yield changes

    async def _read_together(
        self, known: Position, scope: WatchScope, heard: Heard
    ) -> tuple[Position, Changes]:
        key = known, scope, heard
        reading = self._readings.get(key)
        if reading is None:
            reading = self._readings[key] = asyncio.create_task(
                self._read_changes(known, scope), name="changes for watches"
            )
            reading.add_done_callback(partial(self._ended, key))
        return await asyncio.shield(reading)

    def _ended(self, key: _Reading, task: asyncio.Task[tuple[Position, Changes]]) -> None:
        del self._readings[key]
        if not task.cancelled():
            # Whoever waits for it is told; perhaps nobody does any more.
            task.exception()

    async def _read_changes(self, known: Position, scope: WatchScope) -> tuple[Position, Changes]:
        """Read a page of what changed after a version; up to which version it tells comes first."""
        read, position = known, None
        async with self._units.view() as view:
            rows = await ChangeLogRepository(view.session).changes_from(read.version, self._page + 1)
            if view.version < read.version or read.mark != _mark(rows, read.version):
                raise HistoryChangedError
            following = [row for row in rows if row.version > read.version]
            changed = self._fitting(following, scope)
            if changed:
                read = Position(changed[-1].version, changed[-1].transaction_id)
            if len(rows) <= self._page and len(changed) == len(following):
                position = Position(view.version, _mark(rows, view.version))
            keys = {row.key for row in changed if row.key[0] in scope.kinds}
            upserts: list[Watched] = []
            for kind in scope.kinds:
                ids = [resource_id for of, resource_id in keys if of is kind]
                upserts += await view.resources(kind).watched(ids, scope)
        return read, Changes(upserts, sorted(keys - {resource.key for resource in upserts}), position)

    def _fitting(self, changes: Sequence[Change], scope: WatchScope) -> Sequence[Change]:
        """Return the first changes, as many as fit into a page, one at least."""
        room = self._page
        for number, change in enumerate(changes):
            room -= _WEIGHTS[change.key[0]] if change.key[0] in scope.kinds else 1
            if room < 0 and number > 0:
                return changes[:number]
        return changes


def _mark(rows: Sequence[Change], version: int) -> str:
    """The transaction that made a version, if it is that of the first or last row; the first has none."""
    return next((row.transaction_id for row in (*rows[:1], *rows[-1:]) if row.version == version), "")
