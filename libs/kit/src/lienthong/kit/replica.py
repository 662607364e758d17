"""A live copy of another process's state: one way to follow a gRPC stream.

A process brings a pure function `fold(state, update) -> state`; the replica does the rest: it holds the
stream open, keeps a copy on disk and starts from it, knows when the peer last confirmed the state, says when
it cannot follow and why, and never returns a state as fresh that is older than allowed.

    replica = Replica(Stream("keys", watch, fold_keys, pack_keys, unpack_keys), …)
    replica.load()              # start from the copy on disk
    tasks.create_task(replica.run())
    replica.fresh()             # the state, or None while there is none that is recent enough
"""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import aclosing
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Generic

import structlog

from lienthong.kit.backoff import Backoff
from lienthong.kit.health import Condition, State
from lienthong.kit.metrics.instruments import REPLICA_AGE, REPLICA_FOLLOWING
from lienthong.kit.rpc import STEADY_AFTER_S, follow
from lienthong.kit.stream import StateT, UpdateT, VersionGapError

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable
    from datetime import datetime

    from lienthong.kit.clock import Clock
    from lienthong.kit.metrics.figures import Figures
    from lienthong.kit.replica_copy import DiskCopy
    from lienthong.kit.stream import Stream

SILENCE_S = 10.0
"""Every peer sends a message at least every two seconds; after this many without one it counts as gone."""
LATE_AFTER = timedelta(seconds=6)
"""A state that nothing confirmed for longer is reported as late; peers of version 0.1 speak every five."""
_LOOK_AT_AGE_EVERY_S = 1.0
_SAVE_PAUSE_S = 1.0
_CONFIRM_EVERY_S = 30.0
_LONGEST_PAUSE_BETWEEN_SAVES_S = 30.0
_LONGEST_PAUSE_BEFORE_ALL_S = 5.0

_log = structlog.get_logger(__name__)


