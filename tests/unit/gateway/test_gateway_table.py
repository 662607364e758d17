"""The routing table is built purely from the catalog's resources: golden files, and deltas in any order.

Each `golden/*.in.yaml` is a snapshot, the `*.out.yaml` beside it its table; `make golden` writes it anew.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from lienthong.contracts.catalog.v1 import routes_pb2
from lienthong.gateway.http1.upstreams import Upstreams
from lienthong.gateway.table import ReadResources, RoutingTable
from lienthong.kit.catalog import catalog_of, fold_catalog, pack_catalog, unpack_catalog
from tests.support.golden import documents
from tests.support.routing import described

if TYPE_CHECKING:
    from lienthong.kit.catalog import CatalogState
    from tests.support.golden import Golden

GOLDEN = Path(__file__).with_name("golden")
PROBES = [
    *("GET /parcels", "GET /parcels/1", "POST /parcels", "DELETE /parcels/1", "GET /parcels/search"),
    *("GET /", "GET /nothing", "GET /parcels/1.json"),
]


def snapshot(name: str) -> routes_pb2.Snapshot:
    return routes_pb2.Snapshot.FromString(_serialized(name))


@cache
def _serialized(name: str) -> bytes:
    (document,) = documents(GOLDEN / f"{name}.in.yaml")
    return json_format.ParseDict(document, routes_pb2.Snapshot()).SerializeToString()


def table_of(state: CatalogState) -> RoutingTable:
    return RoutingTable(state, ReadResources())


def in_words(state: CatalogState) -> dict[str, Any]:
    return described(table_of(state), PROBES)


NAMES = sorted(path.name.removesuffix(".in.yaml") for path in GOLDEN.glob("*.in.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_a_snapshot_makes_the_table_that_is_expected(name: str, golden: Golden) -> None:
    resources = snapshot(name)
    state = catalog_of(resources.version, resources.resources)
    golden.check(GOLDEN / f"{name}.in.yaml", in_words(state))


def test_there_are_golden_files() -> None:
    assert len(NAMES) >= 2


@given(st.permutations(range(len(snapshot("province").resources))), st.integers(0, 10))
def test_deltas_in_any_order_make_the_same_table_as_one_snapshot(order: list[int], first: int) -> None:
    resources = [snapshot("province").resources[index] for index in order]
    state = catalog_of(0, resources[:first])
    for version, resource in enumerate(resources[first:]):
        delta = routes_pb2.Delta(from_version=version, to_version=version + 1, upserts=[resource])
        state = fold_catalog(state, routes_pb2.WatchResponse(delta=delta))
    expected = catalog_of(state.version, snapshot("province").resources)
    assert in_words(state) == in_words(expected)
    assert in_words(unpack_catalog(pack_catalog(state))) == in_words(expected)


def test_a_table_in_use_does_not_change() -> None:
    whole = snapshot("province")
    state = catalog_of(whole.version, snapshot("province").resources)
    before = in_words(state)
    removals = [resource.key for resource in whole.resources]
    delta = routes_pb2.Delta(from_version=whole.version, to_version=whole.version + 1, removals=removals)
    after = in_words(fold_catalog(state, routes_pb2.WatchResponse(delta=delta)))
    assert (after["services"], after["agreements"], after["active_systems"]) == ({}, {}, [])
    assert in_words(state) == before


def test_a_service_whose_address_cannot_be_read_does_not_keep_the_others_out() -> None:
    whole = snapshot("province")
    (good,) = [resource for resource in whole.resources if resource.WhichOneof("body") == "service"]
    odd = routes_pb2.Resource()
    odd.CopyFrom(good)
    odd.key.id = odd.service.id = "H11.05/land/odd-v1"
    odd.service.upstreams[:] = ["no address"]
    table = table_of(catalog_of(whole.version, [odd, *whole.resources]))
    found = [table.service(one.service.id.encode()) for one in (odd, good)]
    assert [bool(route.upstreams.addresses) for route in found if route is not None] == [False, True]


def test_an_agreement_that_cannot_be_read_allows_nothing_and_hides_no_other() -> None:
    whole = snapshot("province")
    good = next(
        one for one in whole.resources if one.agreement.status == routes_pb2.AGREEMENT_STATUS_APPROVED
    )
    odd = routes_pb2.Resource()
    odd.CopyFrom(good)
    odd.key.id = odd.agreement.id = "odd"
    odd.agreement.valid_from.seconds = 2**62
    consumer, service = good.agreement.consumer_id, good.agreement.service_id
    with capture_logs() as logs:
        found = table_of(catalog_of(1, [odd, good])).agreements(consumer, service)
    assert [rule.id for rule in found.rules] == [good.key.id]
    assert [entry["log_level"] for entry in logs] == ["error"]


def test_what_callers_ask_for_in_vain_is_not_remembered() -> None:
    table = table_of(catalog_of(1, snapshot("province").resources))
    assert [table.service(b"%d" % number) for number in range(3)] == [None] * 3
    assert not table._services


def test_upstreams_are_taken_in_turn_each_once() -> None:
    upstreams = Upstreams(["http://a/", "http://b", "http://c/base/"])
    orders = [tuple(address.text for address in upstreams.in_order()) for _ in range(4)]
    assert orders[0] == ("http://a", "http://b", "http://c/base")
    assert [order[0] for order in orders] == ["http://a", "http://b", "http://c/base", "http://a"]
    assert all(set(order) == set(orders[0]) for order in orders)
