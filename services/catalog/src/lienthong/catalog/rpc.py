"""`Routes/Watch`: the whole catalog once, then what changes, for processes that decide without asking.

A watch keeps nothing but the version that it has sent. Each delta is read from the database between that
version and the newest, so none can be lost, nothing queues up behind a slow client (it gets one larger
delta), and a watch costs no memory while it waits. Snapshots and deltas are read and sent in parts.
"""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import grpc.aio
import structlog
from sqlalchemy.exc import SQLAlchemyError

from lienthong.catalog.domain.resources import SUSPENDED, ResourceKind, WatchScope
from lienthong.catalog.service.watch import HistoryChangedError, Position
from lienthong.contracts.catalog.v1 import routes_pb2 as pb
from lienthong.contracts.catalog.v1 import routes_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence

    from google.protobuf.internal.containers import RepeatedCompositeFieldContainer

    from lienthong.catalog.domain.resources import Resource, ResourceKey, Watched
    from lienthong.catalog.service.versions import VersionMonitor
    from lienthong.catalog.service.watch import Heard, WatchService

    Context = grpc.aio.ServicerContext[Any, Any]
    WriteMessage = Callable[[Any, pb.Resource], None]

HEARTBEAT_SECONDS = 2.0
PART_RESOURCES = 64
"""What a follower takes in within about a millisecond, so that its calls wait no longer."""
PART_BYTES = 256 * 1024

_NO_DATABASE = "the catalog cannot read its database: whether there is anything new is not known"
_TOO_OLD = "this follower takes no snapshot in parts; upgrade gateways and the exchange before the catalog"

_KINDS = {
    pb.RESOURCE_KIND_AGENCY: ResourceKind.AGENCY,
    pb.RESOURCE_KIND_SYSTEM: ResourceKind.SYSTEM,
    pb.RESOURCE_KIND_SERVICE: ResourceKind.SERVICE,
    pb.RESOURCE_KIND_AGREEMENT: ResourceKind.AGREEMENT,
    pb.RESOURCE_KIND_EVENT_TYPE: ResourceKind.EVENT_TYPE,
}
_STATEMENTS = {
    "purpose": pb.STATEMENT_PURPOSE,
    "case": pb.STATEMENT_CASE,
    "user": pb.STATEMENT_USER,
    "bound-token": pb.STATEMENT_BOUND_TOKEN,
}
_NUMBERS = {kind: number for number, kind in _KINDS.items()}

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WatchLimits:
    """How often a watch without changes sends a heartbeat, and what a part holds at most.

    A part with a single resource may be larger than `part_bytes`.
    """

    heartbeat_seconds: float = HEARTBEAT_SECONDS
    part_resources: int = PART_RESOURCES
    part_bytes: int = PART_BYTES


DEFAULT_LIMITS = WatchLimits()


class _UncertainError(Exception):
    """Whether there is a newer version is not known."""


