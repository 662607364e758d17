"""Live copies of what the catalog and identity say, kept up to date over gRPC and kept on disk."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

import structlog
from google.protobuf.message import DecodeError

from lienthong.contracts.catalog.v1 import routes_pb2
from lienthong.contracts.identity.v1 import keys_pb2
from lienthong.gateway.authenticate import Authenticator, Keys
from lienthong.gateway.table import CatalogCopy, RoutingTable, VersionGapError
from lienthong.kit.rpc import follow
from lienthong.kit.tokens import KeySet

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable
    from datetime import datetime

    from lienthong.gateway.diskcopy import DiskCopy
    from lienthong.kit.clock import Clock
    from lienthong.kit.tokens import TokenVerifier

SILENCE_S = 15.0
"""Both peers speak at least every five seconds."""
_SAVE_PAUSE_S = 1.0
_CONFIRM_EVERY_S = 30.0

_log = structlog.get_logger(__name__)


class _Saver:
    """Keeps a disk copy up to date, at most once a second, without holding up calls."""

    def __init__(self, copy: DiskCopy, clock: Clock, content: Callable[[], bytes]) -> None:
        self._copy = copy
        self._clock = clock
        self._content = content
        self._changed = asyncio.Event()
        self.confirmed: datetime | None = None
        """When the peer last said that what we have is right."""

    def changed(self) -> None:
        """The content is another now, and right."""
        self.confirmed = self._clock.now()
        self._changed.set()

    def still_right(self) -> None:
        """The content is what the peer has."""
        self.confirmed = self._clock.now()

    async def run(self) -> None:
        """Save what changes, for ever."""
        noted: datetime | None = None
        while True:
            try:
                await asyncio.wait_for(self._changed.wait(), _CONFIRM_EVERY_S)
            except TimeoutError:
                if self.confirmed is None or self.confirmed == noted:
                    continue
            confirmed = noted = self.confirmed or self._clock.now()
            try:
                if self._changed.is_set():
                    self._changed.clear()
                    await asyncio.to_thread(self._copy.save, self._content(), confirmed)
                else:
                    await asyncio.to_thread(self._copy.confirm, confirmed)
            except OSError as error:
                _log.warning("copy not saved", path=str(self._copy.path), error=str(error))
            await asyncio.sleep(_SAVE_PAUSE_S)


class RoutesReplica:
    """The catalog's resources as a routing table. `on_change` is called with each new one."""

    def __init__(
        self,
        watch: Callable[[], AsyncIterable[routes_pb2.WatchResponse]],
        copy: DiskCopy,
        clock: Clock,
        on_change: Callable[[], None],
    ) -> None:
        self._watch = watch
        self._copy = copy
        self._on_change = on_change
        self._catalog = CatalogCopy()
        self._saver = _Saver(copy, clock, lambda: self._catalog.snapshot().SerializeToString())
        self.table: RoutingTable | None = None

    @property
    def confirmed(self) -> datetime | None:
        """When the catalog last confirmed the table."""
        return self._saver.confirmed

    def load(self) -> None:
        """Start from the copy on disk, if there is one that can be read."""
        found = self._copy.load()
        if found is None:
            return
        content, confirmed = found
        try:
            snapshot = routes_pb2.Snapshot.FromString(content)
        except DecodeError as error:
            _log.error("copy of the routing table cannot be read", error=str(error))
            return
        self._catalog.replace(snapshot.version, snapshot.resources)
        self._saver.confirmed = confirmed
        self._show()

    async def run(self) -> None:
        """Follow the catalog, for ever; while it is away the last table stands."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._saver.run())
            while True:
                try:
                    async with aclosing(follow(self._watch, silence=SILENCE_S, name="routes")) as updates:
                        async for update in updates:
                            self.take(update)
                except VersionGapError as error:
                    _log.warning("routes were missed, asking for all of them", reason=str(error))

    def take(self, update: routes_pb2.WatchResponse) -> None:
        """Take over one message of the catalog.

        Raises:
            VersionGapError: something was missed.
        """
        match update.WhichOneof("update"):
            case "snapshot":
                self._catalog.replace(update.snapshot.version, update.snapshot.resources)
                self._saver.changed()
                self._show()
            case "delta":
                self._catalog.apply(update.delta)
                self._saver.changed()
                self._show()
            case _:
                if update.heartbeat.version != self._catalog.version:
                    raise VersionGapError(
                        f"at {self._catalog.version}, the catalog at {update.heartbeat.version}"
                    )
                self._saver.still_right()

    def _show(self) -> None:
        self.table = self._catalog.table()
        self._on_change()
        _log.info("routing table", version=self.table.version, services=len(self.table.services))


class KeysReplica:
    """Identity's keys and suspensions as an authenticator. `on_change` is called with each new one."""

    def __init__(
        self,
        watch: Callable[[], AsyncIterable[keys_pb2.WatchResponse]],
        copy: DiskCopy,
        clock: Clock,
        verifier: TokenVerifier,
        issuer: str,
        on_change: Callable[[], None],
    ) -> None:
        self._watch = watch
        self._copy = copy
        self._verifier = verifier
        self._issuer = issuer
        self._on_change = on_change
        self._state = keys_pb2.WatchResponse()
        self._saver = _Saver(copy, clock, lambda: self._state.SerializeToString())
        self.authenticator: Authenticator | None = None

    @property
    def confirmed(self) -> datetime | None:
        """When identity last confirmed the keys."""
        return self._saver.confirmed

    def load(self) -> None:
        """Start from the copy on disk, if there is one that can be read."""
        found = self._copy.load()
        if found is None:
            return
        content, confirmed = found
        try:
            self._show(keys_pb2.WatchResponse.FromString(content))
        except (DecodeError, ValueError) as error:
            _log.error("copy of the keys cannot be read", error=str(error))
            return
        self._saver.confirmed = confirmed

    async def run(self) -> None:
        """Follow identity, for ever; while it is away the last keys stand."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._saver.run())
            async for state in follow(self._watch, silence=SILENCE_S, name="keys"):
                self.take(state)

    def take(self, state: keys_pb2.WatchResponse) -> None:
        """Take over one message of identity; one that cannot be read is logged, and the last keys stand."""
        if state == self._state:
            self._saver.still_right()
            return
        try:
            self._show(state)
        except ValueError as error:
            _log.error("keys cannot be read", error=str(error), version=state.version)
            return
        self._saver.changed()

    def _show(self, state: keys_pb2.WatchResponse) -> None:
        keys = Keys(state.jwks, KeySet.from_jwks(state.jwks), frozenset(state.suspended_client_ids))
        if self.authenticator is None:
            self.authenticator = Authenticator(self._verifier, keys)
        else:
            self.authenticator = self.authenticator.with_keys(keys)
        self._state = state
        self._on_change()
        if state.issuer != self._issuer:
            _log.error("identity issues for another address", identity=state.issuer, gateway=self._issuer)
        _log.info("keys", version=state.version, keys=len(keys.key_set), suspended=len(keys.suspended))
