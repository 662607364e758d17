"""Retained records are released when the ledger has sealed them, and published again when they were lost.

What the bus said of a batch counts for nothing here: its store may have been lost or rolled back since. The
ledger says what is in the log, under a checkpoint that has to continue the one seen last (`seen_log`).
"""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import structlog

from lienthong.gateway.journal.batches import Damage
from lienthong.gateway.journal.claims import MOST_TOGETHER, Claim, LedgerUnavailableError, State
from lienthong.gateway.journal.seen_log import LogRefusedError
from lienthong.kit.bus import BusError
from lienthong.kit.clock import SteadyTime
from lienthong.kit.health import Condition
from lienthong.kit.health import State as Health
from lienthong.kit.lost_records import LOST_AFTER, ask_every_s

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from lienthong.gateway.journal.batches import Batch
    from lienthong.gateway.journal.beside import Beside
    from lienthong.gateway.journal.claims import Ledger, LedgerAnswer
    from lienthong.gateway.journal.kept import KeptSegment
    from lienthong.gateway.journal.retained import Retained
    from lienthong.gateway.journal.seen_log import SeenLog
    from lienthong.kit.clock import Clock
    from lienthong.tlog import SeenCheckpoint

_FILE_FOR: Final = timedelta(minutes=10)
"""How long one file is written to, when it does not fill up before."""
_SMALL_FILE_FOR: Final = timedelta(hours=1)
"""Likewise, of a file into which next to nothing is written."""
_ASK_SOONER_S: Final = 2.0
_MUCH: Final = 0.5
_SYNC_EVERY_S: Final = 1.0
_ROOM_EVERY: Final = 5
_LATE: Final = timedelta(minutes=15)

_log = structlog.get_logger(__name__)


