"""What a service, or an agreement on it, requires every call to state."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import pytest

from lienthong.contracts.catalog.v1 import routes_pb2
from tests.integration.gateway.world import API, CONSUMER, PURPOSE, SERVICE, agreement, service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.gateway.world import World

STATED = {"LGSP-Purpose": PURPOSE, "LGSP-Case-Id": "H11.01-2026-0042", "LGSP-User": "nguyenvana"}
NUMBERS = {
    "LGSP-Purpose": routes_pb2.STATEMENT_PURPOSE,
    "LGSP-Case-Id": routes_pb2.STATEMENT_CASE,
    "LGSP-User": routes_pb2.STATEMENT_USER,
}


@pytest.fixture(autouse=True)
def _as_before(world: World) -> Iterator[None]:
    yield
    world.change(service([world.provider.url]), agreement())


@pytest.mark.parametrize("header", NUMBERS)
def test_a_call_without_a_required_header_reaches_no_provider(world: World, header: str) -> None:
    world.change(service([world.provider.url], requires=[NUMBERS[header]]))
    others = {name: value for name, value in STATED.items() if name != header}
    with world.client() as client:
        seen = len(world.provider.seen)
        refused = client.get(f"{API}/parcels/1", headers=others)
        assert len(world.provider.seen) == seen
        allowed = client.get(f"{API}/parcels/1", headers={header: STATED[header]})
    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (400, "missing-header")
    for text in (problem["detail"], problem["detail_vi"]):
        assert SERVICE in text
        assert text.endswith(f": {header}.")
    record = world.record(refused.headers["lgsp-transaction-id"])
    assert (record["client"], record["operation"], record["error"]) == (
        CONSUMER,
        "getParcel",
        "missing-header",
    )
    assert "agreement" not in record
    assert allowed.status_code == 200
    assert world.record(allowed.headers["lgsp-transaction-id"])["agreement"] == "one-stop-parcels"


def test_an_agreement_adds_to_what_the_service_requires(world: World) -> None:
    world.change(
        service([world.provider.url], write_ahead=True, requires=[NUMBERS["LGSP-User"]]),
        agreement(requires=[NUMBERS["LGSP-Case-Id"], NUMBERS["LGSP-Purpose"]]),
    )
    with world.client() as client:
        refused = client.get(f"{API}/parcels/1")
        assert refused.json()["detail"].endswith(": LGSP-Purpose, LGSP-Case-Id, LGSP-User.")
        assert client.get(f"{API}/parcels/1", headers=STATED).status_code == 200


def test_outside_the_agreed_hours_a_call_is_told_when_they_begin(world: World) -> None:
    now = datetime.now(UTC)
    closed = (now.isoweekday() + 2) % 7 + 1
    part = routes_pb2.OpenHours(days=[closed], from_minute=420, to_minute=1050)
    world.change(agreement(hours=routes_pb2.Hours(time_zone="UTC", open=[part])))
    with world.client() as client:
        refused = client.get(f"{API}/parcels/1", headers=STATED)
        problem = refused.json()
        assert (refused.status_code, problem["code"]) == (403, "agreement-closed")
        opens = datetime.fromisoformat(problem["opens_at"])
        assert (opens.isoweekday(), opens.hour) == (closed, 7)
        assert problem["opens_at"] in problem["detail_vi"]
        assert 0 <= (opens - now).total_seconds() - int(refused.headers["retry-after"]) + 60 <= 120
        record = world.record(refused.headers["lgsp-transaction-id"])
        assert record["error"] == "agreement-closed"
        everyday = routes_pb2.OpenHours(days=range(1, 8), from_minute=0, to_minute=1440)
        world.change(agreement(hours=routes_pb2.Hours(time_zone="Asia/Ho_Chi_Minh", open=[everyday])))
        assert client.get(f"{API}/parcels/1", headers=STATED).status_code == 200


def test_what_this_gateway_does_not_know_lets_no_call_pass(world: World) -> None:
    message = agreement()
    message.agreement.requires.append(cast("routes_pb2.Statement.ValueType", 99))
    world.change(message)
    with world.client() as client:
        assert client.get(f"{API}/parcels/1", headers=STATED).json()["code"] == "no-agreement"
