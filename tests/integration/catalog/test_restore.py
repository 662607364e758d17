"""The whole catalog is exported, and comes back into an empty one just so: by the operator, and on record."""

from __future__ import annotations

import copy
import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

import tests.support.soap as support
from lienthong.catalog.agreements.domain.lifecycle import AgreementAction as Step
from lienthong.catalog.models import OUTBOX
from lienthong.catalog.restore.service import ORDER
from lienthong.catalog.services.domain.lifecycle import ServiceStage
from lienthong.client.manifests.exported import in_order, write
from lienthong.client.manifests.load import load
from lienthong.kit.ids import uuid7
from lienthong.kit.problems import ProblemError
from tests.integration.catalog.desk import CONSUMER, FIRST, PLACE, PROVIDER, SECOND, Desk, refused
from tests.integration.catalog.province import agency, manifest, name, openapi, system
from tests.support.catalog import OPERATOR, opened_catalog
from tests.support.databases import create_database, drop_database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from lienthong.kit.clock import ManualClock
    from tests.support.catalog import Catalog

LAND = (Path(support.__path__[0]) / "land.wsdl").read_text(encoding="utf-8")
Documents = list[dict[str, Any]]


@pytest.fixture
def other_url(database_url: str, tmp_path: Path) -> Iterator[str]:
    """Another database of the same kind."""
    if database_url.startswith("sqlite"):
        yield f"sqlite+aiosqlite:///{tmp_path}/other.db"
        return
    other = f"other_{uuid7().replace('-', '')}"
    yield create_database(database_url, other)
    drop_database(database_url, other)


@pytest.fixture
async def full(database_url: str, clock: ManualClock) -> AsyncIterator[Catalog]:
    """A catalog with every kind in every status, of years of use."""
    async with opened_catalog(database_url, clock) as catalog:
        await fill(catalog, clock)
        yield catalog


@pytest.fixture
async def empty(other_url: str, clock: ManualClock) -> AsyncIterator[Catalog]:
    """The catalog that takes the place of it."""
    async with opened_catalog(other_url, clock) as catalog:
        yield catalog


async def fill(catalog: Catalog, clock: ManualClock) -> None:
    desk, services = Desk(catalog), catalog.services
    stages = [
        manifest(
            "Service",
            f"{PLACE.provider}/{stage}-v1",
            name=name("Giai đoạn"),
            upstreams=["http://127.0.0.1:8204"],
            openapi=openapi(),
            lifecycle={"stage": stage.value, **_dates(stage)},
        )
        for stage in ServiceStage
    ]
    ended = agency(
        f"{PLACE.code}.77", validFrom="2020-01-01", validTo="2027-01-31", replacedBy=f"{PLACE.code}.06"
    )
    soap = manifest(
        "Service",
        f"{PLACE.provider}/registry-v1",
        name=name("Sổ địa chính"),
        upstreams=["http://127.0.0.1:8205"],
        wsdl=LAND,
    )
    personal = PLACE.event_type(personalData=True)
    old = system(f"{PLACE.code}.77/archive", description=name("Lưu trữ"), contact="cu@example.vn")
    await desk.apply(*PLACE.without_agreement()[:1], personal, *PLACE.without_agreement()[2:])
    await desk.apply(*stages, ended, soap, old)
    clock.advance(timedelta(days=1))
    body: dict[str, Any]
    await services.systems.suspend(PLACE.unrelated, OPERATOR)
    for status, steps in LIVES.items():
        clock.advance(timedelta(hours=1))
        asked, _ = await services.agreements.request(
            {
                "id": status,
                **PLACE.terms(operations=["getParcel" if status in ENDED else "listParcels"]),
                **DRAFT.get(status, {}),
            },
            CONSUMER,
        )
        for step, by, said in steps:
            clock.advance(timedelta(minutes=5))
            await services.agreements.take(asked.id, step, said, by)
    await desk.apply(PLACE.agreement(status="approved", limits={"perDay": 9}, validTo="2027-12-31"))
    for terms, decision in AMENDMENTS:
        clock.advance(timedelta(minutes=5))
        body = {"terms": terms, "reason": "thêm một cửa"}
        await services.amendments.request(PLACE.agreement_id, body, CONSUMER)
        for step, by, said in decision:
            await services.amendments.take(PLACE.agreement_id, step, said, by)
    await endorsed(catalog)
    clock.advance(timedelta(days=300))
    # What waits that long lapses; what is asked for afterwards waits.
    while await services.agreements.lapse() or await services.amendments.lapse():
        pass
    for status in ("requested", "draft"):
        late = {"id": f"late-{status}", **PLACE.terms(**DRAFT.get(status, {}))}
        await services.agreements.request(late, CONSUMER)
    asked, _ = await services.agreements.request({"id": "late-question", **PLACE.terms()}, CONSUMER)
    await services.agreements.take(asked.id, Step.ASK, {"reason": "Vì sao?"}, FIRST)
    await endorsed(catalog, "late-")
    body = {"terms": {"limits": {"perDay": 50}}, "reason": "mùa cao điểm"}
    await services.amendments.request(PLACE.agreement_id, body, CONSUMER)
    await services.reminders.remind()
    # An agreement in the end names an operation that the service has lost.
    changed = {"manifests": [PLACE.service(openapi=openapi("listParcels", "getOwner"))]}
    await services.apply.apply(json.dumps(changed).encode(), OPERATOR, dry_run=False, allow_breaking=True)


