"""What the catalog's messages become in a gateway."""

from __future__ import annotations

import pytest

from lienthong.contracts.catalog.v1 import routes_pb2
from lienthong.gateway.replica import fold_routes
from lienthong.kit.replica import VersionGapError

SNAPSHOT = routes_pb2.WatchResponse(snapshot=routes_pb2.Snapshot(version=7))


def system(system_id: str) -> routes_pb2.Resource:
    key = routes_pb2.ResourceKey(kind=routes_pb2.RESOURCE_KIND_SYSTEM, id=system_id)
    return routes_pb2.Resource(
        key=key, system=routes_pb2.System(id=system_id, status=routes_pb2.STATUS_ACTIVE)
    )


def delta(before: int, *upserts: routes_pb2.Resource) -> routes_pb2.WatchResponse:
    change = routes_pb2.Delta(from_version=before, to_version=before + 1, upserts=upserts)
    return routes_pb2.WatchResponse(delta=change)


def heartbeat(version: int) -> routes_pb2.WatchResponse:
    return routes_pb2.WatchResponse(heartbeat=routes_pb2.Heartbeat(version=version))


def test_a_heartbeat_of_the_same_version_gives_the_same_state() -> None:
    state = fold_routes(None, SNAPSHOT)
    assert fold_routes(state, heartbeat(7)) is state


def test_a_delta_makes_the_next_state_and_leaves_the_one_before() -> None:
    state = fold_routes(None, SNAPSHOT)
    following = fold_routes(state, delta(7, system("H11.05/land")))
    assert (following.version, following.table.active_systems) == (8, frozenset({"H11.05/land"}))
    assert (state.version, state.table.active_systems) == (7, frozenset())


@pytest.mark.parametrize("update", [heartbeat(8), delta(8), delta(6)], ids=["heartbeat", "later", "earlier"])
def test_what_does_not_follow_is_a_gap(update: routes_pb2.WatchResponse) -> None:
    with pytest.raises(VersionGapError):
        fold_routes(fold_routes(None, SNAPSHOT), update)


@pytest.mark.parametrize("update", [heartbeat(0), delta(0)], ids=["heartbeat", "delta"])
def test_before_a_snapshot_nothing_follows(update: routes_pb2.WatchResponse) -> None:
    with pytest.raises(VersionGapError):
        fold_routes(None, update)


def test_a_snapshot_replaces_everything() -> None:
    state = fold_routes(fold_routes(None, SNAPSHOT), delta(7, system("H11.05/land")))
    again = fold_routes(state, routes_pb2.WatchResponse(snapshot=routes_pb2.Snapshot(version=3)))
    assert (again.version, again.table.active_systems) == (3, frozenset())
