"""Other terms of an approved agreement are asked for, and hold once the owner has approved them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from lienthong.catalog.agreements.domain.lifecycle import AgreementAction as Step
from tests.integration.catalog.desk import (
    CONSUMER,
    DEVELOPER,
    FIRST,
    PLACE,
    PROVIDER,
    SECOND,
    UNRELATED,
    Desk,
    refused,
)
from tests.integration.catalog.province import Province
from tests.support.catalog import OPERATOR, opened_catalog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lienthong.catalog.agreements.domain.agreement import AgreementResource
    from lienthong.kit.actors import Actor
    from lienthong.kit.clock import ManualClock

WITHIN = timedelta(days=10)
AGREED = PLACE.agreement(status="approved", limits={"perDay": 9}, validTo="2026-12-31")
WIDER: dict[str, Any] = {"limits": {"perDay": 20}, "validTo": "2027-12-31"}


@pytest.fixture
async def desk(database_url: str, clock: ManualClock) -> AsyncIterator[Desk]:
    async with opened_catalog(database_url, clock) as catalog:
        desk = Desk(catalog)
        await desk.apply(*PLACE.without_agreement(), AGREED)
        yield desk


async def amend(desk: Desk, terms: dict[str, Any], by: Actor = CONSUMER) -> AgreementResource:
    body = {"terms": terms, "reason": "thêm một cửa"}
    return await desk.catalog.services.amendments.request(PLACE.agreement_id, body, by)


async def take(
    desk: Desk, step: Step, by: Actor, stated: int | None = None, **body: str
) -> AgreementResource:
    return await desk.catalog.services.amendments.take(PLACE.agreement_id, step, body, by, stated)


async def test_an_amendment_holds_once_it_is_approved(desk: Desk, clock: ManualClock) -> None:
    before = await desk.catalog.services.agreements.get(PLACE.agreement_id)
    asked = await amend(desk, WIDER)
    assert asked.spec == before.spec
    shown = asked.manifest_at(clock.now(), WITHIN)["amendment"]
    assert (shown["number"], shown["status"], shown["widens"]) == (1, "requested", ["validTo", "limits"])
    assert {change["path"] for change in shown["changes"]} == {"limits.perDay", "validTo"}
    assert shown["overdue"] is False
    assert await amend(desk, WIDER) == await desk.catalog.services.agreements.get(PLACE.agreement_id)
    decided = await take(desk, Step.APPROVE, PROVIDER)
    assert decided.amendment is None
    assert (decided.status, decided.spec["limits"]) == ("approved", {"perDay": 20})
    assert (await take(desk, Step.APPROVE, PROVIDER)).version == decided.version
    await refused("conflict", take(desk, Step.REJECT, PROVIDER, legal_ground="x"))
    steps, _ = await desk.catalog.services.agreements.history(PLACE.agreement_id, CONSUMER, after=0, limit=9)
    assert [(one.action, one.amendment, one.by) for one in steps] == [
        ("approve", 0, "operator"),
        ("request", 1, PLACE.consumer),
        ("approve", 1, PLACE.provider),
    ]
    assert {change["path"]: change["new"] for change in steps[-1].changes} == {
        "limits.perDay": 20,
        "validTo": decided.spec["validTo"],
    }
    # The file of before would make it narrower again; that of now changes nothing.
    await desk.apply(PLACE.agreement(status="approved", **WIDER))
    assert (await desk.catalog.services.agreements.get(PLACE.agreement_id)).version == decided.version


async def test_what_is_rejected_or_withdrawn_changes_nothing(desk: Desk) -> None:
    before = await desk.catalog.services.agreements.get(PLACE.agreement_id)
    await amend(desk, WIDER, DEVELOPER)
    await refused("invalid-manifests", take(desk, Step.REJECT, FIRST))
    await refused("role-required", take(desk, Step.REJECT, DEVELOPER, legal_ground="x"))
    assert (await take(desk, Step.REJECT, FIRST, legal_ground="Điều 16")).spec == before.spec
    await amend(desk, WIDER)
    await refused("not-allowed", take(desk, Step.WITHDRAW, UNRELATED))
    after = await take(desk, Step.WITHDRAW, CONSUMER)
    assert (after.spec, after.status, after.amendment) == (before.spec, "approved", None)
    await refused("conflict", take(desk, Step.APPROVE, PROVIDER))


async def test_one_waits_at_a_time_and_the_owner_may_ask(desk: Desk) -> None:
    await amend(desk, WIDER)
    await refused("conflict", amend(desk, {"limits": None}))
    asked = await take(desk, Step.ASK, FIRST, reason="Đến bao giờ?")
    assert asked.amendment is not None
    assert asked.amendment.status == "information-needed"
    await refused("conflict", take(desk, Step.APPROVE, PROVIDER))
    answered = await take(desk, Step.ANSWER, CONSUMER, reason="Hết năm 2027")
    await refused("changed-since", take(desk, Step.APPROVE, PROVIDER, asked.version))
    assert (await take(desk, Step.APPROVE, PROVIDER, answered.version)).amendment is None


async def test_personal_data_take_two_people_again(desk: Desk) -> None:
    await desk.apply(PLACE.service(personalData=True))
    await amend(desk, WIDER)
    for program in (PROVIDER, OPERATOR):
        await refused("not-allowed", take(desk, Step.APPROVE, program))
    first = await take(desk, Step.APPROVE, FIRST)
    assert first.amendment is not None
    assert (first.amendment.status, first.spec["limits"]) == ("endorsed", {"perDay": 9})
    assert (await take(desk, Step.APPROVE, FIRST)).version == first.version
    await refused("conflict", take(desk, Step.APPROVE, FIRST, reason="lần nữa"))
    assert (await take(desk, Step.APPROVE, SECOND)).spec["limits"] == {"perDay": 20}


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ([], ""),
        ({}, "/terms"),
        ({"terms": {}, "reason": "x"}, "/terms"),
        ({"terms": {"purposes": ["a"]}}, "/reason"),
        ({"terms": {"purposes": []}, "reason": "x"}, "/purposes"),
        ({"terms": {"consumer": PLACE.unrelated}, "reason": "x"}, "/consumer"),
        ({"terms": {"operations": ["nothing"]}, "reason": "x"}, "/operations/0"),
        ({"terms": {"status": "approved"}, "reason": "x"}, "/status"),
        ({"terms": {"purposes": None}, "reason": "x"}, "/purposes"),
        ({"terms": {"purposes": ["a"]}, "reason": "x", "more": 1}, "/more"),
    ],
)
async def test_a_wrong_amendment_names_its_mistake(desk: Desk, body: Any, place: str) -> None:  # noqa: ANN401
    asked = desk.catalog.services.amendments.request(PLACE.agreement_id, body, CONSUMER)
    assert f"{place}: " in await refused("invalid-manifests", asked)


async def test_only_approved_agreements_are_amended(desk: Desk) -> None:
    await refused("conflict", amend(desk, {"limits": {"perDay": 9}}))
    await refused("not-allowed", amend(desk, WIDER, PROVIDER))
    await amend(desk, WIDER)
    await desk.take(Step.REVOKE, PROVIDER, reason="x")
    await refused("conflict", take(desk, Step.APPROVE, PROVIDER))
    await take(desk, Step.WITHDRAW, CONSUMER)
    await refused("conflict", amend(desk, WIDER))


async def test_what_has_gone_meanwhile_is_not_approved(desk: Desk) -> None:
    await amend(desk, {"operations": ["getParcel"]})
    document = PLACE.service()["spec"]["openapi"]
    for item in document["paths"].values():
        for one in item.values():
            if one["operationId"] == "getParcel":
                one["operationId"] = "readParcel"
    await desk.apply(PLACE.service(openapi=document))
    await refused("invalid-manifests", take(desk, Step.APPROVE, PROVIDER))


async def test_an_amendment_that_nobody_decides_lapses(desk: Desk, clock: ManualClock) -> None:
    await amend(desk, WIDER)
    clock.advance(timedelta(days=90))
    assert await desk.catalog.services.amendments.lapse() == 0
    clock.advance(timedelta(seconds=1))
    assert await desk.catalog.services.amendments.lapse() == 1
    assert await desk.catalog.services.amendments.lapse() == 0
    agreement = await desk.catalog.services.agreements.get(PLACE.agreement_id)
    assert (agreement.status, agreement.amendment) == ("approved", None)


async def test_each_side_finds_what_waits_for_it(desk: Desk) -> None:
    async def waiting(side: str, **more: str) -> list[str]:
        filters = {"waiting_for": [side], **{name: [value] for name, value in more.items()}}
        page = await desk.catalog.services.agreements.page(filters, after="", limit=9)
        return [one.id.rpartition(".")[2] for one in page.items]

    other = Province("H12")
    await desk.apply(*other.everything())
    await desk.ask(DEVELOPER, id="drafted", status="draft")
    assert await waiting("consumer") == ["drafted"]
    assert await waiting("owner") == ["parcels"]
    assert await waiting("owner", provider="H11.05") == []
    await amend(desk, WIDER)
    assert await waiting("owner", provider="H11.05") == ["parcels"]
    await take(desk, Step.ASK, FIRST, reason="?")
    assert await waiting("owner", provider="H11.05") == []
    assert await waiting("consumer", consumer_agency="H11.01") == ["drafted", "parcels"]
    assert await waiting("consumer", consumer_agency="H12.01") == []
