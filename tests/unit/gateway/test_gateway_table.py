"""The routing table is built purely from the catalog's resources: golden files, and deltas in any order.

`python -m tests.unit.gateway.test_gateway_table` writes the `.out.json` files anew.
"""

from __future__ import annotations

import json
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

if TYPE_CHECKING:
    from lienthong.gateway.table import RoutingTable, ServiceRoute

GOLDEN = Path(__file__).with_name("golden")
PROBES = [
    *("GET /parcels", "GET /parcels/1", "POST /parcels", "DELETE /parcels/1", "GET /parcels/search"),
    *("GET /", "GET /nothing", "GET /parcels/1.json"),
]


def described(table: RoutingTable) -> dict[str, Any]:
    """A table in words."""

    def operation(route: ServiceRoute, probe: str) -> str | None:
        method, path = probe.split(" ")
        methods = route.operations.find([segment.encode() for segment in path[1:].split("/")])
        if methods is None:
            return None
        return methods[method].id if method in methods else f"405 {sorted(methods)}"

    return {
        "version": table.version,
        "active_systems": sorted(table.active_systems),
        "suspended_systems": sorted(table.suspended_systems),
        "services": {
            name.decode(): {
                "system": route.system_id,
                "active": route.active,
                "upstreams": [address.text for address in route.upstreams.addresses],
                "timeout_s": route.timeout_s,
                "max_request_bytes": route.max_request_bytes,
                "write_ahead": route.write_ahead,
                "operations": {probe: operation(route, probe) for probe in PROBES},
            }
            for name, route in sorted(table.services.items())
        },
        "agreements": {
            f"{consumer} -> {service}": [
                {
                    "id": rule.id,
                    "operations": sorted(rule.operations) if rule.operations is not None else None,
                    "purposes": rule.purposes,
                    "valid_from": rule.valid_from.isoformat(),
                    "valid_to": rule.valid_to.isoformat(),
                }
                for rule in rules
            ]
            for (consumer, service), rules in sorted(table.agreements.items())
        },
        "unapproved": {
            f"{consumer} -> {service}": {one.id: "revoked" if one.revoked else "requested" for one in some}
            for (consumer, service), some in sorted(table.unapproved.items())
        },
    }


def snapshot(name: str) -> routes_pb2.Snapshot:
    return json_format.Parse((GOLDEN / f"{name}.in.json").read_text(), routes_pb2.Snapshot())


def as_json(table: RoutingTable) -> str:
    return json.dumps(described(table), indent=2, ensure_ascii=False) + "\n"


NAMES = sorted(path.name.removesuffix(".in.json") for path in GOLDEN.glob("*.in.json"))


@pytest.mark.parametrize("name", NAMES)
def test_a_snapshot_makes_the_table_that_is_expected(name: str) -> None:
    resources = snapshot(name)
    table = RoutesState.of(resources.version, resources.resources).table
    assert as_json(table) == (GOLDEN / f"{name}.out.json").read_text()


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
    assert as_json(state.table) == as_json(expected)
    again = RoutesState.of(state.version, state.snapshot().resources)
    assert as_json(again.table) == as_json(expected)


def test_what_is_removed_is_gone_and_a_table_in_use_does_not_change() -> None:
    whole = snapshot("province")
    state = RoutesState.of(whole.version, whole.resources)
    before = state.table
    described_before = as_json(before)
    removals = [resource.key for resource in whole.resources]
    after = state.after(
        routes_pb2.Delta(from_version=whole.version, to_version=whole.version + 1, removals=removals)
    ).table
    assert (after.services, after.agreements, after.active_systems) == ({}, {}, frozenset())
    assert as_json(before) == described_before


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


def rewrite() -> None:
    """Write the expected tables anew."""
    for name in NAMES:
        resources = snapshot(name)
        table = RoutesState.of(resources.version, resources.resources).table
        (GOLDEN / f"{name}.out.json").write_text(as_json(table))


if __name__ == "__main__":
    rewrite()
