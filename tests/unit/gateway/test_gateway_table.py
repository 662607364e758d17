"""The routing table is built purely from the catalog's resources: golden files, and deltas in any order.

Each `golden/*.in.yaml` is a snapshot, the `*.out.yaml` beside it its table; `make golden` writes it anew.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st

from lienthong.contracts.catalog.v1 import routes_pb2
from lienthong.gateway.replica import RoutesState
from lienthong.gateway.upstreams import Upstreams
from lienthong.kit.replica import VersionGapError
from tests.support.golden import documents
from tests.support.routing import described

if TYPE_CHECKING:
    from lienthong.gateway.table import RoutingTable
    from tests.support.golden import Golden

GOLDEN = Path(__file__).with_name("golden")
PROBES = [
    *("GET /parcels", "GET /parcels/1", "POST /parcels", "DELETE /parcels/1", "GET /parcels/search"),
    *("GET /", "GET /nothing", "GET /parcels/1.json"),
]


def snapshot(name: str) -> routes_pb2.Snapshot:
    (document,) = documents(GOLDEN / f"{name}.in.yaml")
    return json_format.ParseDict(document, routes_pb2.Snapshot())


def in_words(table: RoutingTable) -> dict[str, Any]:
    return described(table, PROBES)


NAMES = sorted(path.name.removesuffix(".in.yaml") for path in GOLDEN.glob("*.in.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_a_snapshot_makes_the_table_that_is_expected(name: str, golden: Golden) -> None:
    resources = snapshot(name)
    table = RoutesState.of(resources.version, resources.resources).table
    golden.check(GOLDEN / f"{name}.in.yaml", in_words(table))


def test_there_are_golden_files() -> None:
    assert len(NAMES) >= 2


@given(st.permutations(range(len(snapshot("province").resources))), st.integers(0, 10))
def test_deltas_in_any_order_make_the_same_table_as_one_snapshot(order: list[int], first: int) -> None:
    whole = snapshot("province")
    resources = [whole.resources[index] for index in order]
    state = RoutesState.of(0, resources[:first])
    for version, resource in enumerate(resources[first:]):
        state = state.after(
            routes_pb2.Delta(from_version=version, to_version=version + 1, upserts=[resource])
        )
    expected = RoutesState.of(state.version, whole.resources).table
    assert in_words(state.table) == in_words(expected)
    again = RoutesState.of(state.version, state.snapshot().resources)
    assert in_words(again.table) == in_words(expected)


def test_what_is_removed_is_gone_and_a_table_in_use_does_not_change() -> None:
    whole = snapshot("province")
    state = RoutesState.of(whole.version, whole.resources)
    before = state.table
    described_before = in_words(before)
    removals = [resource.key for resource in whole.resources]
    after = state.after(
        routes_pb2.Delta(from_version=whole.version, to_version=whole.version + 1, removals=removals)
    ).table
    assert (after.services, after.agreements, after.active_systems) == ({}, {}, frozenset())
    assert in_words(before) == described_before


def test_an_agreement_that_is_revoked_leaves_the_table() -> None:
    whole = snapshot("province")
    state = RoutesState.of(whole.version, whole.resources)
    for resource in whole.resources:
        if resource.WhichOneof("body") == "agreement":
            resource.agreement.status = routes_pb2.AGREEMENT_STATUS_REVOKED
    state = state.after(
        routes_pb2.Delta(from_version=whole.version, to_version=whole.version + 1, upserts=whole.resources)
    )
    assert state.table.agreements == {}


def test_a_gap_between_versions_is_not_passed_over() -> None:
    state = RoutesState.of(5, [])
    with pytest.raises(VersionGapError):
        state.after(routes_pb2.Delta(from_version=6, to_version=7, upserts=snapshot("province").resources))
    assert state.version == 5
    assert state.table.services == {}


def test_a_service_whose_address_cannot_be_read_does_not_keep_the_others_out() -> None:
    whole = snapshot("province")
    (good,) = [resource for resource in whole.resources if resource.WhichOneof("body") == "service"]
    odd = routes_pb2.Resource()
    odd.CopyFrom(good)
    odd.key.id = odd.service.id = "H11.05/land/odd-v1"
    odd.service.upstreams[:] = ["no address"]
    table = RoutesState.of(whole.version, [odd, *whole.resources]).table
    assert table.services[odd.service.id.encode()].upstreams.addresses == ()
    assert table.services[good.service.id.encode()].upstreams.addresses != ()


def test_upstreams_are_taken_in_turn_each_once() -> None:
    upstreams = Upstreams(["http://a/", "http://b", "http://c/base/"])
    orders = [tuple(address.text for address in upstreams.in_order()) for _ in range(4)]
    assert orders[0] == ("http://a", "http://b", "http://c/base")
    assert [order[0] for order in orders] == ["http://a", "http://b", "http://c/base", "http://a"]
    assert all(set(order) == set(orders[0]) for order in orders)