async def endorsed(catalog: Catalog, before: str = "") -> None:
    terms = {
        "id": f"{before}endorsed",
        "consumer": PLACE.consumer,
        "eventType": PLACE.event_type_id,
        "purposes": ["land"],
        "legalGround": "Luật Dữ liệu",
    }
    asked, _ = await catalog.services.agreements.request(terms, CONSUMER)
    await catalog.services.agreements.take(asked.id, Step.APPROVE, {}, FIRST)


def _dates(stage: ServiceStage) -> dict[str, str]:
    if stage is ServiceStage.DEPRECATED:
        return {"deprecatedAt": "2026-12-01", "sunsetAt": "2030-06-30", "successor": PLACE.service_id}
    return {"sunsetAt": "2026-06-30"} if stage is ServiceStage.RETIRED else {}


DRAFT: dict[str, dict[str, Any]] = {"draft": {"status": "draft"}}
GROUND = {"legal_ground": "NĐ 194/2025"}
LIVES: dict[str, list[tuple[Step, Any, dict[str, str]]]] = {
    "draft": [],
    "requested": [],
    "asked": [(Step.ASK, FIRST, {"reason": "Vì sao?"})],
    "suspended": [(Step.APPROVE, PROVIDER, {}), (Step.SUSPEND, PROVIDER, {"reason": "rà soát"})],
    "halted": [(Step.APPROVE, PROVIDER, {}), (Step.SUSPEND, OPERATOR, {"reason": "sự cố"})],
    "rejected": [(Step.REJECT, FIRST, {**GROUND, "reason": "không phù hợp"})],
    "revoked": [
        (Step.ASK, SECOND, {"reason": "Bổ sung?"}),
        (Step.ANSWER, CONSUMER, {"reason": "Đã bổ sung"}),
        (Step.APPROVE, PROVIDER, GROUND),
        (Step.REVOKE, OPERATOR, {"reason": "hết mục đích"}),
    ],
    "withdrawn": [(Step.WITHDRAW, CONSUMER, {})],
}
ENDED = {"rejected", "revoked", "withdrawn"}
AMENDMENTS: list[tuple[dict[str, Any], list[tuple[Step, Any, dict[str, str]]]]] = [
    ({"limits": {"perDay": 20}}, [(Step.APPROVE, PROVIDER, {})]),
    ({"purposes": ["land", "tax"]}, [(Step.REJECT, FIRST, GROUND)]),
    ({"validTo": "2028-12-31"}, []),
]


async def export(catalog: Catalog, limit: int = 7, agencies: tuple[str, ...] = ()) -> Documents:
    """All pages of an export, without versions."""
    items: Documents = []
    place = (ORDER[0], "")
    while True:
        page = await catalog.services.exports.page(place, limit, agencies)
        items += page.items
        if page.last is None:
            break
        place = page.last
    return [
        {**item, "metadata": {key: value for key, value in item["metadata"].items() if key != "version"}}
        for item in items
    ]


async def restore(
    catalog: Catalog, documents: Documents, *, dry_run: bool = False
) -> dict[tuple[str, str], str]:
    """What became of each."""
    body = json.dumps({"manifests": documents}).encode()
    outcome = await catalog.services.restores.restore(body, OPERATOR, dry_run=dry_run)
    return {(one["kind"], one["id"]): one["action"] for one in outcome.document()["results"]}


async def records(catalog: Catalog, action: str) -> list[dict[str, Any]]:
    async with catalog.database.reading() as session:
        found = [json.loads(one) for one in await session.scalars(select(OUTBOX.c.payload))]
    return [one for one in found if one.get("action") == action and one.get("kind") == "admin"]


