"""Requests for agreements that nobody decides: how many may wait, and how long."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from lienthong.catalog.agreements.domain.lifecycle import AgreementAction
from lienthong.catalog.agreements.models import WAITS
from lienthong.catalog.agreements.service.agreements import LAPSED_AT_ONCE
from lienthong.catalog.agreements.service.requests import RequestLimits
from lienthong.catalog.bootstrap import SCHEMA
from lienthong.contracts.catalog.v1 import routes_pb2 as pb
from lienthong.kit.actors import Actor
from lienthong.kit.database import Database
from lienthong.kit.problems import ProblemError
from tests.integration.catalog.province import Province
from tests.support.catalog import OPERATOR, Catalog, opened_catalog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lienthong.kit.clock import ManualClock

LIMITS = RequestLimits(open_per_system=3, lapse_after_days=90, per_day=5, decide_within_days=10)
PLACE = Province("H11")
CONSUMER = Actor(PLACE.consumer, transaction_id="019ab000-0000-7000-8000-000000000001")
PROVIDER = Actor(PLACE.provider, transaction_id="019ab000-0000-7000-8000-000000000002")


@pytest.fixture
async def catalog(database_url: str, clock: ManualClock) -> AsyncIterator[Catalog]:
    async with opened_catalog(database_url, clock, LIMITS) as catalog:
        body = json.dumps({"manifests": PLACE.without_agreement()}).encode()
        await catalog.services.apply.apply(body, OPERATOR, dry_run=False)
        yield catalog


async def ask(catalog: Catalog, agreement_id: str, actor: Actor = CONSUMER) -> str:
    """Request an agreement; its id, which may be one in the name space of the system."""
    asked = {"id": agreement_id, **PLACE.terms()}
    agreement, _ = await catalog.services.agreements.request(asked, actor)
    return agreement.id


async def reject(catalog: Catalog, agreement_id: str) -> None:
    decision = {"legal_ground": "Luật Dữ liệu 2024"}
    await catalog.services.agreements.take(agreement_id, AgreementAction.REJECT, decision, PROVIDER)


async def approve(catalog: Catalog, agreement_id: str) -> None:
    await catalog.services.agreements.take(agreement_id, AgreementAction.APPROVE, {}, OPERATOR)


async def statuses(catalog: Catalog) -> dict[str, str]:
    page = await catalog.services.agreements.page({}, after="", limit=200)
    return {agreement.id: agreement.status for agreement in page.items}


async def test_a_system_that_is_at_its_limit_is_told_what_makes_room(catalog: Catalog) -> None:
    ids = [await ask(catalog, f"a-{number}") for number in range(3)]
    assert await ask(catalog, "a-0") == ids[0], "the same request again is no other one"
    with pytest.raises(ProblemError) as refused:
        await ask(catalog, "a-3")
    assert (refused.value.status, refused.value.code) == (409, "too-many-open-requests")
    assert f"3 requests of '{PLACE.consumer}'" in refused.value.detail.en
    assert "90 days" in refused.value.detail.en
    await ask(catalog, "operators", OPERATOR)
    await approve(catalog, ids[1])
    await approve(catalog, ids[2])
    await ask(catalog, "a-3")


async def test_what_becomes_of_requests_makes_no_room_for_more_of_them_within_a_day(
    catalog: Catalog, clock: ManualClock
) -> None:
    for number in range(5):
        await reject(catalog, await ask(catalog, f"a-{number}"))
        clock.advance(timedelta(hours=1))
    with pytest.raises(ProblemError) as refused:
        await ask(catalog, "a-5")
    assert (refused.value.status, refused.value.code) == (429, "rate-limited")
    assert f"5 agreements of '{PLACE.consumer}'" in refused.value.detail.en
    assert refused.value.headers == {
        "Retry-After": str(19 * 3600),
        "RateLimit-Policy": '"agreement-requests-per-day";q=5;w=86400',
        "RateLimit": f'"agreement-requests-per-day";r=0;t={19 * 3600}',
    }
    clock.advance(timedelta(hours=19))
    await ask(catalog, "a-5")
    assert await ask(catalog, "a-6", OPERATOR), "the operator is not refused"


async def test_a_system_decides_so_often_and_the_operator_may_always_revoke(
    catalog: Catalog, clock: ManualClock
) -> None:
    asked = [await ask(catalog, f"o-{number}", OPERATOR) for number in range(3)]
    limit = catalog.decisions.limit
    while catalog.decisions.wait(PROVIDER.name) == 0:
        pass
    with pytest.raises(ProblemError) as refused:
        await reject(catalog, asked[0])
    assert (refused.value.status, refused.value.code) == (429, "rate-limited")
    assert limit.name in refused.value.headers["RateLimit"]
    for agreement_id in asked:
        await approve(catalog, agreement_id)
        await catalog.carry_out({"revoke": agreement_id})
    clock.advance(60)
    asked = [await ask(catalog, "o-3", OPERATOR)]
    await reject(catalog, asked[0])


async def test_a_request_that_nobody_decides_lapses_and_leaves_the_stream(
    catalog: Catalog, clock: ManualClock
) -> None:
    early, approved = await ask(catalog, "early"), await ask(catalog, "approved")
    await approve(catalog, approved)
    clock.advance(timedelta(days=89))
    late = await ask(catalog, "late")
    assert await catalog.services.agreements.lapse() == 0
    clock.advance(timedelta(days=1, microseconds=1))
    assert await catalog.services.agreements.lapse() == 1
    assert await catalog.services.agreements.lapse() == 0
    assert await statuses(catalog) == {early: "lapsed", approved: "approved", late: "requested"}
    found = await catalog.services.agreements.get(early)
    (decision,) = found.decisions
    assert (decision.status, decision.by, decision.legal_ground) == ("lapsed", "catalog", "")
    assert "90 days" in decision.reason
    assert found.manifest_at(clock.now(), timedelta(days=10))["effectiveStatus"] == "lapsed"
    snapshot = await catalog.snapshot()
    sent = [one.key.id for one in snapshot.resources if one.key.kind == pb.RESOURCE_KIND_AGREEMENT]
    assert sent == [approved, late]
    with pytest.raises(ProblemError, match="lapsed, which is final"):
        await approve(catalog, early)
    with pytest.raises(ProblemError, match="lapsed, which is final"):
        await ask(catalog, "early")


async def test_terms_that_change_are_a_new_request(catalog: Catalog, clock: ManualClock) -> None:
    changed = await ask(catalog, "changed")
    clock.advance(timedelta(days=80))
    manifest = PLACE.agreement(changed, purposes=["other"])
    await catalog.services.apply.apply(
        json.dumps({"manifests": [manifest]}).encode(), OPERATOR, dry_run=False
    )
    clock.advance(timedelta(days=80))
    assert await catalog.services.agreements.lapse() == 0


async def test_requests_lapse_a_portion_at_a_time_the_oldest_first(
    catalog: Catalog, clock: ManualClock
) -> None:
    for number in range(LAPSED_AT_ONCE + 5):
        clock.advance(1)
        await ask(catalog, f"a-{number:03}", OPERATOR)
    clock.advance(timedelta(days=91))
    assert await catalog.services.agreements.lapse() == LAPSED_AT_ONCE
    left = [name for name, status in (await statuses(catalog)).items() if status == "requested"]
    assert left == [f"a-{number:03}" for number in range(LAPSED_AT_ONCE, LAPSED_AT_ONCE + 5)]
    assert await catalog.services.agreements.lapse() == 5


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_each_question_is_answered_by_an_index(catalog: Catalog, database_url: str) -> None:
    """On SQLite alone: PostgreSQL plans by what a table holds."""
    database = Database.open(database_url, schema=SCHEMA)
    try:
        async with database.reading() as session:
            for question, index in QUESTIONS:
                asked = question.replace(".waits", f".{WAITS}")
                plan = await session.execute(text(f"EXPLAIN QUERY PLAN {asked}"))
                assert index in str(plan.all())
    finally:
        await database.close()


QUESTIONS = (
    (
        "SELECT count(*) FROM agreements WHERE agreements.waits AND consumer_id = 'x'",
        "ix_agreements_waiting_of",
    ),
    (
        "SELECT * FROM agreements WHERE agreements.waits AND updated_at < 'x' ORDER BY updated_at",
        "ix_agreements_waiting_at",
    ),
    (
        "SELECT * FROM agreements WHERE remind_at <= 'x' ORDER BY remind_at LIMIT 100",
        "ix_agreements_remind_at",
    ),
    (
        "SELECT * FROM amendments WHERE amendments.waits AND agreement_id IN ('x', 'y')",
        "ix_amendments_waiting",
    ),
    (
        "SELECT * FROM amendments WHERE amendments.waits AND updated_at < 'x' ORDER BY updated_at",
        "ix_amendments_waiting_at",
    ),
    (
        "SELECT created_at FROM agreements WHERE consumer_id = 'x' AND created_at > 'x' ORDER BY created_at",
        "COVERING INDEX ix_agreements_consumer_id_created_at",
    ),
)