class Release:
    """Asks the ledger, releases, and publishes again; `run` it in the background.

    `publish` publishes a batch under a new id: the bus may hold its old one for a duplicate. `lost_after` is
    for `kit.lost_records`.
    """

    def __init__(
        self,
        retained: Retained,
        beside: Beside,
        ledger: Ledger,
        seen_log: SeenLog,
        *,
        publish: Callable[[Batch], Awaitable[None]],
        clock: Clock,
        lost_after: timedelta = LOST_AFTER,
    ) -> None:
        self._retained = retained
        self._beside = beside
        self._ledger = ledger
        self._seen_log = seen_log
        self._publish = publish
        # Not the spool's thread: a call may wait for that.
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="retained")
        self._clock = clock
        self._lost_after = lost_after
        self._ask_every_s = ask_every_s(lost_after)
        # Set forward, the wall clock would have all sealed files deleted at once.
        self._steady = SteadyTime(clock)
        self._refused: str | None = None
        # Whether there was a checkpoint at the last look; None before the first.
        self._seen_before: bool | None = None
        self._different = 0
        # Batches asked about in a row in this round of which none is sealed.
        self._fruitless = 0
        self.republished = 0
        """How many batches were lost on the way and published again."""

    def continues(self) -> bool:
        """Whether the ledger shows a log that continues the one seen last."""
        return self._refused is None

    def age(self) -> timedelta:
        """For how long the oldest batch that was asked about has waited for the ledger."""
        waiting = [
            claim.published for kept in list(self._retained.kept) for claim in list(kept.pending.values())
        ]
        return max(self._clock.now() - min(waiting), timedelta()) if waiting else timedelta()

    def condition(self) -> Condition:
        """How well records are retained and released, for the readiness check: never a reason to stop."""
        retained, late = self._retained, self.age()
        found = (
            (self._refused is not None, self._refused),
            (self._beside.failure is not None, f"records are not retained on disk: {self._beside.failure}"),
            (
                retained.dropped,
                f"{retained.dropped} files of retained records were deleted unsealed: no room",
            ),
            (retained.damaged, f"{retained.damaged} damaged files of retained records are kept aside"),
            (self._different, f"the ledger has something else in the place of {self._different} batches"),
            (late > _LATE, f"records have waited for the ledger for {late.total_seconds():.0f} s"),
        )
        reasons = [str(reason) for holds, reason in found if holds]
        return Condition(Health.DEGRADED, "; ".join(reasons)) if reasons else Condition(Health.OK)

    async def run(self) -> None:
        """Sync, make room, ask and publish, until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._look_after_the_disk())
                tasks.create_task(self._ask_for_ever())
        finally:
            # The files are closed next: nothing may read them any more, unless the disk hangs.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_SYNC_EVERY_S):
                    await asyncio.to_thread(self._disk.shutdown)

    async def _look_after_the_disk(self) -> None:
        turn = 0
        while True:
            try:
                await self._on_disk(self._retained.sync)
                if turn % _ROOM_EVERY == 0:
                    await self._on_disk(lambda: self._retained.make_room(self._steady.now()))
            except OSError as error:
                _log.error("retained records cannot be looked after", error=str(error))
            turn += 1
            await asyncio.sleep(_SYNC_EVERY_S)

    async def _ask_for_ever(self) -> None:
        while True:
            try:
                await self.round()
            except (LedgerUnavailableError, BusError, OSError) as error:
                _log.debug("retained records wait", error=str(error))
            much = self._retained.size > self._retained.max_bytes * _MUCH
            await asyncio.sleep(min(_ASK_SOONER_S, self._ask_every_s) if much else self._ask_every_s)

    async def round(self) -> None:
        """Ask about all that is not sealed, oldest first, up to what the ledger cannot have yet.

        Raises:
            LedgerUnavailableError: the ledger does not answer.
            BusError: the bus does not take what has to be published again.
            OSError: the disk does not do what it should.
        """
        now = self._clock.now()
        await self._on_disk(
            lambda: self._retained.end_older_than(now - _FILE_FOR, small=now - _SMALL_FILE_FOR)
        )
        seen = await self._load_seen()
        await self._on_disk(lambda: self._retained.adopt_orphans(now))
        # Also when nothing waits: what was sealed may be gone.
        await self._judge(await self._ledger.check([], seen.size if seen is not None else 0), seen)
        if self.continues():
            for kept in [kept for kept in self._retained.kept if not kept.proved]:
                kept.look_again()
        self._fruitless = 0
        for kept in list(self._retained.kept):
            if not await self._ask_about(kept, seen):
                return

    async def _load_seen(self) -> SeenCheckpoint | None:
        try:
            seen: SeenCheckpoint | None = await self._on_disk(self._seen_log.load)
        except LogRefusedError:
            # As long as the file is there no answer is accepted, see `_judge`.
            return None
        if seen is None and self._seen_before is None:
            # What the process before released may be in another log.
            await self._on_disk(self._retained.unseal)
        elif seen is None and self._seen_before:
            await self._on_disk(self._retained.ask_again)
        self._seen_before = seen is not None
        return seen

    async def _ask_about(self, kept: KeptSegment, seen: SeenCheckpoint | None) -> bool:
        """Ask about a file; False when the ledger has not come so far yet."""
        due = list(kept.pending.values())
        while due or (due := await self._more(kept)):
            asked, due = due[:MOST_TOGETHER], due[MOST_TOGETHER:]
            answer = await self._ledger.check(asked, seen.size if seen is not None else 0)
            await self._judge(answer, seen)
            before = self.republished
            waits = [
                await self._settle(kept, claim, state, answer.read_through)
                for claim, state in zip(asked, answer.states, strict=True)
            ]
            if self.republished > before:
                _log.warning(
                    "records that the bus acknowledged are not in the ledger, they were published again",
                    batches=self.republished - before,
                    file=kept.segment.path.name,
                )
            self._fruitless = 0 if State.SEALED in answer.states else self._fruitless + len(asked)
            # One batch alone may wait for another reason, and must not hold up those behind it.
            if any(waits) and self._fruitless >= MOST_TOGETHER:
                return False
        if kept.done:
            await self._on_disk(lambda: self._retained.seal(kept, self._steady.now()))
        return True

    async def _more(self, kept: KeptSegment) -> list[Claim]:
        # A file of which nothing waits is looked at in any case: others may be full of what never is sealed.
        room = self._retained.room_for_claims() if kept.pending else MOST_TOGETHER
        most = min(room, MOST_TOGETHER)
        if not most:
            return []
        found: Sequence[Claim | Damage] = await self._on_disk(lambda: list(kept.look(most)))
        for damage in found:
            if isinstance(damage, Damage):
                await self._note_damage(kept, damage)
        return [item for item in found if isinstance(item, Claim)]

    async def _note_damage(self, kept: KeptSegment, damage: Damage) -> None:
        where = {"file": kept.segment.path.name, "offset": damage.offset, "bytes": damage.length}
        if damage.torn:
            _log.warning("the end of a file of retained records was cut off while it was written", **where)
            return
        aside = await self._on_disk(lambda: self._retained.keep_aside(kept))
        _log.error("retained records are damaged, the file is kept", **where, kept=str(aside))

    async def _judge(self, answer: LedgerAnswer, seen: SeenCheckpoint | None) -> None:
        """Take the log that the ledger shows for the one seen before, or not."""
        try:
            await self._on_disk(lambda: self._seen_log.accept(answer, seen))
        except LogRefusedError as error:
            if self._refused is None:
                _log.error(
                    "the ledger's log is not the one seen before: no record is released",
                    why=str(error),
                    file=str(self._seen_log.path),
                )
                # Also what was sealed may be gone.
                await self._on_disk(self._retained.ask_again)
            self._refused = str(error)
        else:
            if self._refused is not None:
                _log.warning("the ledger's log continues the one seen before again")
            self._refused, self._seen_before = None, True

    async def _settle(
        self, kept: KeptSegment, claim: Claim, state: State, read_through: datetime | None
    ) -> bool:
        """Do what the ledger's answer asks for; whether the batch may simply not have come so far yet."""
        if state is State.SEALED:
            kept.pending.pop(claim.offset, None)
            kept.proved = kept.proved and self.continues()
            return False
        if state is State.DIFFERENT and claim.repeats:
            return False
        if not claim.lost(read_through, self._clock, self._lost_after):
            return not claim.repeats
        batch: Batch | Damage = await self._on_disk(lambda: kept.batch_of(claim))
        if isinstance(batch, Damage):
            kept.pending.pop(claim.offset, None)
            await self._note_damage(kept, batch)
            return False
        if state is State.DIFFERENT:
            self._different += 1
            _log.error("the ledger has something else in the place of a batch", batch=batch.id)
        await self._publish(batch)
        claim.published_again(self._clock)
        self.republished += 1
        return False

    async def _on_disk(self, work: Callable[[], Any]) -> Any:  # noqa: ANN401  whatever the work returns
        return await asyncio.get_running_loop().run_in_executor(self._disk, work)
