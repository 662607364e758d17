"""The exchange's live copy of the catalog."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from lienthong.contracts.catalog.v1 import routes_pb2 as contract
from lienthong.contracts.catalog.v1 import routes_pb2_grpc
from lienthong.exchange import errors
from lienthong.exchange.domain.catalog import KINDS, EventCatalog, fold
from lienthong.kit.replica import Replica, Stream

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    import grpc.aio

    from lienthong.kit.clock import Clock
    from lienthong.kit.replica_copy import DiskCopy

CatalogReplica: TypeAlias = Replica[EventCatalog, contract.WatchResponse]


def catalog_replica(
    channel: grpc.aio.Channel, copy: DiskCopy, clock: Clock, *, node: str, max_age: timedelta
) -> CatalogReplica:
    """Follow the catalog over `channel` under the name `node`; see `Replica` for the rest."""
    request = contract.WatchRequest(node=node, kinds=KINDS)
    stream = Stream(
        "catalog",
        partial(routes_pb2_grpc.RoutesStub(channel).Watch, request),
        fold,
        lambda catalog: contract.WatchResponse(snapshot=catalog.snapshot()),
        contract.WatchResponse.FromString,
    )
    return Replica(stream, copy, clock, max_age=max_age)


def current(catalog: CatalogReplica) -> Callable[[], EventCatalog]:
    """A function that returns the newest state of the catalog.

    It raises ProblemError `not-ready` while there is none that is recent enough.
    """

    def known() -> EventCatalog:
        fresh = catalog.fresh()
        if fresh is None:
            raise errors.not_ready()
        return fresh

    return known
