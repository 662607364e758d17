"""`Routes/Watch`: the whole catalog once, then what changes, for processes that decide without asking.

A watch keeps nothing but the version it has sent. Each delta is read from the database between that version
and the newest, so none can be lost, nothing queues up behind a slow watcher (it gets one larger delta, or a
fresh snapshot when too much has changed), and a watch costs no memory while it waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from lienthong.catalog.kinds import WRITE_ORDER, Kind
from lienthong.catalog.repository import Repository
from lienthong.catalog.wire import KINDS, message
from lienthong.contracts.catalog.v1 import routes_pb2 as pb
from lienthong.contracts.catalog.v1 import routes_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import grpc.aio

    from lienthong.catalog.feed import Feed
    from lienthong.kit.database import Database

    Context = grpc.aio.ServicerContext[Any, Any]

HEARTBEAT_SECONDS = 5.0
LARGEST_DELTA = 500

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a silent watch says that it is alive, and how many resources a delta holds at most."""

    heartbeat_seconds: float = HEARTBEAT_SECONDS
    largest_delta: int = LARGEST_DELTA


USUAL_PACE = Pace()


class Routes(routes_pb2_grpc.RoutesServicer):
    """The gRPC service that gateways and the exchange follow."""

    def __init__(self, db: Database, feed: Feed, pace: Pace = USUAL_PACE) -> None:
        self._db = db
        self._feed = feed
        self._pace = pace

    async def Watch(  # noqa: N802 - the contract's name
        self, request: pb.WatchRequest, context: Context
    ) -> AsyncIterator[pb.WatchResponse]:
        """Send a snapshot, then deltas, then heartbeats in between, until the watcher leaves."""
        del context
        asked = {KINDS.get(number) for number in request.kinds}
        kinds = [kind for kind in WRITE_ORDER if not asked or kind in asked]
        log = _log.bind(watcher=request.node)
        log.info("watch began", kinds=[kind.value for kind in kinds])
        epoch, version = -1, 0
        try:
            while True:
                if epoch != self._feed.epoch:
                    epoch = self._feed.epoch
                    update, version = await self._snapshot(kinds)
                else:
                    update, version = await self._update(kinds, version)
                self._feed.announce(version)
                yield update
                del update
                while not await self._feed.wait_beyond(version, epoch, self._pace.heartbeat_seconds):
                    yield pb.WatchResponse(heartbeat=pb.Heartbeat(version=version))
        finally:
            log.info("watch ended", version=version)

    async def _snapshot(self, kinds: list[Kind]) -> tuple[pb.WatchResponse, int]:
        async with self._db.reading() as session:
            repository = Repository(session)
            version = await repository.head()
            resources = await repository.every(kinds)
        snapshot = pb.Snapshot(version=version, resources=[message(resource) for resource in resources])
        return pb.WatchResponse(snapshot=snapshot), version

    async def _update(self, kinds: list[Kind], version: int) -> tuple[pb.WatchResponse, int]:
        """Read what happened since a version: a delta, or a snapshot where that would be too much."""
        async with self._db.reading() as session:
            repository = Repository(session)
            head = await repository.head()
            keys = await repository.changed_since(version, kinds, self._pace.largest_delta + 1)
            if len(keys) <= self._pace.largest_delta:
                delta = pb.Delta(from_version=version, to_version=head)
                for kind in kinds:
                    ids = [identity for of, identity in keys if of is kind]
                    delta.upserts.extend(map(message, (await repository.load(kind, ids)).values()))
                return pb.WatchResponse(delta=delta), head
        return await self._snapshot(kinds)