def of(documents: Documents, kind: str, ending: str) -> dict[str, Any]:
    return next(one for one in documents if one["kind"] == kind and one["metadata"]["id"].endswith(ending))


async def test_all_of_a_catalog_comes_back_the_same(
    full: Catalog, empty: Catalog, clock: ManualClock
) -> None:
    exported = await export(full)
    statuses = {one["status"] for one in exported if one["kind"] == "Agreement"}
    assert statuses == {
        "draft",
        "requested",
        "information-needed",
        "endorsed",
        "approved",
        "suspended",
        "rejected",
        "revoked",
        "lapsed",
        "withdrawn",
    }
    assert {
        one["spec"].get("lifecycle", {}).get("stage") for one in exported if one["kind"] == "Service"
    } == {
        None,
        *(stage.value for stage in ServiceStage),
    }
    clock.advance(timedelta(days=2))
    planned = await restore(empty, exported, dry_run=True)
    assert await export(empty) == []
    assert await restore(empty, exported) == planned
    assert set(planned.values()) == {"created"}
    assert json.dumps(await export(empty)) == json.dumps(exported)
    assert json.dumps(await export(empty, limit=200)) == json.dumps(exported)
    # Sent again, as after an answer that did not arrive, it changes nothing.
    assert set((await restore(empty, exported)).values()) == {"unchanged"}
    # What followers of the catalog are sent is the same as well.
    before, after = await full.snapshot(), await empty.snapshot()
    assert [one.key for one in before.resources] == [one.key for one in after.resources]


async def test_the_files_of_an_export_bring_back_the_same(
    full: Catalog, empty: Catalog, tmp_path: Path
) -> None:
    exported = await export(full)
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        for one in exported:
            write(one, folder, with_version=False)
    names = sorted(path.name for path in first.iterdir())
    assert f"{PLACE.code}.05.agreements.yaml" in names
    assert f"{PLACE.code}.05.land.parcels-v1.openapi.json" in names
    assert f"{PLACE.code}.05.land.registry-v1.wsdl" in names
    assert [(first / one).read_bytes() for one in names] == [(second / one).read_bytes() for one in names]
    found = load([first], as_written=True)
    assert found.mistakes == []
    for part in in_order(found):
        await restore(empty, part.values)
    assert json.dumps(await export(empty)) == json.dumps(exported)


async def test_a_restored_decision_says_that_it_is_one_and_who_restored_it(
    full: Catalog, empty: Catalog, clock: ManualClock
) -> None:
    exported = await export(full)
    clock.advance(timedelta(days=2))
    await restore(empty, exported)
    agreements = empty.services.agreements
    revoked = await agreements.get(f"{PLACE.code}.01.one-stop.revoked")
    shown = revoked.manifest()["decisions"]
    assert [(one["by"], one["status"], one.get("restored", False)) for one in shown] == [
        ("person/6", "information-needed", True),
        (PLACE.provider, "approved", True),
        ("operator", "revoked", True),
        ("operator", "revoked", False),
    ]
    steps, _ = await agreements.history(revoked.id, CONSUMER, after=0, limit=2)
    assert [one.history_document()["restored"] for one in steps] == [True, True]
    steps, _ = await agreements.history(revoked.id, CONSUMER, after=steps[-1].version, limit=9)
    assert (steps[-1].action, steps[-1].by, steps[-1].at) == (Step.RESTORE, "operator", clock.now())
    record = next(
        one for one in await records(empty, "agreement.restore") if one["object"].endswith("revoked")
    )
    assert record["actor"] == "operator"
    assert [one["by"] for one in record["detail"]["decisions"]] == ["person/6", PLACE.provider, "operator"]
    assert len(record["detail"]["export_sha256"]) == 64
    for kind in ("agency", "system", "service", "eventType"):
        assert await records(empty, f"{kind}.restore")
    # What goes on from there is not from the export.
    late = f"{PLACE.code}.01.one-stop.late-requested"
    assert (await agreements.take(late, Step.APPROVE, {}, PROVIDER)).status == "approved"
    assert [one.get("restored", False) for one in (await agreements.get(late)).manifest()["decisions"]] == [
        False,
        False,
    ]


