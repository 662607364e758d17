"""The life of an agreement as its two sides see it: drafts, questions, two people, suspension, history."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from lienthong.catalog.agreements.domain.agreement import recorded_changes
from lienthong.catalog.agreements.domain.lifecycle import AgreementAction as Step
from tests.integration.catalog.desk import (
    BOTH,
    CONSUMER,
    DEVELOPER,
    FIRST,
    PLACE,
    PROVIDER,
    SECOND,
    SECURITY,
    UNRELATED,
    Desk,
    refused,
)
from tests.support.catalog import OPERATOR, opened_catalog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lienthong.kit.clock import ManualClock


@pytest.fixture
async def desk(database_url: str, clock: ManualClock) -> AsyncIterator[Desk]:
    async with opened_catalog(database_url, clock) as catalog:
        desk = Desk(catalog)
        await desk.apply(*PLACE.without_agreement())
        yield desk


async def test_a_draft_is_its_agencys_until_it_is_submitted(desk: Desk, clock: ManualClock) -> None:
    agreements = desk.catalog.services.agreements
    draft = await desk.ask(DEVELOPER, status="draft")
    assert (draft.status, draft.asked_at) == ("draft", None)
    for other in (PROVIDER, UNRELATED, FIRST):
        await refused("unknown-resource", agreements.seen(draft.id, other))
        await refused("unknown-resource", agreements.history(draft.id, other, after=0, limit=1))
        page = await agreements.seen_page({}, other, after="", limit=10)
        assert not page.items
    for own in (CONSUMER, DEVELOPER, OPERATOR, SECURITY):
        assert (await agreements.seen(draft.id, own)).id == draft.id
        assert (await agreements.seen_page({}, own, after="", limit=10)).items
    await refused("conflict", desk.take(Step.APPROVE, OPERATOR))
    changed = await desk.change(DEVELOPER, purposes=["other"])
    assert (changed.status, changed.spec["purposes"]) == ("draft", ["other"])
    assert await desk.take(Step.SUBMIT, CONSUMER) == "requested"
    shown = (await agreements.seen(draft.id, PROVIDER)).manifest_at(clock.now(), timedelta(days=10))
    assert (shown["dueAt"], shown["overdue"]) == (_later(clock, 10), False)
    clock.advance(timedelta(days=10))
    late = (await agreements.seen(draft.id, PROVIDER)).manifest_at(clock.now(), timedelta(days=10))
    assert late["overdue"] is True


def _later(clock: ManualClock, days: int) -> str:
    return (clock.now() + timedelta(days=days)).isoformat().replace("+00:00", "Z")


async def test_the_owner_asks_and_the_consumer_answers(desk: Desk) -> None:
    await desk.ask()
    assert await desk.take(Step.ASK, FIRST, reason="Vì sao cần mọi thao tác?") == "information-needed"
    await refused("conflict", desk.take(Step.APPROVE, PROVIDER))
    await refused("not-allowed", desk.take(Step.ANSWER, UNRELATED, reason="x"))
    await refused("role-required", desk.take(Step.ANSWER, FIRST, reason="x"))
    await refused("invalid-manifests", desk.take(Step.ANSWER, CONSUMER))
    changed = await desk.change(CONSUMER, operations=["getParcel"])
    assert changed.status == "information-needed"
    assert await desk.take(Step.ANSWER, CONSUMER, reason="Chỉ cần một thao tác") == "requested"
    assert await desk.take(Step.APPROVE, PROVIDER) == "approved"
    assert await desk.history() == [
        ("request", "requested", PLACE.consumer),
        ("ask", "information-needed", "person/5"),
        ("change", "information-needed", PLACE.consumer),
        ("answer", "requested", PLACE.consumer),
        ("approve", "approved", PLACE.provider),
    ]


async def test_personal_data_take_two_people_of_the_owner(desk: Desk) -> None:
    await desk.apply(PLACE.service(personalData=True))
    await desk.ask()
    for program in (PROVIDER, OPERATOR):
        assert "two people" in await refused("not-allowed", desk.take(Step.APPROVE, program))
    assert await desk.take(Step.APPROVE, FIRST) == "endorsed"
    # The same one again is one approval; in other words it is said that another one has to.
    assert await desk.take(Step.APPROVE, FIRST) == "endorsed"
    assert "second person" in await refused("conflict", desk.take(Step.APPROVE, FIRST, reason="thêm"))
    assert await desk.take(Step.APPROVE, SECOND) == "approved"
    agreement = await desk.catalog.services.agreements.get(PLACE.agreement_id)
    assert [(one.status, one.by) for one in agreement.decisions] == [
        ("endorsed", "person/5"),
        ("approved", "person/6"),
    ]


async def test_other_terms_take_both_people_again(desk: Desk) -> None:
    await desk.apply(PLACE.service(personalData=True))
    await desk.ask()
    await desk.take(Step.APPROVE, FIRST)
    assert (await desk.change(CONSUMER, purposes=["other"])).status == "requested"
    assert await desk.take(Step.APPROVE, FIRST) == "endorsed"
    await desk.apply(PLACE.agreement(purposes=["third"]))
    assert await desk.take(Step.APPROVE, SECOND) == "endorsed"
    assert await desk.take(Step.APPROVE, FIRST) == "approved"


async def test_what_a_provider_says_of_its_data_counts_before_its_document(desk: Desk) -> None:
    document = PLACE.service()["spec"]["openapi"]
    item = next(iter(document["paths"].values()))
    method = next(iter(item))
    item[method]["x-lgsp-person"] = {"answer": ["personId"]}
    named = item[method]["operationId"]
    [other] = {one["operationId"] for path in document["paths"].values() for one in path.values()} - {named}
    await desk.apply(PLACE.service(openapi=document))
    await desk.ask(operations=[other])
    assert await desk.take(Step.APPROVE, PROVIDER) == "approved"
    await desk.ask(id="all")
    agreements = desk.catalog.services.agreements
    await refused("not-allowed", agreements.take("H11.01.one-stop.all", Step.APPROVE, {}, PROVIDER))
    await desk.apply(PLACE.service(openapi=document, personalData=False))
    assert (await agreements.take("H11.01.one-stop.all", Step.APPROVE, {}, PROVIDER)).status == "approved"


async def test_a_person_approves_no_personal_data_by_a_file(desk: Desk) -> None:
    await desk.apply(PLACE.service(personalData=True))
    wanted = PLACE.agreement(status="approved")
    assert "two people" in await refused("invalid-manifests", desk.apply(wanted, by=BOTH))
    # What was agreed before there was the platform is brought in by the operator's client.
    await desk.apply(wanted)
    assert await desk.history() == [("approve", "approved", "operator")]


async def test_who_suspended_it_lets_it_go_on(desk: Desk) -> None:
    await desk.ask()
    await desk.take(Step.APPROVE, PROVIDER)
    assert await desk.take(Step.SUSPEND, FIRST, reason="kiểm tra") == "suspended"
    await refused("conflict", desk.apply(PLACE.agreement(status="approved", purposes=["x"])))
    await desk.apply(PLACE.agreement(status="approved"))
    assert await desk.take(Step.RESUME, SECOND) == "approved"
    assert await desk.take(Step.SUSPEND, SECURITY, reason="sự cố") == "suspended"
    await refused("suspended-by-platform", desk.take(Step.RESUME, FIRST))
    agreement = await desk.catalog.services.agreements.get(PLACE.agreement_id)
    assert agreement.manifest()["suspendedBy"] == "platform"
    assert await desk.take(Step.RESUME, SECURITY) == "approved"
    assert await desk.take(Step.WITHDRAW, CONSUMER) == "withdrawn"
    await refused("conflict", desk.take(Step.RESUME, SECURITY))


async def test_nobody_widens_an_approved_agreement_alone(desk: Desk) -> None:
    await desk.apply(PLACE.agreement(status="approved", limits={"perDay": 10}))
    wider = PLACE.agreement(status="approved", limits={"perDay": 11})
    for who in (OPERATOR, BOTH):
        assert "amendment" in await refused("conflict", desk.apply(wider, by=who))
    await desk.apply(PLACE.agreement(status="approved", limits={"perDay": 9}))
    steps, _ = await desk.catalog.services.agreements.history(PLACE.agreement_id, OPERATOR, after=0, limit=10)
    assert list(steps[-1].changes) == [{"path": "limits.perDay", "old": 10, "new": 9}]


async def test_who_decides_on_what_was_changed_meanwhile_is_told(desk: Desk) -> None:
    read = await desk.ask()
    later = await desk.change(CONSUMER, purposes=["other"])
    assert await desk.change(CONSUMER, stated=later.version, purposes=["other"]) == later
    text = await refused("changed-since", desk.take(Step.APPROVE, PROVIDER, read.version))
    assert str(later.version) in text
    await refused("changed-since", desk.change(CONSUMER, stated=read.version, purposes=["third"]))
    assert await desk.take(Step.APPROVE, PROVIDER, later.version) == "approved"
    await refused("conflict", desk.change(CONSUMER, purposes=["third"]))


async def test_a_change_is_about_the_same_parties(desk: Desk) -> None:
    await desk.ask()
    await refused("invalid-manifests", desk.change(CONSUMER, consumer=PLACE.unrelated))
    await refused("invalid-manifests", desk.change(CONSUMER, service=f"{PLACE.provider}/other-v1"))
    await refused("not-allowed", desk.change(UNRELATED, purposes=["x"]))
    await refused("invalid-manifests", desk.change(CONSUMER, status="approved"))


async def test_the_history_comes_in_pages(desk: Desk) -> None:
    await desk.ask()
    for number in range(4):
        await desk.change(CONSUMER, purposes=[f"p{number}"])
    agreements, seen, after = desk.catalog.services.agreements, [], 0
    while True:
        steps, last = await agreements.history(PLACE.agreement_id, CONSUMER, after=after, limit=2)
        seen += [one.version for one in steps]
        if last is None:
            break
        after = last
    assert len(seen) == 5
    assert seen == sorted(set(seen))


def test_an_audit_record_leaves_long_values_out_and_says_so() -> None:
    changes = [{"path": f"p{number}", "old": None, "new": "x" * 10_000} for number in range(3)]
    assert recorded_changes(changes) == [
        changes[0],
        {"path": "p1", "left_out": True},
        {"path": "p2", "left_out": True},
    ]
