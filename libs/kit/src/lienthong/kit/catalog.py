"""What a process follows of the catalog: its resources, and which agreements two parties have.

Resources are kept as the bytes of their messages, and read when something is decided with them: the gateway
and the exchange each have a view of this state (`gateway.table`, `exchange.domain.catalog`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from lienthong.contracts.catalog.v1 import routes_pb2, routes_pb2_grpc
from lienthong.kit.catalog_draft import AGREEMENT, CatalogDraft, parties_key, read_ids, resource_key
from lienthong.kit.packed import PackedMap
from lienthong.kit.replica import Replica
from lienthong.kit.stream import Stream, VersionGapError

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable, Iterable, Mapping, Sequence
    from datetime import timedelta

    import grpc.aio

    from lienthong.kit.catalog_draft import Kind
    from lienthong.kit.clock import Clock
    from lienthong.kit.replica_copy import DiskCopy, Maps

CatalogReplica: TypeAlias = "Replica[CatalogState, routes_pb2.WatchResponse]"
"""The live copy of the catalog in a process."""

_write = msgspec.msgpack.Encoder().encode


class _Head(msgspec.Struct, frozen=True, array_like=True):
    version: int
    mark: str
    unusable: list[str]
    counts: dict[int, int]


@dataclass(frozen=True, slots=True)
class CatalogState:
    """One version of the catalog."""

    version: int = 0
    mark: str = ""
    """Tells this version from one of the same number in another history of the catalog."""
    part: int = 0
    """How many parts of an unfinished update it holds; 0 when it is whole."""
    unusable: frozenset[str] = frozenset()
    """Resources that could not be used and are left out: what they allow is denied. At most 100 are named."""
    counts: Mapping[int, int] = field(default_factory=dict)
    """How many resources there are of each kind."""
    resources: PackedMap = PackedMap()  # noqa: RUF009 - immutable
    """By kind and id: the message of each resource, that of an agreement without its id."""
    agreements: PackedMap = PackedMap()  # noqa: RUF009
    """By consumer and service or event type: the ids of the agreements between them (`AgreementIds`)."""
    draft: CatalogDraft | None = None
    """What the parts of an unfinished update have made of all this, which says nothing of them yet. The next
    part changes it in place, so an unfinished state is folded on once."""

    @property
    def whole(self) -> bool:
        """Whether it holds all parts of the update that made it."""
        return self.part == 0

    def get(self, kind: Kind, resource_id: bytes) -> bytes | None:
        """The message of a resource; None where there is none."""
        return self.resources.get(resource_key(kind, resource_id))

    def ids(self, kind: Kind) -> list[str]:
        """The ids of all resources of a kind, in their order. Reads everything."""
        prefix = resource_key(kind, b"")
        return sorted(
            key.removeprefix(prefix).decode() for key, _ in self.resources.items() if key.startswith(prefix)
        )

    def agreements_between(self, consumer: str, target: str) -> list[tuple[str, bytes]]:
        """Id and message of each agreement of a consumer on a service or event type, ordered by id.

        Of those that are not approved at most 20, which changed last.
        """
        packed = self.agreements.get(parties_key(consumer, target))
        if packed is None:
            return []
        known = read_ids(packed)
        found = ((one, self.get(AGREEMENT, one.encode())) for one in sorted(known.approved + known.others))
        return [(one, message) for one, message in found if message is not None]


def catalog_of(version: int, resources: Iterable[routes_pb2.Resource]) -> CatalogState:
    """The state of a catalog that consists of these resources."""
    return fold_catalog(
        None,
        routes_pb2.WatchResponse(snapshot=routes_pb2.Snapshot(version=version, resources=resources)),
    )


def fold_catalog(state: CatalogState | None, update: routes_pb2.WatchResponse) -> CatalogState:
    """The state after one message of the catalog; the same one after a heartbeat.

    A resource that cannot be used is left out and named in `unusable`; it does not keep the others out.

    Raises:
        VersionGapError: something was missed.
    """
    match update.WhichOneof("update"):
        case "snapshot":
            snapshot = update.snapshot
            base = CatalogState() if snapshot.part == 0 else _continued(state, snapshot.part)
            return _next(base, snapshot, snapshot.resources, snapshot.version)
        case "delta":
            delta = update.delta
            base = _continued(state, delta.part)
            if delta.from_version != base.version:
                raise VersionGapError(f"at version {base.version}, the delta starts at {delta.from_version}")
            if not delta.more and delta.to_version < base.version:
                raise VersionGapError(f"at version {base.version}, the delta goes back to {delta.to_version}")
            return _next(base, delta, delta.upserts, delta.to_version)
        case _:
            base = _continued(state, 0)
            if update.heartbeat.version != base.version:
                raise VersionGapError(
                    f"at version {base.version}, the catalog is at {update.heartbeat.version}"
                )
            return base


def catalog_replica(
    channel: grpc.aio.Channel,
    copy: DiskCopy,
    clock: Clock,
    *,
    name: str,
    node: str,
    kinds: Sequence[Kind],
    agreements_on: Kind,
    max_age: timedelta,
    on_change: Callable[[CatalogState | None], None] = lambda _state: None,
) -> CatalogReplica:
    """Follow some kinds of resources over `channel` under the name `node`, and agreements on one of them.

    `name` is for logs and metrics; see `Replica` for the rest.
    """
    stub = routes_pb2_grpc.RoutesStub(channel)

    def watch(state: CatalogState | None) -> AsyncIterable[routes_pb2.WatchResponse]:
        known = state if state is not None else CatalogState()
        return stub.Watch(
            routes_pb2.WatchRequest(
                node=node,
                kinds=kinds,
                agreements_on=[agreements_on],
                in_parts=True,
                from_version=known.version,
                from_mark=known.mark,
            )
        )

    stream = Stream(
        name,
        watch,
        fold_catalog,
        pack_catalog,
        unpack_catalog,
        whole=lambda state: state.whole,
        faults=_faults,
    )
    return Replica(stream, copy, clock, max_age=max_age, on_change=on_change)


def pack_catalog(state: CatalogState) -> Maps:
    """The state as it is kept on disk."""
    head = _Head(state.version, state.mark, sorted(state.unusable), dict(state.counts))
    return PackedMap.of({b"head": _write(head)}), state.resources, state.agreements


def unpack_catalog(maps: Maps) -> CatalogState:
    """The state that was packed.

    Raises:
        ValueError: the maps are no packed state.
    """
    packed_head, resources, agreements = maps
    head = msgspec.msgpack.decode(packed_head.get(b"head") or b"", type=_Head)
    unusable = frozenset(head.unusable)
    return CatalogState(head.version, head.mark, 0, unusable, head.counts, resources, agreements)


def _continued(state: CatalogState | None, part: int) -> CatalogState:
    """The state that part number `part` of an update continues."""
    if state is None:
        raise VersionGapError("the first message is no snapshot")
    if state.part != part:
        raise VersionGapError(f"part {part} came where part {state.part} was due")
    return state


def _next(
    base: CatalogState,
    part: routes_pb2.Snapshot | routes_pb2.Delta,
    upserts: Iterable[routes_pb2.Resource],
    version: int,
) -> CatalogState:
    """The state after a part; the last part says the version and its mark."""
    draft = base.draft or CatalogDraft(base.resources, base.agreements, base.counts, base.unusable)
    for key in part.removals:
        draft.remove(key.kind, key.id)
    for resource in upserts:
        draft.put(resource)
    if part.more:
        return replace(base, part=part.part + 1, draft=draft)
    resources, agreements = draft.finish()
    return CatalogState(
        version=version,
        mark=part.mark,
        unusable=frozenset(draft.unusable),
        counts=draft.counts,
        resources=resources,
        agreements=agreements,
    )


def _faults(state: CatalogState) -> str | None:
    if not state.unusable:
        return None
    return f"resources that cannot be used are left out: {', '.join(sorted(state.unusable)[:3])}"
