"""Whether the database of a service still has what the ledger says that the service did.

A database that was replaced by an older copy has lost changes that were acknowledged, and its own tables
cannot show it. But the record of each change is in the ledger. So a service asks, every ten seconds, which
records of its own the log has beyond those that it has compared. Each was written in the transaction of its
change, and stays in the outbox or among the retained records (`kit.retained_records`) for a day: what is in
neither, this database has never known (ADR 0032).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import structlog
from sqlalchemy import BigInteger, Column, Integer, String, Table, insert, select, union, update

from lienthong.contracts.audit.v1 import sealing_pb2
from lienthong.contracts.audit.v1.sealing_pb2_grpc import SealingStub
from lienthong.kit.clock import SystemClock
from lienthong.kit.database import Database, UtcDateTime
from lienthong.kit.health import Condition, State
from lienthong.kit.journal import AdminAct, AdminJournal
from lienthong.kit.metrics.instruments import HISTORY_MISSING
from lienthong.kit.outbox import Outbox
from lienthong.kit.text import BilingualText, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    import grpc.aio
    from sqlalchemy import MetaData
    from sqlalchemy.ext.asyncio import AsyncSession

    from lienthong.kit.clock import Clock
    from lienthong.kit.metrics.figures import Figures

_ROW: Final = 1
_SECOND: Final = timedelta(seconds=1)
_PATIENCE_S: Final = 10.0
_END: Final = 2**63 - 1
_LONGEST_REASON: Final = 500
CODE: Final = "database-rolled-back"

_log = structlog.get_logger(__name__)


def history_table(metadata: MetaData, name: str = "history") -> Table:
    """The table, for a component's models and migrations; it has one row.

    All records of this service that the log, signed with the key `log`, has before the entry
    `compared_through` were looked for in this database. NULL: only what comes from now on will be. `missing`
    of them, which happened between two moments, were not there, and nobody has accepted that yet.
    """
    return Table(
        name,
        metadata,
        Column("id", Integer, primary_key=True, autoincrement=False),
        Column("log", String(512), nullable=True),
        Column("compared_through", BigInteger, nullable=True),
        Column("missing", BigInteger, nullable=False),
        Column("missing_from", UtcDateTime, nullable=True),
        Column("missing_to", UtcDateTime, nullable=True),
    )


@dataclass(frozen=True, slots=True)
class HistoryTables:
    """Where a service keeps how far it has compared, and its own records."""

    history: Table
    outbox: Table
    retained: Table


@dataclass(frozen=True, slots=True)
class Gap:
    """So many records of acts are in the log and not in the database; they happened between two moments."""

    missing: int = 0
    since: datetime | None = None
    until: datetime | None = None

    def with_more(self, unknown: Sequence[sealing_pb2.Act]) -> Gap:
        """This gap, and more records that are missing."""
        times = [act.at.ToDatetime(UTC) for act in unknown if act.HasField("at")]
        known = [moment for moment in (self.since, self.until) if moment is not None]
        moments = [*times, *known]
        return Gap(
            self.missing + len(unknown),
            min(moments) if moments else None,
            max(moments) if moments else None,
        )

    @property
    def search(self) -> str:
        """The command that shows them, among the acts of all services at that time."""
        words = ["lienthong audit search --kind admin"]
        if self.since is not None and self.until is not None:
            # Whole seconds around them.
            words.append(f"--from {self.since:%Y-%m-%dT%H:%M:%SZ}")
            words.append(f"--to {self.until + _SECOND:%Y-%m-%dT%H:%M:%SZ}")
        return " ".join(words)


@dataclass(frozen=True, slots=True)
class _Compared:
    """The row."""

    log: str | None
    through: int | None
    gap: Gap


class History:
    """Compares the database with the log; `kit.retained_records` has it compare in each of its rounds."""

    def __init__(
        self, database: Database, tables: HistoryTables, ledger: grpc.aio.Channel, *, service: str
    ) -> None:
        self._database = database
        self._tables = tables
        self._ledger = SealingStub(ledger)
        self._service = service
        self._gap = Gap()
        self._shorter: int | None = None

    def show(self, figures: Figures) -> None:
        """Show how many records are missing."""
        figures.observe(HISTORY_MISSING, lambda: self._gap.missing)

    def condition(self) -> Condition:
        """Whether the database is as new as the log says: never a reason to stop."""
        if self._gap.missing:
            return Condition(State.DEGRADED, f"{CODE}: {self._told()}", {"missing": self._gap.missing})
        if self._shorter is not None:
            return Condition(
                State.DEGRADED,
                f"the ledger has {self._shorter} entries, fewer than this database was compared with:"
                " whether the database is as new as the log is not known until the log has grown again",
            )
        return Condition(State.OK)

    async def look(self) -> None:
        """Read what was found, by this replica or another one."""
        async with self._database.reading() as session:
            row = await _read(session, self._tables.history)
        gap = row.gap if row is not None else Gap()
        if gap.missing > self._gap.missing:
            _log.error(
                "the database is older than the ledger: acknowledged changes are missing in it",
                code=CODE,
                missing=gap.missing,
                since=str(gap.since),
                until=str(gap.until),
                see=gap.search,
                accept=accept_command(self._service),
            )
        self._gap = gap

    async def compare(self) -> None:
        """Look for all records that the log has and that were not looked for yet.

        One replica at a time does. Records that are deleted from the database must have been compared before.

        Raises:
            AioRpcError: the ledger does not answer.
        """
        more = True
        while more:
            async with self._database.reading() as session:
                known = await _read(session, self._tables.history)
            first = 0 if known is None else _END if known.through is None else known.through
            request = sealing_pb2.ListActsRequest(node=self._service, from_index=first)
            answer = await self._ledger.ListActs(request, timeout=_PATIENCE_S)
            more = await self._take(known, answer)
        await self.look()

    async def _take(self, known: _Compared | None, answer: sealing_pb2.ListActsResponse) -> bool:
        """Take in an answer; returns whether there may be more to ask for."""
        log, gap = (known.log, known.gap) if known is not None else (None, Gap())
        if log not in {None, answer.verifier_key}:
            _log.error("another key signs the ledger: what comes from now on is compared", before=log)
            await self._note(known, _Compared(answer.verifier_key, answer.size, gap))
            return False
        through = known.through if known is not None else 0
        if through is not None and answer.size < through:
            if self._shorter is None:
                _log.error("the ledger's log is shorter than it was", entries=answer.size, seen=through)
            self._shorter = answer.size
            return False
        self._shorter = None
        more = answer.looked_through < answer.size
        # Where nothing was found the row stays as it is: a log grows all the time.
        if answer.acts or more or log is None:
            new = _Compared(answer.verifier_key, answer.looked_through, gap)
            if not await self._note(known, new, answer.acts):
                return False
        return more

    async def _note(
        self, known: _Compared | None, new: _Compared, acts: Sequence[sealing_pb2.Act] = ()
    ) -> bool:
        """Write the row, with those of the acts that are unknown here; False if another replica was first."""
        table = self._tables.history
        async with self._database.transaction() as session:
            if await _read(session, table, lock=True) != known:
                return False
            unknown = await self._unknown(session, acts)
            gap = new.gap.with_more(unknown) if unknown else new.gap
            row = {
                "log": new.log,
                "compared_through": new.through,
                "missing": gap.missing,
                "missing_from": gap.since,
                "missing_to": gap.until,
            }
            if known is None:
                await session.execute(insert(table).values(id=_ROW, **row))
            else:
                await session.execute(update(table).where(table.c.id == _ROW).values(**row))
        return True

    async def _unknown(self, session: AsyncSession, acts: Sequence[sealing_pb2.Act]) -> list[sealing_pb2.Act]:
        ids = [act.record_id for act in acts]
        if not ids:
            return []
        outbox, retained = self._tables.outbox.c.message_id, self._tables.retained.c.record_id
        found = union(select(outbox).where(outbox.in_(ids)), select(retained).where(retained.in_(ids)))
        here = set(await session.scalars(found))
        return [act for act in acts if act.record_id not in here]

    def _told(self) -> str:
        gap = self._gap
        return (
            f"this database is older than the ledger, {gap.missing} acknowledged changes of {gap.since} to"
            f" {gap.until} are missing in it. See them: `{gap.search}`. Restore a newer copy, or make them"
            f" again and then accept: `{accept_command(self._service)}`"
        )


def accept_command(service: str) -> str:
    """What an operator types to go on without the missing changes."""
    return f"python -m lienthong.{service} accept-rolled-back --reason WHY"


async def accept(
    url: str, schema: str, tables: HistoryTables, reason: str, *, service: str, clock: Clock | None = None
) -> BilingualText:
    """Accept that changes are missing, and record that; says what was accepted."""
    clock = clock or SystemClock()
    database = Database.open(url, schema=schema)
    table = tables.history
    try:
        async with database.transaction() as session:
            row = await _read(session, table, lock=True)
            if row is None or not row.gap.missing:
                return BilingualText("Nothing is missing.", "Không thiếu thay đổi nào.")
            gap = row.gap
            await AdminJournal(service, Outbox(tables.outbox, clock=clock), clock).add(
                session,
                AdminAct(
                    f"lienthong/{service}",
                    "database.accept",
                    f"Database/{service}",
                    {
                        "missing": gap.missing,
                        "from": str(gap.since),
                        "to": str(gap.until),
                        "reason": shown(reason, _LONGEST_REASON),
                    },
                ),
            )
            none = {"missing": 0, "missing_from": None, "missing_to": None}
            await session.execute(update(table).where(table.c.id == _ROW).values(**none))
    finally:
        await database.close()
    return BilingualText(
        f"Accepted: {gap.missing} changes are missing. They stay in the ledger: {gap.search}",
        f"Đã chấp nhận thiếu {gap.missing} thay đổi. Chúng vẫn còn trong sổ nhật ký: {gap.search}",
    )


async def _read(session: AsyncSession, table: Table, *, lock: bool = False) -> _Compared | None:
    query = select(table).where(table.c.id == _ROW)
    row: Any = (await session.execute(query.with_for_update() if lock else query)).one_or_none()
    if row is None:
        return None
    return _Compared(row.log, row.compared_through, Gap(row.missing, row.missing_from, row.missing_to))
