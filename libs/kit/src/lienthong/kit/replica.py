"""A live copy of another process's state: one way to follow a gRPC stream.

A process brings a pure function `fold(state, update) -> state`; the replica does the rest: it holds the
stream open, keeps a copy on disk and starts from it, knows when the peer last confirmed the state, and never
returns a state as fresh that is older than allowed.

    replica = Replica(Stream("keys", watch, fold_keys, as_update, keys_pb2.WatchResponse.FromString), …)
    replica.load()              # start from the copy on disk
    tasks.create_task(replica.run())
    replica.fresh()             # the state, or None while there is none that is recent enough
"""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

import structlog
from opentelemetry import metrics

from lienthong.kit.backoff import Backoff
from lienthong.kit.metrics.instruments import REPLICA_AGE
from lienthong.kit.rpc import follow

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable, Iterable
    from datetime import datetime

    from google.protobuf.message import Message
    from opentelemetry.metrics import CallbackOptions

    from lienthong.kit.clock import Clock
    from lienthong.kit.replica_copy import DiskCopy, Fingerprint

StateT = TypeVar("StateT")
UpdateT = TypeVar("UpdateT", bound="Message")

SILENCE_S = 15.0
"""Every peer sends a message at least every five seconds; after this many without one it counts as gone."""
_LOOK_AT_AGE_EVERY_S = 1.0
_SAVE_PAUSE_S = 1.0
_CONFIRM_EVERY_S = 30.0
_LONGEST_PAUSE_BETWEEN_SAVES_S = 30.0
_STEADY_AFTER_S = 1.0
"""A stream that is good for this long is steady; one that is not is opened again after ever longer pauses."""

_log = structlog.get_logger(__name__)


class VersionGapError(Exception):
    """An update does not continue the state: one was missed, so the whole state must be requested again."""


@dataclass(frozen=True, slots=True)
class Stream(Generic[StateT, UpdateT]):
    """What is followed, and how its updates become a state."""

    name: str
    """For logs and metrics, e.g. `routes`."""
    watch: Callable[[], AsyncIterable[UpdateT]]
    """Opens the stream. Its first update must hold the whole state."""
    fold: Callable[[StateT | None, UpdateT], StateT]
    """The state after an update; pure. Returns the same object when the update only confirms the state.

    Raises VersionGapError when an update was missed, and anything else when the update cannot be used.
    """
    as_update: Callable[[StateT], UpdateT]
    """The one update that makes this state from nothing; what is kept on disk."""
    parse: Callable[[bytes], UpdateT]
    """Reads an update from its serialized form."""


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
        self._saved: tuple[Fingerprint, datetime] | None = None
        self._age_when_noted = timedelta()
        self._confirmed_monotonic = 0.0
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
        """Whether there is a state that is recent enough; a readiness check."""
        return self.fresh() is not None

    async def wait_ready(self) -> None:
        """Return as soon as there is a state that is recent enough."""
        await self._became_fresh.wait()

    def load(self) -> None:
        """Start from the copy on disk; a copy that cannot be used is logged and ignored."""
        try:
            self._copy.remove_drafts(self._clock.now())
            saved = self._copy.load()
            if saved is None:
                return
            self.state = self._stream.fold(None, self._stream.parse(saved.content))
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
        self._saved = saved.fingerprint, saved.confirmed
        if confirmed != saved.confirmed:
            # Left as it is, it would be new again at each further start.
            try:
                self._write(self.state, confirmed, changed=False)
            except OSError as error:
                self._not_saved(error)
        age = round((now - confirmed).total_seconds(), 1)
        _log.info("copy on disk loaded", replica=self._stream.name, age_s=age, recent_enough=self.ready)
        self.look_at_age()

    async def run(self) -> None:
        """Follow the peer until cancelled; while it is away the last state is used, until it is too old."""
        metrics.get_meter(f"lienthong.replica.{self._stream.name}").create_observable_gauge(
            REPLICA_AGE.name,
            callbacks=[self._measure_age],
            unit=REPLICA_AGE.unit,
            description=REPLICA_AGE.text.en,
        )
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._keep_looking_at_age())
                tasks.create_task(self._keep_copy())
                tasks.create_task(self._follow())
        finally:
            # What was revoked in the last second must be revoked after a restart too.
            if self._unsaved.is_set():
                try:
                    self._write(self.state, self.confirmed, changed=True)
                except OSError as error:
                    self._not_saved(error)

    def take(self, update: UpdateT) -> bool:
        """Apply one update and return whether it could be used. If not, it is logged; the last state is kept.

        Raises:
            VersionGapError: an update was missed.
        """
        try:
            state = self._stream.fold(self.state, update)
        except VersionGapError:
            raise
        except Exception:  # noqa: BLE001 - one bad update must not end the replica
            _log.exception("update cannot be used, the last state is kept", replica=self._stream.name)
            return False
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
        work = partial(self._write, self.state, self.confirmed, changed=changed)
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

    def _write(self, state: StateT | None, confirmed: datetime | None, *, changed: bool) -> None:
        if state is None or confirmed is None:
            return
        if not changed and self._saved is not None:
            fingerprint, noted = self._saved
            if confirmed == noted:
                return
            if self._copy.confirm(fingerprint, confirmed):
                self._saved = fingerprint, confirmed
                return
        content = self._stream.as_update(state).SerializeToString()
        self._saved = self._copy.save(content, confirmed), confirmed

    def _not_saved(self, error: OSError) -> None:
        _log.warning(
            "copy on disk not saved", replica=self._stream.name, path=str(self._copy.path), error=str(error)
        )

    async def _follow(self) -> None:
        backoff = Backoff(0.05, 1.0)
        time = asyncio.get_running_loop().time
        while True:
            began = time()
            try:
                async with aclosing(
                    follow(self._stream.watch, silence=SILENCE_S, name=self._stream.name)
                ) as updates:
                    async for update in updates:
                        if self.take(update) and time() - began >= _STEADY_AFTER_S:
                            backoff.reset()
            except VersionGapError as error:
                _log.warning(
                    "updates were missed, asking for everything",
                    replica=self._stream.name,
                    reason=str(error),
                )
            await backoff.pause()

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

    def _measure_age(self, _options: CallbackOptions) -> Iterable[metrics.Observation]:
        age = self.age()
        if age is not None:
            yield metrics.Observation(age.total_seconds(), {"replica": self._stream.name})