async def test_life_goes_on_after_a_restore(full: Catalog, empty: Catalog) -> None:
    await restore(empty, await export(full))
    services = empty.services
    late = f"{PLACE.code}.01.one-stop.late-endorsed"
    # Two different people still approve, of whom the export names the first.
    with pytest.raises(ProblemError, match="second person"):
        await services.agreements.take(late, Step.APPROVE, {"reason": "thêm"}, FIRST)
    assert (await services.agreements.take(late, Step.APPROVE, {}, SECOND)).status == "approved"
    halted = f"{PLACE.code}.01.one-stop.halted"
    with pytest.raises(ProblemError) as problem:
        await services.agreements.take(halted, Step.RESUME, {}, PROVIDER)
    assert problem.value.code == "suspended-by-platform"
    approved = await services.amendments.take(PLACE.agreement_id, Step.APPROVE, {}, PROVIDER)
    assert approved.spec["limits"] == {"perDay": 50}
    body = {"terms": {"limits": {"perDay": 99}}, "reason": "tiếp"}
    asked = await services.amendments.request(PLACE.agreement_id, body, CONSUMER)
    assert asked.amendment is not None
    assert asked.amendment.number == 5
    assert (await services.systems.resume(PLACE.unrelated, OPERATOR)).status == "active"


async def test_nothing_that_is_there_is_changed(full: Catalog, empty: Catalog) -> None:
    exported = await export(full)
    await restore(empty, exported)
    await empty.services.systems.resume(PLACE.unrelated, OPERATOR)
    before = await export(empty)
    message = await refused("conflict", restore(empty, exported))
    assert "status, suspendedBy" in message or "suspendedBy" in message
    assert await export(empty) == before
    others = [one for one in exported if one["metadata"]["id"] != PLACE.unrelated]
    assert set((await restore(empty, others)).values()) == {"unchanged"}


async def test_what_does_not_fit_together_is_refused_with_its_place(full: Catalog, empty: Catalog) -> None:
    exported = await export(full)

    async def told(ending: str, kind: str = "Agreement", **changed: Any) -> str:  # noqa: ANN401
        wrong = copy.deepcopy(exported)
        one: Any = of(wrong, kind, ending)
        for place, value in changed.items():
            holder: Any = one
            *way, last = place.split("__")
            for part in way:
                holder = holder[int(part) if part.isdigit() else part]
            if value is None:
                del holder[last]
            else:
                holder[last] = value
        return await refused("invalid-manifests", restore(empty, wrong))

    assert "the step that made it so is missing" in await told(".revoked", history__steps=[])
    assert "the last step says 'revoked'" in await told(".revoked", status="approved")
    assert "is missing" in await told(".revoked", history=None)
    assert "must be one of" in await told(".revoked", status="decided")
    assert "must be one of" in await told(".revoked", status=None)
    assert "still to come" in await told(".revoked", history__steps__0__at="2099-01-01T00:00:00Z")
    assert "must be one of" in await told(".revoked", history__steps__0__action="restore")
    assert "by whom" in await told(".suspended", suspendedBy=None)
    assert "not suspended" in await told(".revoked", suspendedBy="agency")
    assert "first" in await told(".late-endorsed", history__steps__1__action="submit")
    assert "numbered" in await told(".parcels", history__amendments__0__number=4)
    assert "only the newest" in await told(".parcels", history__amendments__0__status="requested")
    assert "there is no amendment" in await told(".parcels", history__steps__1__amendment=9)
    assert "leave it out" in await told("/land", "System", history={"steps": []})
    assert "leave it out" in await told(".05", "Agency", status="active")
    assert "there is no system" in await refused(
        "invalid-manifests",
        restore(empty, [one for one in exported if one["metadata"]["id"] != PLACE.consumer]),
    )
    assert await export(empty) == []


async def test_applying_an_export_asks_for_nothing_that_was_decided(full: Catalog, empty: Catalog) -> None:
    exported = await export(full)
    desk = Desk(empty)
    # Nobody registers a system under a code that has ended.
    others = [one for one in exported if not one["metadata"]["id"].endswith("/archive")]
    await desk.apply(*(one for one in others if one["kind"] != "Agreement"))
    for ending in (".revoked", ".rejected", ".suspended", ".withdrawn", ".late-endorsed", ".late-draft"):
        one = of(exported, "Agreement", ending)
        one["spec"].pop("operations", None)
        message = await refused("conflict", desk.apply(one))
        assert "lienthong restore" in message
    await desk.apply(of(exported, "Agreement", ".parcels"))


async def test_an_agency_is_exported_with_the_agreements_that_it_has_a_part_in(full: Catalog) -> None:
    own = await export(full, agencies=(f"{PLACE.code}.01",))
    assert {one["metadata"]["id"] for one in own if one["kind"] in {"Agency", "System"}} == {
        f"{PLACE.code}.01",
        PLACE.consumer,
    }
    assert len([one for one in own if one["kind"] == "Agreement"]) > 10
    assert await export(full, agencies=("X99",)) == []
