"""Denied by default: only the provider publishes, only who has an agreement in force receives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from lienthong.contracts.catalog.v1 import routes_pb2 as contract
from lienthong.exchange.domain.catalog import EventCatalog
from lienthong.exchange.domain.permissions import publishable, receivable
from lienthong.kit.catalog import catalog_of
from lienthong.kit.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
LAND, ONE_STOP, OUTSIDER = "H11.05/land", "H11.01/one-stop", "H11.02/procedures"
EVENT_TYPE = "H11.05/land/parcel-changed-v1"


def system(identifier: str, status: int = contract.STATUS_ACTIVE) -> contract.Resource:
    key = contract.ResourceKey(kind=contract.RESOURCE_KIND_SYSTEM, id=identifier)
    return contract.Resource(key=key, system=contract.System(id=identifier, status=status))  # type: ignore[arg-type]


def event_type(status: int = contract.STATUS_ACTIVE) -> contract.Resource:
    key = contract.ResourceKey(kind=contract.RESOURCE_KIND_EVENT_TYPE, id=EVENT_TYPE)
    body = contract.EventType(id=EVENT_TYPE, system_id=LAND, status=status, data_schema="{}")  # type: ignore[arg-type]
    return contract.Resource(key=key, event_type=body)


def agreement(
    status: int = contract.AGREEMENT_STATUS_APPROVED,
    valid_from: datetime | None = None,
    valid_to: datetime | None = None,
    **changes: Any,  # noqa: ANN401
) -> contract.Resource:
    values = {"id": "a-1", "consumer_id": ONE_STOP, "event_type_id": EVENT_TYPE, "status": status, **changes}
    body = contract.Agreement(**values)
    if valid_from is not None:
        body.valid_from.FromDatetime(valid_from)
    if valid_to is not None:
        body.valid_to.FromDatetime(valid_to)
    key = contract.ResourceKey(kind=contract.RESOURCE_KIND_AGREEMENT, id=body.id)
    return contract.Resource(key=key, agreement=body)


def view(*resources: contract.Resource) -> EventCatalog:
    standing = {resource.key.id: resource for resource in (system(LAND), system(ONE_STOP), event_type())}
    standing |= {resource.key.id: resource for resource in (system(OUTSIDER), *resources)}
    return EventCatalog(catalog_of(1, standing.values()))


def code_of(decide: Callable[[], object]) -> str:
    with pytest.raises(ProblemError) as refused:
        decide()
    return refused.value.code


def test_a_system_publishes_its_own_event_types() -> None:
    assert publishable(view(), LAND, EVENT_TYPE).id == EVENT_TYPE


def test_nobody_else_publishes_them_not_even_with_an_agreement() -> None:
    assert code_of(lambda: publishable(view(agreement()), ONE_STOP, EVENT_TYPE)) == "not-the-provider"


def test_a_system_receives_by_an_agreement_and_its_own_without() -> None:
    assert receivable(view(agreement()), ONE_STOP, EVENT_TYPE, NOW).id == EVENT_TYPE
    assert receivable(view(), LAND, EVENT_TYPE, NOW).id == EVENT_TYPE


@pytest.mark.parametrize(
    "given",
    [
        agreement(consumer_id=OUTSIDER),
        agreement(event_type_id="H11.05/land/other-v1"),
        agreement(event_type_id="", service_id=EVENT_TYPE),
    ],
)
def test_no_other_agreement_helps(given: contract.Resource) -> None:
    assert code_of(lambda: receivable(view(given), ONE_STOP, EVENT_TYPE, NOW)) == "no-agreement"


def test_only_an_approved_agreement_lets_a_system_receive() -> None:
    for status in {*contract.AgreementStatus.values(), 99} - {contract.AGREEMENT_STATUS_APPROVED}:
        with pytest.raises(ProblemError) as refused:
            receivable(view(agreement(status)), ONE_STOP, EVENT_TYPE, NOW)
        assert refused.value.status == 403


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (agreement(contract.AGREEMENT_STATUS_REQUESTED), "agreement-pending"),
        (agreement(contract.AGREEMENT_STATUS_REQUESTED, valid_to=NOW), "agreement-pending"),
        (agreement(contract.AGREEMENT_STATUS_REVOKED), "agreement-revoked"),
        (agreement(contract.AGREEMENT_STATUS_REVOKED, valid_to=NOW), "agreement-revoked"),
        (agreement(valid_from=NOW + timedelta(seconds=1)), "agreement-not-yet-valid"),
        (agreement(valid_to=NOW), "agreement-expired"),
        (agreement(valid_from=NOW - timedelta(days=1), valid_to=NOW), "agreement-expired"),
    ],
)
def test_an_agreement_that_is_not_in_force_is_told_as_what_it_is(given: contract.Resource, code: str) -> None:
    with pytest.raises(ProblemError) as refused:
        receivable(view(given), ONE_STOP, EVENT_TYPE, NOW)
    assert (refused.value.status, refused.value.code) == (403, code)
    assert "a-1" in refused.value.detail.en
    assert "a-1" in refused.value.detail.vi


def test_the_day_from_which_or_until_which_an_agreement_is_valid_is_told() -> None:
    for given in (agreement(valid_from=NOW + timedelta(days=1)), agreement(valid_to=NOW - timedelta(days=1))):
        with pytest.raises(ProblemError) as refused:
            receivable(view(given), ONE_STOP, EVENT_TYPE, NOW)
        expected = "2026-11-24T06:30" if given.agreement.HasField("valid_from") else "2026-11-22T06:30"
        assert expected in refused.value.detail.en


def test_of_several_agreements_the_one_nearest_to_being_in_force_is_told() -> None:
    worst_first = [
        ("no-agreement", agreement(event_type_id="H11.05/land/other-v1", id="a-1")),
        ("agreement-revoked", agreement(contract.AGREEMENT_STATUS_REVOKED, id="a-2")),
        ("agreement-expired", agreement(valid_to=NOW, id="a-3")),
        ("agreement-pending", agreement(contract.AGREEMENT_STATUS_REQUESTED, id="a-4")),
        ("agreement-not-yet-valid", agreement(valid_from=NOW + timedelta(days=1), id="a-5")),
    ]
    for count, (code, _) in enumerate(worst_first, start=1):
        resources = [resource for _, resource in worst_first[:count]]
        for given in (view(*resources), view(*reversed(resources))):
            assert code_of(lambda given=given: receivable(given, ONE_STOP, EVENT_TYPE, NOW)) == code  # type: ignore[misc]


def test_an_agreement_holds_from_its_first_to_before_its_last_moment() -> None:
    given = view(agreement(valid_from=NOW, valid_to=NOW + timedelta(microseconds=1)))
    assert receivable(given, ONE_STOP, EVENT_TYPE, NOW).id == EVENT_TYPE


def test_of_two_agreements_one_in_force_is_enough() -> None:
    ended = agreement(valid_to=NOW - timedelta(days=1))
    assert receivable(view(ended, agreement(id="a-2")), ONE_STOP, EVENT_TYPE, NOW).id == EVENT_TYPE


@pytest.mark.parametrize("status", [contract.STATUS_SUSPENDED, contract.STATUS_UNSPECIFIED])
def test_a_suspended_provider_neither_publishes_nor_is_heard(status: int) -> None:
    given = view(agreement(), event_type(status))
    assert code_of(lambda: publishable(given, LAND, EVENT_TYPE)) == "provider-suspended"
    assert code_of(lambda: receivable(given, ONE_STOP, EVENT_TYPE, NOW)) == "provider-suspended"
    suspended = view(agreement(), system(LAND, status))
    assert code_of(lambda: publishable(suspended, LAND, EVENT_TYPE)) == "client-suspended"
    assert code_of(lambda: receivable(suspended, ONE_STOP, EVENT_TYPE, NOW)) == "provider-suspended"


def test_a_suspended_or_unknown_client_does_nothing() -> None:
    suspended = view(agreement(), system(ONE_STOP, contract.STATUS_SUSPENDED))
    assert code_of(lambda: receivable(suspended, ONE_STOP, EVENT_TYPE, NOW)) == "client-suspended"
    assert code_of(lambda: receivable(view(), "operator", EVENT_TYPE, NOW)) == "client-suspended"


def test_an_unknown_event_type_is_told() -> None:
    assert code_of(lambda: publishable(view(), LAND, "H11.05/land/nothing-v1")) == "unknown-event-type"
