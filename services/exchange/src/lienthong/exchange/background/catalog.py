"""The exchange's live copy of the catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.contracts.catalog.v1 import routes_pb2 as contract
from lienthong.exchange import errors
from lienthong.exchange.domain.catalog import KINDS, EventCatalog
from lienthong.kit.catalog import catalog_replica

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    import grpc.aio

    from lienthong.kit.catalog import CatalogReplica
    from lienthong.kit.clock import Clock
    from lienthong.kit.replica_copy import DiskCopy


def events_replica(
    channel: grpc.aio.Channel, copy: DiskCopy, clock: Clock, *, node: str, max_age: timedelta
) -> CatalogReplica:
    """Follow the catalog over `channel` under the name `node`; see `Replica` for the rest."""
    return catalog_replica(
        channel,
        copy,
        clock,
        name="catalog",
        node=node,
        kinds=KINDS,
        agreements_on=contract.RESOURCE_KIND_EVENT_TYPE,
        max_age=max_age,
    )


def current(catalog: CatalogReplica) -> Callable[[], EventCatalog]:
    """A function that returns the newest state of the catalog.

    It raises ProblemError `not-ready` while there is none that is recent enough.
    """

    newest: EventCatalog | None = None

    def known() -> EventCatalog:
        nonlocal newest
        fresh = catalog.fresh()
        if fresh is None:
            raise errors.not_ready()
        if newest is None or not newest.is_of(fresh):
            newest = EventCatalog(fresh)
        return newest

    return known
