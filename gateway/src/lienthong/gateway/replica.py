"""The catalog as the gateway follows it: its resources, each indexed once, and their routing table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import structlog

from lienthong.contracts.catalog.v1 import routes_pb2, routes_pb2_grpc
from lienthong.gateway.table import (
    AgreementRule,
    RoutingTable,
    ServiceRoute,
    UnapprovedAgreement,
    assemble,
    indexed_agreement,
    service_route,
)
from lienthong.kit.replica import Replica, Stream, VersionGapError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import timedelta

    import grpc.aio

    from lienthong.kit.clock import Clock
    from lienthong.kit.replica_copy import DiskCopy

WATCHED_KINDS = (
    routes_pb2.RESOURCE_KIND_SYSTEM,
    routes_pb2.RESOURCE_KIND_SERVICE,
    routes_pb2.RESOURCE_KIND_AGREEMENT,
)

_Key: TypeAlias = "tuple[int, str]"
RoutesReplica: TypeAlias = "Replica[RoutesState, routes_pb2.WatchResponse]"
"""The live copy of the catalog in a gateway."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RoutesState:
    """One version of the catalog, with the routing table of it."""

    table: RoutingTable
    _resources: Mapping[_Key, routes_pb2.Resource]
    _services: Mapping[str, ServiceRoute]
    _systems: Mapping[str, routes_pb2.System]
    _agreements: Mapping[str, AgreementRule | UnapprovedAgreement]

    @classmethod
    def of(cls, version: int, resources: Iterable[routes_pb2.Resource]) -> RoutesState:
        """The state of a whole catalog."""
        draft = _NextState({}, {}, {}, {})
        for resource in resources:
            draft.upsert(resource)
        return draft.finish(version)

    @property
    def version(self) -> int:
        """The catalog's version."""
        return self.table.version

    def after(self, delta: routes_pb2.Delta) -> RoutesState:
        """The state that follows by `delta`; what it does not name is not indexed again.

        Raises:
            VersionGapError: the delta starts at another version.
        """
        if delta.from_version != self.version:
            raise VersionGapError(f"at version {self.version}, the delta starts at {delta.from_version}")
        draft = _NextState(
            dict(self._resources), dict(self._services), dict(self._systems), dict(self._agreements)
        )
        for key in delta.removals:
            draft.remove(key)
        for resource in delta.upserts:
            draft.upsert(resource)
        return draft.finish(delta.to_version)

    def snapshot(self) -> routes_pb2.Snapshot:
        """Everything, in the form in which it came."""
        return routes_pb2.Snapshot(version=self.version, resources=self._resources.values())


def fold_routes(state: RoutesState | None, update: routes_pb2.WatchResponse) -> RoutesState:
    """The state after one message of the catalog; the same one after a heartbeat.

    Raises:
        VersionGapError: something was missed.
    """
    if update.WhichOneof("update") == "snapshot":
        return RoutesState.of(update.snapshot.version, update.snapshot.resources)
    if state is None:
        raise VersionGapError("the first message is no snapshot")
    if update.WhichOneof("update") == "delta":
        return state.after(update.delta)
    if update.heartbeat.version != state.version:
        raise VersionGapError(f"at version {state.version}, the catalog is at {update.heartbeat.version}")
    return state


def routes_replica(
    channel: grpc.aio.Channel,
    copy: DiskCopy,
    clock: Clock,
    *,
    node: str,
    max_age: timedelta,
    on_change: Callable[[RoutesState | None], None],
) -> RoutesReplica:
    """Follow the catalog over `channel` under the name `node`; see `Replica` for the rest."""
    stub = routes_pb2_grpc.RoutesStub(channel)
    request = routes_pb2.WatchRequest(node=node, kinds=WATCHED_KINDS)

    def changed(state: RoutesState | None) -> None:
        if state is not None:
            _log.info("routing table", version=state.version, services=len(state.table.services))
        on_change(state)

    stream = Stream(
        "routes",
        lambda: stub.Watch(request),
        fold_routes,
        lambda state: routes_pb2.WatchResponse(snapshot=state.snapshot()),
        routes_pb2.WatchResponse.FromString,
    )
    return Replica(stream, copy, clock, max_age=max_age, on_change=changed)


@dataclass(slots=True)
class _NextState:
    """The next state while it is built; no other object holds its dictionaries yet."""

    resources: dict[_Key, routes_pb2.Resource]
    services: dict[str, ServiceRoute]
    systems: dict[str, routes_pb2.System]
    agreements: dict[str, AgreementRule | UnapprovedAgreement]

    def upsert(self, resource: routes_pb2.Resource) -> None:
        self.remove(resource.key)
        self.resources[resource.key.kind, resource.key.id] = resource
        match resource.WhichOneof("body"):
            case "service":
                self.services[resource.key.id] = service_route(resource.service)
            case "system":
                self.systems[resource.key.id] = resource.system
            case "agreement":
                agreement = indexed_agreement(resource.agreement)
                if agreement is not None:
                    self.agreements[resource.key.id] = agreement
            case _:
                pass

    def remove(self, key: routes_pb2.ResourceKey) -> None:
        self.resources.pop((key.kind, key.id), None)
        match key.kind:
            case routes_pb2.RESOURCE_KIND_SERVICE:
                self.services.pop(key.id, None)
            case routes_pb2.RESOURCE_KIND_SYSTEM:
                self.systems.pop(key.id, None)
            case routes_pb2.RESOURCE_KIND_AGREEMENT:
                self.agreements.pop(key.id, None)
            case _:
                pass

    def finish(self, version: int) -> RoutesState:
        table = assemble(version, self.services.values(), self.systems.values(), self.agreements.values())
        return RoutesState(table, self.resources, self.services, self.systems, self.agreements)
