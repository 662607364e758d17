"""Agencies that are merged: their codes end, what they have goes over, and ids stay."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from lienthong.catalog.agreements.domain.lifecycle import AgreementAction as Step
from lienthong.catalog.domain.resources import ResourceKind
from lienthong.catalog.models import OUTBOX
from lienthong.catalog.search.domain.asked import Asked
from lienthong.kit.problems import ProblemError
from tests.integration.catalog.desk import CONSUMER, PLACE, PROVIDER, Desk, refused
from tests.integration.catalog.province import agency, manifest, name, system
from tests.support.catalog import OPERATOR, opened_catalog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from lienthong.kit.clock import ManualClock

OLD, NEW, ON = "H11.05", "H68.05", "2025-07-01"
ENDED = "2025-06-30T17:00:00Z"


@pytest.fixture
async def desk(database_url: str, clock: ManualClock) -> AsyncIterator[Desk]:
    async with opened_catalog(database_url, clock) as catalog:
        desk = Desk(catalog)
        await desk.apply(*PLACE.everything(), agency("H68"), agency(NEW, parent="H68"))
        await desk.apply(
            agency("H11.05.01", parent=OLD), agency("H11.05.02", parent=OLD, validTo="2020-01-01")
        )
        yield desk


async def merge(
    desk: Desk, *old: str, into: str = NEW, on: str = ON, dry_run: bool = False
) -> dict[str, Any]:
    body = {"agencies": list(old), "into": into, "on": on}
    merged = await desk.catalog.services.mergers.merge(body, OPERATOR, dry_run=dry_run)
    return merged.document()


async def published(desk: Desk, **having: str) -> list[Mapping[str, Any]]:
    """What waits for the bus or the journal and has these members, oldest first."""
    async with desk.catalog.database.reading() as session:
        found = [
            json.loads(one) for one in await session.scalars(select(OUTBOX.c.payload).order_by(OUTBOX.c.id))
        ]
    return [one for one in found if having.items() <= one.items()]


async def shown(desk: Desk, kind: ResourceKind, identity: str) -> dict[str, Any]:
    async with desk.catalog.services.agencies._units.view() as view:
        found: dict[str, Any] = (await view.get((kind, identity))).manifest()
    return found


async def ids(desk: Desk, kind: ResourceKind, **filters: str) -> list[str]:
    async with desk.catalog.services.agencies._units.view() as view:
        return await view.resources(kind).find_ids({member: [value] for member, value in filters.items()})


async def test_what_an_agency_has_goes_over_and_ids_stay(desk: Desk) -> None:
    done = await merge(desk, "000.00.05.H11")

    assert done["agencies"] == [{"id": OLD, "action": "merged"}]
    assert done["moved"] == {
        "agencies": ["H11.05.01"],
        "systems": [PLACE.provider, PLACE.colleague],
        "services": [PLACE.service_id],
        "event_types": [PLACE.event_type_id],
        "agreements": [PLACE.agreement_id],
    }
    old = await shown(desk, ResourceKind.AGENCY, OLD)
    assert (old["spec"]["validTo"], old["spec"]["replacedBy"], old["mergedInto"]) == (ENDED, NEW, NEW)
    assert (await shown(desk, ResourceKind.AGENCY, "H11.05.01"))["spec"]["parent"] == NEW
    assert (await shown(desk, ResourceKind.AGENCY, "H11.05.02"))["spec"]["parent"] == OLD, "it ended before"
    assert (await shown(desk, ResourceKind.SYSTEM, PLACE.provider))["agency"] == NEW
    for kind in (ResourceKind.SYSTEM, ResourceKind.SERVICE, ResourceKind.EVENT_TYPE):
        assert await ids(desk, kind, agency=OLD) == []
        assert await ids(desk, kind, agency=NEW)
    assert await ids(desk, ResourceKind.AGREEMENT, provider=NEW) == [PLACE.agreement_id]
    assert await ids(desk, ResourceKind.AGREEMENT, provider=OLD) == []


async def test_it_is_found_under_the_successor_and_stays_there_when_it_changes(desk: Desk) -> None:
    await merge(desk, OLD)
    service = PLACE.service(name=name("Thửa đất mới"))
    await desk.apply(service, manifest("Service", f"{PLACE.colleague}/points-v1", **service["spec"]))

    found = await desk.catalog.services.search.search(
        Asked.of("thua dat"), OPERATOR, kind=ResourceKind.SERVICE, agency=NEW, after=None, limit=10
    )

    assert sorted(hit.id for hit in found.hits) == [PLACE.service_id, f"{PLACE.colleague}/points-v1"]
    assert [one.agency for one in found.agencies] == [NEW]


async def test_a_dry_run_tells_the_same_and_changes_nothing(desk: Desk) -> None:
    dry = await merge(desk, OLD, dry_run=True)
    assert await ids(desk, ResourceKind.SYSTEM, agency=OLD) == [PLACE.provider, PLACE.colleague]
    done = await merge(desk, OLD)
    assert dry["moved"] == done["moved"]
    assert (dry["dry_run"], done["dry_run"]) == (True, False)
    assert dry["version"] < done["version"]


async def test_repeated_it_changes_nothing(desk: Desk) -> None:
    first = await merge(desk, OLD)
    again = await merge(desk, OLD)
    assert again["agencies"] == [{"id": OLD, "action": "unchanged"}]
    assert not any(again["moved"].values())
    assert again["version"] == first["version"]


async def test_records_and_events_tell_of_it(desk: Desk) -> None:
    await merge(desk, OLD)

    [record] = await published(desk, action="agency.merge")
    assert (record["object"], record["actor"]) == (f"Agency/{OLD}", OPERATOR.name)
    assert record["detail"]["changes"] == {
        "validTo": {"old": None, "new": ENDED},
        "replacedBy": {"old": None, "new": NEW},
    }
    assert record["detail"]["moved"]["systems"] == 2
    moved = await published(desk, action="system.move")
    assert [one["object"] for one in moved] == [f"System/{PLACE.provider}", f"System/{PLACE.colleague}"]
    assert moved[0]["detail"]["changes"] == {"agency": {"old": OLD, "new": NEW}}
    event = (await published(desk, kind="Agency", id=OLD))[-1]
    assert event["resource"]["mergedInto"] == NEW
    assert (await published(desk, kind="System", id=PLACE.provider))[-1]["resource"]["agency"] == NEW


async def test_an_ended_agency_takes_nothing_new_and_names_its_successor(desk: Desk) -> None:
    await desk.apply(agency(OLD, validTo="2025-06-30", replacedBy=NEW))
    for new in (
        system(f"{OLD}/another"),
        manifest("Service", f"{PLACE.provider}/other-v1", **PLACE.service()["spec"]),
        PLACE.agreement("another-agreement"),
        agency("H11.05.03", parent=OLD),
    ):
        said = await refused("conflict", desk.apply(new))
        assert NEW in said or OLD in said
    with pytest.raises(ProblemError) as problem:
        await desk.ask(id="another")
    assert problem.value.code == "conflict"
    assert NEW in str(problem.value.extra)


async def test_after_a_merger_what_went_over_lives_on(desk: Desk) -> None:
    await merge(desk, OLD)
    await refused("conflict", desk.apply(system(f"{OLD}/another")))

    await desk.apply(manifest("Service", f"{PLACE.provider}/other-v1", **PLACE.service()["spec"]))
    assert await desk.take(Step.APPROVE, PROVIDER) == "approved"
    asked = {"id": "more", **PLACE.terms(service=f"{PLACE.provider}/other-v1")}
    agreement, new = await desk.catalog.services.agreements.request(asked, CONSUMER)
    assert (agreement.status, new) == ("requested", True)


async def test_manifests_of_before_are_applied_again_but_do_not_open_the_code_again(desk: Desk) -> None:
    await merge(desk, OLD)
    before = await shown(desk, ResourceKind.SYSTEM, PLACE.provider)
    await desk.apply(manifest("System", PLACE.provider, **before["spec"]), PLACE.service())
    assert (await shown(desk, ResourceKind.SYSTEM, PLACE.provider)) == before
    ended = await shown(desk, ResourceKind.AGENCY, OLD)
    await desk.apply(manifest("Agency", OLD, **ended["spec"]))
    assert (await shown(desk, ResourceKind.AGENCY, OLD)) == ended

    for spec in ({}, {"validTo": "2025-06-30", "replacedBy": "H11.06"}):
        await refused("conflict", desk.apply(agency(OLD, **spec)))


async def test_mergers_one_after_the_other_lead_to_the_last(desk: Desk) -> None:
    await merge(desk, OLD)
    await desk.apply(agency("H99"))
    done = await merge(desk, NEW, "H11.01", into="H99", on="2026-01-01")
    assert PLACE.provider in done["moved"]["systems"]
    assert await ids(desk, ResourceKind.SYSTEM, agency="H99") == sorted(
        [PLACE.consumer, PLACE.provider, PLACE.colleague]
    )
    said = await refused("conflict", merge(desk, "H11.06", into=NEW, on=ON))
    assert said


@pytest.mark.parametrize(
    ("old", "into", "on", "code", "says"),
    [
        ([OLD], "H70", ON, "invalid-manifests", "there is no agency 'H70'"),
        (["H70"], NEW, ON, "invalid-manifests", "there is no agency 'H70'"),
        ([OLD], OLD, ON, "invalid-manifests", "into itself"),
        ([OLD, "000.00.05.H11"], NEW, ON, "invalid-manifests", "twice"),
        ([OLD], NEW, "2999-01-01", "invalid-manifests", "lies ahead"),
        (["H68"], NEW, ON, "conflict", "is below 'H68'"),
        (["H11.06"], "H11.05.02", ON, "conflict", "ended on"),
    ],
)
async def test_what_cannot_be_is_refused_and_says_why(
    desk: Desk, old: list[str], into: str, on: str, code: str, says: str
) -> None:
    with pytest.raises(ProblemError) as problem:
        await merge(desk, *old, into=into, on=on)
    assert problem.value.code == code
    assert says in str(problem.value.extra)


async def test_what_was_announced_otherwise_is_refused(desk: Desk) -> None:
    await desk.apply(agency("H11.06", validTo="2025-06-30", replacedBy=NEW))
    for into, on in (("H68", ON), (NEW, "2025-08-01")):
        await refused("conflict", merge(desk, "H11.06", into=into, on=on))
    await desk.apply(agency(NEW, parent="H68", validTo="2999-01-01", replacedBy="H11.05.01"))
    await refused("conflict", merge(desk, "H11.05.01"))
    assert (await merge(desk, "H11.06"))["moved"]["systems"] == [PLACE.unrelated]
    await refused("conflict", merge(desk, "H11.06", on="2025-08-01"))


async def test_an_export_of_what_was_merged_comes_back_as_it_was(
    desk: Desk, clock: ManualClock, tmp_path: Path
) -> None:
    await merge(desk, OLD)
    url = f"sqlite+aiosqlite:///{tmp_path}/another.db"
    items: list[dict[str, Any]] = []
    after: tuple[ResourceKind, str] | None = (ResourceKind.AGREEMENT, "")
    while after is not None:
        page = await desk.catalog.services.exports.page(after, 50)
        items += page.items
        after = page.last
    async with opened_catalog(url, clock) as another:
        body = json.dumps({"manifests": items}).encode()
        await another.services.restores.restore(body, OPERATOR, dry_run=False)
        restored = Desk(another)
        assert (await shown(restored, ResourceKind.AGENCY, OLD))["mergedInto"] == NEW
        assert await ids(restored, ResourceKind.SERVICE, agency=NEW) == [PLACE.service_id]
        found = await another.services.search.search(
            Asked.of(""), OPERATOR, kind=ResourceKind.SERVICE, agency=NEW, after=None, limit=10
        )
        assert [hit.id for hit in found.hits] == [PLACE.service_id]