class Routes(routes_pb2_grpc.RoutesServicer):
    """The gRPC service that gateways and the exchange follow.

    `write` fills the messages of resources of each kind, in their place in a part: one that is made by itself
    is copied into it, which takes as long as making it.
    """

    def __init__(
        self,
        watch: WatchService,
        versions: VersionMonitor,
        write: Mapping[ResourceKind, WriteMessage],
        limits: WatchLimits = DEFAULT_LIMITS,
    ) -> None:
        self._watch = watch
        self._versions = versions
        self._write = write
        self._limits = limits

    async def Watch(  # noqa: N802 - the contract's name
        self, request: pb.WatchRequest, context: Context
    ) -> AsyncIterator[pb.WatchResponse]:
        """Send everything, or what the client lacks; then deltas and heartbeats until the client leaves.

        UNAVAILABLE when the database cannot be read: a heartbeat would confirm what has perhaps been revoked.
        """
        if not request.in_parts:
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, _TOO_OLD)
        try:
            with self._versions.watching() as sent:
                async with aclosing(self._watched(request, sent)) as updates:
                    async for update in updates:
                        yield update
        except (SQLAlchemyError, OSError, TimeoutError, _UncertainError) as error:
            _log.info("watch ended without the database", watcher=request.node, error=repr(error))
            await context.abort(grpc.StatusCode.UNAVAILABLE, _NO_DATABASE)

    async def _watched(
        self, request: pb.WatchRequest, sent: Callable[[int], None]
    ) -> AsyncGenerator[pb.WatchResponse]:
        """Yield what a watch is sent; `sent` is called with each version that it then has.

        Raises:
            _UncertainError: the version has not been read for some time.
            SQLAlchemyError: the database cannot be read; also OSError and TimeoutError.
        """
        scope = _scope(request)
        log = _log.bind(watcher=request.node, kinds=[kind.value for kind in scope.kinds])
        known = Position(request.from_version, request.from_mark)
        position = known if await self._watch.continues_from(known) else None
        if position is None and known.version > (present := await self._watch.position()).version:
            log.error(
                "a follower has a newer version than the database, which must be an older copy: what was"
                " revoked since is in force again",
                version=present.version,
                follower=known.version,
            )
        log.info("watch began", snapshot=position is None)
        try:
            while True:
                epoch = self._versions.epoch
                heard = epoch, self._versions.version
                try:
                    async for update, reached in self._updates(scope, position, heard):
                        yield update
                        position = reached or position
                except HistoryChangedError:
                    log.warning("the history of the catalog changed, everything is sent anew")
                    position = None
                if position is None:
                    continue
                version = position.version
                self._versions.announce(version)
                sent(version)
                while not await self._versions.wait_beyond(version, epoch, self._limits.heartbeat_seconds):
                    if not self._versions.certain:
                        raise _UncertainError("the version was not read for some time")
                    yield pb.WatchResponse(heartbeat=pb.Heartbeat(version=version))
        finally:
            log.info("watch ended", version=position.version if position is not None else None)

    async def _updates(
        self, scope: WatchScope, known: Position | None, heard: Heard
    ) -> AsyncIterator[tuple[pb.WatchResponse, Position | None]]:
        """Yield the parts of a delta, or of a snapshot for a client that has nothing.

        With the last part comes the version that the client has then.

        Raises:
            HistoryChangedError: a snapshot has to follow.
        """
        number = 0
        async for response, removals, reached in self._parts(scope, known, heard):
            part = response.snapshot if known is None else response.delta
            part.part, part.more = number, reached is None
            part.removals.extend(_keys(removals))
            if known is not None:
                response.delta.from_version = known.version
            if reached is not None:
                part.mark = reached.mark
                if known is None:
                    response.snapshot.version = reached.version
                else:
                    response.delta.to_version = reached.version
            yield response, reached
            number += 1

    async def _parts(
        self, scope: WatchScope, known: Position | None, heard: Heard
    ) -> AsyncIterator[tuple[pb.WatchResponse, Sequence[ResourceKey], Position | None]]:
        divided = partial(self._divided, snapshot=known is None)
        shared: Heard | None = heard
        if known is None:
            shared = None
            known = await self._watch.position()
            async for page in self._watch.everything(scope):
                for some in divided(page):
                    yield some, (), None
        async for changes in self._watch.changes_since(known, scope, shared):
            last = pb.WatchResponse()
            for number, some in enumerate(divided(changes.upserts)):
                if number:
                    yield last, (), None
                last = some
            yield last, changes.removals, changes.position

    def _divided(self, resources: Sequence[Watched], *, snapshot: bool) -> Iterator[pb.WatchResponse]:
        """Spread the messages of some resources over parts; each is made when it is asked for."""
        response, messages = _new_part(snapshot=snapshot)
        size = 0
        for resource in resources:
            if len(messages) >= self._limits.part_resources:
                yield response
                (response, messages), size = _new_part(snapshot=snapshot), 0
            message = messages.add()
            self._write[resource.kind](resource, message)
            length = message.ByteSize()
            if size and size + length > self._limits.part_bytes:
                following, its = _new_part(snapshot=snapshot)
                its.append(message)
                del messages[-1]
                yield response
                response, messages, size = following, its, 0
            size += length
        if messages:
            yield response


def _new_part(*, snapshot: bool) -> tuple[pb.WatchResponse, RepeatedCompositeFieldContainer[pb.Resource]]:
    """A part and the messages of resources in it."""
    response = pb.WatchResponse()
    return response, response.snapshot.resources if snapshot else response.delta.upserts


def _scope(request: pb.WatchRequest) -> WatchScope:
    kinds = {_KINDS.get(number) for number in request.kinds}
    targets = {_KINDS.get(number) for number in request.agreements_on}
    return WatchScope(
        tuple(kind for kind in ResourceKind if not kinds or kind in kinds),
        frozenset(kind for kind in ResourceKind if not targets or kind in targets),
    )


def _keys(keys: Sequence[ResourceKey]) -> list[pb.ResourceKey]:
    return [pb.ResourceKey(kind=_NUMBERS[kind], id=resource_id) for kind, resource_id in keys]


def write_key(resource: Watched, message: pb.Resource) -> None:
    """Write the key of a resource into its message."""
    key = message.key
    key.kind, key.id = _NUMBERS[resource.kind], resource.id


def resource_status(resource: Resource) -> pb.Status.ValueType:
    """Return whether a resource is active or suspended."""
    return pb.STATUS_SUSPENDED if resource.status == SUSPENDED else pb.STATUS_ACTIVE


def statements(names: Iterable[str]) -> list[pb.Statement.ValueType]:
    """Return what a spec requires every call to state, as messages name it."""
    return [_STATEMENTS[name] for name in names]
