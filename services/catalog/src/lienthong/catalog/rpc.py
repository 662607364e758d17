"""`Routes/Watch`: the whole catalog once, then what changes, for processes that decide without asking.

A watch keeps nothing but the version that it has sent. Each delta is read from the database between that
version and the newest, so none can be lost, nothing queues up behind a slow client (it gets one larger
delta, or another snapshot when too much has changed), and a watch costs no memory while it waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from lienthong.catalog.domain.resources import SUSPENDED, ResourceKind
from lienthong.contracts.catalog.v1 import routes_pb2 as pb
from lienthong.contracts.catalog.v1 import routes_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    import grpc.aio

    from lienthong.catalog.domain.resources import Resource
    from lienthong.catalog.service.versions import VersionMonitor
    from lienthong.catalog.service.watch import WatchService
    from lienthong.kit.json_text import JsonObject

    Context = grpc.aio.ServicerContext[Any, Any]
    ToMessage = Callable[[Any], pb.Resource]

HEARTBEAT_SECONDS = 5.0
MAX_DELTA = 500

_KINDS = {
    pb.RESOURCE_KIND_AGENCY: ResourceKind.AGENCY,
    pb.RESOURCE_KIND_SYSTEM: ResourceKind.SYSTEM,
    pb.RESOURCE_KIND_SERVICE: ResourceKind.SERVICE,
    pb.RESOURCE_KIND_AGREEMENT: ResourceKind.AGREEMENT,
    pb.RESOURCE_KIND_EVENT_TYPE: ResourceKind.EVENT_TYPE,
}
_NUMBERS = {kind: number for number, kind in _KINDS.items()}

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WatchLimits:
    """How often a watch without changes sends a heartbeat, and how many resources a delta has at most."""

    heartbeat_seconds: float = HEARTBEAT_SECONDS
    max_delta: int = MAX_DELTA


DEFAULT_LIMITS = WatchLimits()


class Routes(routes_pb2_grpc.RoutesServicer):
    """The gRPC service that gateways and the exchange follow.

    `to_message` turns the resources of each kind into their messages.
    """

    def __init__(
        self,
        watch: WatchService,
        versions: VersionMonitor,
        to_message: Mapping[ResourceKind, ToMessage],
        limits: WatchLimits = DEFAULT_LIMITS,
    ) -> None:
        self._watch = watch
        self._versions = versions
        self._to_message = to_message
        self._limits = limits

    async def Watch(  # noqa: N802 - the contract's name
        self, request: pb.WatchRequest, context: Context
    ) -> AsyncIterator[pb.WatchResponse]:
        """Send a snapshot, then deltas, with heartbeats in between, until the client leaves."""
        del context
        requested = {_KINDS.get(number) for number in request.kinds}
        kinds = [kind for kind in ResourceKind if not requested or kind in requested]
        log = _log.bind(watcher=request.node)
        log.info("watch began", kinds=[kind.value for kind in kinds])
        epoch, version = -1, 0
        try:
            while True:
                if epoch != self._versions.epoch:
                    epoch = self._versions.epoch
                    update, version = await self._snapshot(kinds)
                else:
                    update, version = await self._update(kinds, version)
                self._versions.announce(version)
                yield update
                del update
                while not await self._versions.wait_beyond(version, epoch, self._limits.heartbeat_seconds):
                    yield pb.WatchResponse(heartbeat=pb.Heartbeat(version=version))
        finally:
            log.info("watch ended", version=version)

    async def _snapshot(self, kinds: list[ResourceKind]) -> tuple[pb.WatchResponse, int]:
        found = await self._watch.snapshot(kinds)
        snapshot = pb.Snapshot(version=found.version, resources=self._messages(found.resources))
        return pb.WatchResponse(snapshot=snapshot), found.version

    async def _update(self, kinds: list[ResourceKind], version: int) -> tuple[pb.WatchResponse, int]:
        """Return what changed since a version: a delta, or a snapshot where that would be too large."""
        found = await self._watch.changed_since(version, kinds, self._limits.max_delta)
        if found is None:
            return await self._snapshot(kinds)
        delta = pb.Delta(
            from_version=version, to_version=found.version, upserts=self._messages(found.resources)
        )
        return pb.WatchResponse(delta=delta), found.version

    def _messages(self, resources: Sequence[Resource]) -> list[pb.Resource]:
        return [self._to_message[resource.kind](resource) for resource in resources]


def resource_key(resource: Resource) -> pb.ResourceKey:
    """Return the key of a resource as a message."""
    return pb.ResourceKey(kind=_NUMBERS[resource.kind], id=resource.id)


def localized_name(spec: JsonObject) -> pb.LocalizedText:
    """Return the name of a spec as a message."""
    return pb.LocalizedText(vi=spec["name"]["vi"], en=spec["name"]["en"])


def resource_status(resource: Resource) -> pb.Status.ValueType:
    """Return whether a resource is active or suspended."""
    return pb.STATUS_SUSPENDED if resource.status == SUSPENDED else pb.STATUS_ACTIVE
