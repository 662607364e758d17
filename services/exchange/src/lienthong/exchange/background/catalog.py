"""The live copy of the catalog: followed over gRPC, kept on disk, there from the first moment."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

import structlog
from google.protobuf.message import DecodeError

from lienthong.contracts.catalog.v1 import routes_pb2 as contract
from lienthong.contracts.catalog.v1 import routes_pb2_grpc as routes
from lienthong.exchange import errors
from lienthong.exchange.domain.catalog import KINDS, EventCatalog, MissedUpdateError, fold
from lienthong.kit.rpc import follow

if TYPE_CHECKING:
    from collections.abc import AsyncIterable
    from pathlib import Path

    import grpc.aio

# The catalog says something every five seconds.
_SILENCE = 12.0

_log = structlog.get_logger(__name__)


class CatalogReplica:
    """Holds the newest view; each update replaces it whole."""

    def __init__(self, channel: grpc.aio.Channel, copy: Path, *, node: str) -> None:
        self._routes = routes.RoutesStub(channel)
        self._copy = copy
        self._node = node
        self._view: EventCatalog | None = None

    @property
    def ready(self) -> bool:
        """Whether there is a view, be it from the disk."""
        return self._view is not None

    def view(self) -> EventCatalog:
        """The newest view.

        Raises:
            ProblemError: `not-ready` before the first one.
        """
        if self._view is None:
            raise errors.not_ready()
        return self._view

    def load(self) -> None:
        """Start from the copy on disk, when there is a good one."""
        with contextlib.suppress(FileNotFoundError):
            try:
                snapshot = contract.Snapshot.FromString(self._copy.read_bytes())
            except DecodeError as error:
                _log.warning("the copy of the catalog cannot be read", path=str(self._copy), error=str(error))
                return
            self._view = EventCatalog.of(snapshot.version, snapshot.resources)
            _log.info("catalog read from disk", version=snapshot.version)

    async def run(self) -> None:
        """Follow the catalog for ever."""
        while True:
            async with contextlib.aclosing(follow(self._open, silence=_SILENCE, name="catalog")) as updates:
                try:
                    async for update in updates:
                        self._take(update)
                except MissedUpdateError as error:
                    _log.warning("missed an update of the catalog, asking for all", reason=str(error))

    def _open(self) -> AsyncIterable[contract.WatchResponse]:
        return self._routes.Watch(contract.WatchRequest(node=self._node, kinds=KINDS))

    def _take(self, update: contract.WatchResponse) -> None:
        catalog = fold(self._view, update)
        if catalog is not self._view:
            self._view = catalog
            _log.info("catalog updated", version=catalog.version)
            self._keep(catalog)

    def _keep(self, view: EventCatalog) -> None:
        """Replace the copy on disk, whole or not at all."""
        fresh = self._copy.with_suffix(".new")
        try:
            self._copy.parent.mkdir(parents=True, exist_ok=True)
            with fresh.open("wb") as file:
                file.write(view.snapshot().SerializeToString())
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._copy)
        except OSError as error:
            # It is only needed at the next start: go on without.
            _log.error("the copy of the catalog cannot be written", path=str(self._copy), error=str(error))
