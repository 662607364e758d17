"""Whether a call under way would still be allowed, and when that has to be asked again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lienthong.contracts.catalog.v1 import routes_pb2 as pb
from lienthong.gateway.authorize import still_allowed
from lienthong.gateway.context import NO_CONTEXT
from lienthong.gateway.operations import OperationRoute
from lienthong.gateway.policy import Grant
from lienthong.gateway.table import ReadResources, RoutingTable
from lienthong.kit.catalog import catalog_of
from lienthong.kit.problems import ProblemError

NOW = datetime(2026, 11, 23, 6, 30, 20, tzinfo=UTC)
DAY = timedelta(days=1)
OPERATION = OperationRoute("get", "GET", "/x")
SERVICE = "P/p/s-v1"


def rule(rule_id: str = "r", *, ends: datetime = NOW + DAY, **members: object) -> pb.Resource:
    agreement = pb.Agreement(
        **{  # type: ignore[arg-type]
            "id": rule_id,
            "consumer_id": "C/c",
            "service_id": SERVICE,
            "operations": ["get"],
            "purposes": ["p"],
            "status": pb.AGREEMENT_STATUS_APPROVED,
            **members,
        }
    )
    agreement.valid_from.FromDatetime(NOW - DAY)
    agreement.valid_to.FromDatetime(ends)
    key = pb.ResourceKey(kind=pb.RESOURCE_KIND_AGREEMENT, id=rule_id)
    return pb.Resource(key=key, agreement=agreement)


def table(*rules: pb.Resource, offered: bool = True, suspended: str = "") -> RoutingTable:
    resources = list(rules)
    for name in ("C/c", "P/p"):
        status = pb.STATUS_SUSPENDED if name == suspended else pb.STATUS_ACTIVE
        key = pb.ResourceKey(kind=pb.RESOURCE_KIND_SYSTEM, id=name)
        resources.append(pb.Resource(key=key, system=pb.System(id=name, status=status)))
    if offered:
        key = pb.ResourceKey(kind=pb.RESOURCE_KIND_SERVICE, id=SERVICE)
        service = pb.Service(id=SERVICE, system_id="P/p", status=pb.STATUS_ACTIVE, upstreams=["http://x"])
        resources.append(pb.Resource(key=key, service=service))
    return RoutingTable(catalog_of(1, resources), ReadResources())


def asked(found: RoutingTable, now: datetime = NOW) -> datetime | str:
    """When to ask again, or the code of the problem."""
    try:
        return still_allowed(found, SERVICE, OPERATION, "C/c", Grant("r", "p"), NO_CONTEXT, now, bound=False)
    except ProblemError as problem:
        return problem.code


def test_it_is_allowed_until_its_agreement_ends() -> None:
    assert asked(table(rule())) == NOW + DAY
    assert asked(table(rule()), NOW + DAY) == "agreement-expired"


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (table(), "no-agreement"),
        (table(rule(), offered=False), "unknown-service"),
        (table(rule(), suspended="C/c"), "client-suspended"),
        (table(rule(), suspended="P/p"), "unknown-service"),
        (table(rule(status=pb.AGREEMENT_STATUS_REVOKED)), "agreement-revoked"),
        (table(rule(operations=["another"])), "operation-not-in-agreement"),
        (table(rule(purposes=["another"])), "purpose-not-in-agreement"),
        (table(rule(requires=[pb.STATEMENT_CASE])), "missing-header"),
    ],
)
def test_it_ends_with_what_a_new_call_would_get(found: RoutingTable, code: str) -> None:
    assert asked(found) == code


@pytest.mark.parametrize(
    ("own", "code"),
    [
        (rule(status=pb.AGREEMENT_STATUS_REVOKED), "agreement-revoked"),
        (rule(operations=["another"]), "operation-not-in-agreement"),
        (rule(purposes=["another"]), "purpose-not-in-agreement"),
        (rule(ends=NOW), "agreement-revoked"),
    ],
)
def test_another_agreement_does_not_take_the_place_of_the_recorded_one(own: pb.Resource, code: str) -> None:
    assert asked(table(own, rule("a"))) == code


def test_an_older_agreement_that_would_be_taken_now_changes_nothing() -> None:
    assert asked(table(rule(), rule("a", ends=NOW + 2 * DAY))) == NOW + DAY


def test_where_an_agreement_has_hours_it_is_asked_every_minute() -> None:
    monday = pb.Hours(open=[pb.OpenHours(days=[1], from_minute=0, to_minute=24 * 60)], time_zone="UTC")
    assert asked(table(rule(hours=monday))) == NOW.replace(minute=31, second=0)
    assert asked(table(rule(hours=monday)), NOW + DAY / 2) == NOW.replace(hour=18, minute=31, second=0)
    assert asked(table(rule(hours=monday, ends=NOW + 3 * DAY)), NOW + DAY) == "agreement-closed"


@pytest.mark.parametrize(("sunset", "agreement"), [(NOW + DAY / 2, NOW + DAY), (NOW + 2 * DAY, NOW + DAY)])
def test_it_is_asked_again_when_its_service_ends_or_its_agreement(
    sunset: datetime, agreement: datetime
) -> None:
    service = pb.Service(id=SERVICE, system_id="P/p", status=pb.STATUS_ACTIVE, upstreams=["http://x"])
    service.ending.sunset_at.FromDatetime(sunset)
    key = pb.ResourceKey(kind=pb.RESOURCE_KIND_SERVICE, id=SERVICE)
    found = table(rule(ends=agreement), pb.Resource(key=key, service=service), offered=False)
    assert asked(found) == min(sunset, agreement)
    if sunset < agreement:
        assert asked(found, sunset) == "service-retired"