class Replica(Generic[StateT, UpdateT]):
    """Follows a stream; `run` it in the background.

    `on_change` is called with each new state, and with None when the state has become older than `max_age`
    because the peer is away, and again with the state when the peer confirms it.
    """

    def __init__(
        self,
        stream: Stream[StateT, UpdateT],
        copy: DiskCopy,
        clock: Clock,
        *,
        max_age: timedelta,
        on_change: Callable[[StateT | None], None] = lambda _state: None,
    ) -> None:
        self._stream = stream
        self._copy = copy
        self._clock = clock
        self._max_age = max_age
        self._on_change = on_change
        self._shown: StateT | None = None
        self._became_fresh = asyncio.Event()
        self._unsaved = asyncio.Event()
        self._saved: tuple[StateT, datetime] | None = None
        self._age_when_noted = timedelta()
        self._confirmed_monotonic = 0.0
        self._parts: StateT | None = None
        self._lost: str | None = None
        self._missed: str | None = None
        self._unusable: str | None = None
        self.state: StateT | None = None
        """The newest state, however old; decide by `fresh()`."""
        self.confirmed: datetime | None = None
        """When the peer last confirmed that this is its state."""

    def fresh(self) -> StateT | None:
        """The state if the peer has confirmed it within `max_age`, else None."""
        age = self.age()
        return self.state if age is not None and age <= self._max_age else None

    def age(self) -> timedelta | None:
        """How long ago the peer confirmed the state; None before the first one.

        By the wall clock or the monotonic one, whichever says more: the former may be set back meanwhile, the
        latter may stand still while the machine sleeps, and neither must keep the state fresh for longer.
        """
        if self.confirmed is None:
            return None
        passed = timedelta(seconds=self._clock.monotonic() - self._confirmed_monotonic)
        return max(self._clock.now() - self.confirmed, self._age_when_noted + passed)

    def _confirm(self, moment: datetime) -> None:
        """Note that the peer confirmed the state at `moment`, now or earlier."""
        self.confirmed = moment
        self._age_when_noted = self._clock.now() - moment
        self._confirmed_monotonic = self._clock.monotonic()

    @property
    def ready(self) -> bool:
        """Whether the state may be used and updates can be."""
        return self.condition().state is not State.FAILED

    def condition(self) -> Condition:
        """How well the peer is followed; a readiness check.

        It has failed while no state is recent enough, and while there is an update that cannot be used: what
        it revokes would go on. It is degraded while the stream is lost or late, or where something in the
        state could not be used.
        """
        age = self.age()
        state, reason = State.DEGRADED, self._lost or self._missed or self._late(age)
        if self._unusable is not None:
            state, reason = State.FAILED, self._unusable
        elif age is None or self.fresh() is None:
            state = State.FAILED
            reason = f"{'nothing was received yet' if age is None else 'the state is too old'}" + (
                f": {reason}" if reason is not None else ""
            )
        elif reason is None:
            reason = self._stream.faults(self.state) if self.state is not None else None
        seconds = None if age is None else round(age.total_seconds(), 3)
        return Condition(State.OK if reason is None else state, reason, {"age_s": seconds})

    def _late(self, age: timedelta | None) -> str | None:
        if age is None or age <= LATE_AFTER:
            return None
        begun = ", a snapshot is being received" if self._parts is not None else ""
        return f"nothing confirmed the state for {age.total_seconds():.0f} s{begun}"

    async def wait_ready(self) -> None:
        """Return as soon as there is a state that is recent enough."""
        await self._became_fresh.wait()

    def show(self, figures: Figures) -> None:
        """Show how long ago the peer confirmed the state, and whether it is followed."""
        name = {"replica": self._stream.name}

        def age() -> list[tuple[float, dict[str, str]]]:
            found = self.age()
            return [(found.total_seconds(), name)] if found is not None else []

        figures.observe_each(REPLICA_AGE, age)
        figures.observe_each(REPLICA_FOLLOWING, lambda: [(int(self.condition().state is State.OK), name)])

    def load(self) -> None:
        """Start from the copy on disk; a copy that cannot be used is logged and ignored."""
        try:
            saved = self._copy.load()
            if saved is None:
                return
            self.state = self._stream.unpack(saved.maps)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the copy, the peer has the truth
            _log.error(
                "copy on disk cannot be used and is ignored",
                replica=self._stream.name,
                path=str(self._copy.path),
                error=str(error),
            )
            return
        now = self._clock.now()
        # A clock that was set back meanwhile must not keep the copy fresh for longer than `max_age`.
        confirmed = min(saved.confirmed, now)
        self._confirm(confirmed)
        self._saved = self.state, saved.confirmed
        if confirmed != saved.confirmed:
            # Left as it is, it would be new again at each further start.
            try:
                self._write(self.state, confirmed)
            except OSError as error:
                self._not_saved(error)
        age = round((now - confirmed).total_seconds(), 1)
        _log.info("copy on disk loaded", replica=self._stream.name, age_s=age, recent_enough=self.ready)
        self.look_at_age()

    async def run(self) -> None:
        """Follow the peer until cancelled; while it is away the last state is used, until it is too old."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._keep_looking_at_age())
                tasks.create_task(self._keep_copy())
                tasks.create_task(self._follow())
        finally:
            # What was revoked in the last second must be revoked after a restart too.
            if self._unsaved.is_set():
                try:
                    self._write(self.state, self.confirmed)
                except OSError as error:
                    self._not_saved(error)
            self._copy.close()

    def take(self, update: UpdateT) -> bool:
        """Apply one update and return whether it could be used. If not, it is logged; the last state is kept.

        Raises:
            VersionGapError: an update was missed.
        """
        try:
            state = self._stream.fold(self._parts if self._parts is not None else self.state, update)
        except VersionGapError:
            raise
        except Exception as error:  # noqa: BLE001 - one bad update must not end the replica
            _log.exception("update cannot be used, the last state is kept", replica=self._stream.name)
            self._unusable = f"an update cannot be used: {type(error).__name__}: {error}"
            return False
        if not self._stream.whole(state):
            self._parts = state
            return True
        self._parts = self._lost = self._missed = self._unusable = None
        self._confirm(self._clock.now())
        if state is not self.state:
            self.state = state
            self._unsaved.set()
        self.look_at_age()
        return True

    def look_at_age(self) -> None:
        """Call `on_change` if what may be used is not what was last shown."""
        fresh = self.fresh()
        if fresh is self._shown:
            return
        if fresh is None:
            _log.error("state is too old and is not used any more", replica=self._stream.name)
            self._became_fresh.clear()
        else:
            self._became_fresh.set()
        self._shown = fresh
        self._on_change(fresh)

    async def save(self) -> bool:
        """Bring the copy on disk up to date, in a thread; return whether that worked. A failure is logged."""
        changed = self._unsaved.is_set()
        self._unsaved.clear()
        work = partial(self._write, self.state, self.confirmed)
        writing = asyncio.get_running_loop().run_in_executor(None, work)
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            # Wait for the thread: later it could overwrite a newer state with this one.
            await asyncio.wait([writing])
            if changed and writing.exception() is not None:
                self._unsaved.set()
            raise
        except OSError as error:
            if changed:
                self._unsaved.set()
            self._not_saved(error)
            return False
        return True

    def _write(self, state: StateT | None, confirmed: datetime | None) -> None:
        if state is None or confirmed is None or self._is_saved(state, confirmed):
            return
        if self._copy.save(self._stream.pack(state), confirmed):
            self._saved = state, confirmed

    def _is_saved(self, state: StateT, confirmed: datetime) -> bool:
        return self._saved is not None and self._saved[0] is state and self._saved[1] == confirmed

    def _not_saved(self, error: OSError) -> None:
        _log.warning(
            "copy on disk not saved", replica=self._stream.name, path=str(self._copy.path), error=str(error)
        )

    async def _follow(self) -> None:
        backoff = Backoff(0.05, _LONGEST_PAUSE_BEFORE_ALL_S)
        time = asyncio.get_running_loop().time
        while True:
            began = time()
            opened = follow(self._open, silence=SILENCE_S, name=self._stream.name, on_lost=self._note_loss)
            try:
                async with aclosing(opened) as updates:
                    async for update in updates:
                        if not self.take(update):
                            break
                        if time() - began >= STEADY_AFTER_S:
                            backoff.reset()
            except VersionGapError as error:
                self._missed = f"updates were missed: {error}"
                _log.warning(
                    "updates were missed, asking for everything",
                    replica=self._stream.name,
                    reason=str(error),
                )
            await backoff.pause()

    def _open(self) -> AsyncIterable[UpdateT]:
        # What was put together of parts until the stream broke is never shown.
        self._parts = None
        known = self._missed is None and self._unusable is None
        return self._stream.watch(self.state if known else None)

    def _note_loss(self, reason: str) -> None:
        self._lost = reason

    async def _keep_copy(self) -> None:
        backoff = Backoff(_SAVE_PAUSE_S, _LONGEST_PAUSE_BETWEEN_SAVES_S)
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_CONFIRM_EVERY_S):
                    await self._unsaved.wait()
            if await self.save():
                backoff.reset()
                await asyncio.sleep(_SAVE_PAUSE_S)
            else:
                await backoff.pause()

    async def _keep_looking_at_age(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_AT_AGE_EVERY_S)
            self.look_at_age()
