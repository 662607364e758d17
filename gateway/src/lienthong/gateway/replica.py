"""The catalog as the gateway follows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from lienthong.contracts.catalog.v1 import routes_pb2
from lienthong.gateway.table import ReadResources, RoutingTable
from lienthong.kit.catalog import catalog_replica

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    import grpc.aio

    from lienthong.kit.catalog import CatalogReplica, CatalogState
    from lienthong.kit.clock import Clock
    from lienthong.kit.replica_copy import DiskCopy

WATCHED_KINDS = (
    routes_pb2.RESOURCE_KIND_SYSTEM,
    routes_pb2.RESOURCE_KIND_SERVICE,
    routes_pb2.RESOURCE_KIND_AGREEMENT,
)

_log = structlog.get_logger(__name__)


def routes_replica(
    channel: grpc.aio.Channel,
    copy: DiskCopy,
    clock: Clock,
    *,
    node: str,
    max_age: timedelta,
    on_change: Callable[[RoutingTable | None], None],
) -> CatalogReplica:
    """Follow the catalog over `channel` under the name `node`; see `Replica` for the rest.

    `on_change` gets the table to decide by, None while there is none that is recent enough.
    """
    read = ReadResources()

    def changed(state: CatalogState | None) -> None:
        if state is not None:
            _log.info("routing table", version=state.version)
        on_change(RoutingTable(state, read) if state is not None else None)

    return catalog_replica(
        channel,
        copy,
        clock,
        name="routes",
        node=node,
        kinds=WATCHED_KINDS,
        agreements_on=routes_pb2.RESOURCE_KIND_SERVICE,
        max_age=max_age,
        on_change=changed,
    )
