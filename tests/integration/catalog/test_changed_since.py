"""Two people who edit the same thing at once are told: by the version that they have read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from joserfc.jwk import ECKey

from lienthong.catalog.restore.service import ORDER
from lienthong.kit.policy import Role
from lienthong.kit.problems import ProblemError
from tests.integration.catalog.desk import PLACE, Desk, person
from tests.support.catalog import OPERATOR, opened_catalog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lienthong.kit.actors import Actor
    from lienthong.kit.clock import ManualClock
    from tests.integration.catalog.province import Province
    from tests.integration.catalog.running import Catalog


def new_jwk() -> dict[str, Any]:
    found: dict[str, Any] = ECKey.generate_key("P-256").as_dict(private=False)
    return {name: found[name] for name in ("kty", "crv", "x", "y")}


COLLEAGUE = person(9, Role.PLATFORM_OPERATOR)


@pytest.fixture
async def desk(database_url: str, clock: ManualClock) -> AsyncIterator[Desk]:
    async with opened_catalog(database_url, clock) as catalog:
        desk = Desk(catalog)
        await desk.apply(*PLACE.everything())
        yield desk


async def read(desk: Desk) -> list[dict[str, Any]]:
    """Everything, as it is exported now."""
    page = await desk.catalog.services.exports.page((ORDER[0], ""), 200)
    return [dict(item) for item in page.items]


async def refused(desk: Desk, *manifests: dict[str, Any], by: Actor = OPERATOR) -> dict[str, Any]:
    with pytest.raises(ProblemError) as problem:
        await desk.apply(*manifests, by=by)
    assert problem.value.code == "changed-since"
    document: dict[str, Any] = problem.value.document(None)
    return document


def named(manifest: dict[str, Any], text: str) -> dict[str, Any]:
    return {**manifest, "spec": {**manifest["spec"], "name": {"vi": text, "en": text}}}


async def test_a_manifest_that_was_overtaken_is_refused_and_says_by_whom(
    desk: Desk, clock: ManualClock
) -> None:
    before = {one["metadata"]["id"]: one for one in await read(desk)}
    clock.advance(60)
    service, system = before[PLACE.service_id], before[PLACE.provider]
    await desk.apply(named(service, "Của đồng nghiệp"), by=COLLEAGUE)
    when = clock.now().isoformat().replace("+00:00", "Z")
    clock.advance(60)
    told = await refused(desk, named(system, "Khác"), named(service, "Của tôi"))
    (error,) = told["errors"]
    assert error["pointer"] == "/manifests/1/metadata/version"
    assert "person/9" in error["detail"]
    assert when in error["detail"]
    now = {one["metadata"]["id"]: one for one in await read(desk)}
    assert now[PLACE.provider] == system
    assert now[PLACE.service_id]["spec"]["name"]["vi"] == "Của đồng nghiệp"
    # Without the version nobody asks, and with the new one it is meant.
    await desk.apply(named({**service, "metadata": {"id": PLACE.service_id}}, "Của tôi"))
    again = next(one for one in await read(desk) if one["metadata"]["id"] == PLACE.service_id)
    await desk.apply(named(again, "Lần nữa"))


async def test_what_is_the_same_by_now_is_no_matter_whatever_its_version(desk: Desk) -> None:
    (agency,) = [one for one in await read(desk) if one["metadata"]["id"] == f"{PLACE.code}.05"]
    await desk.apply(named(agency, "Tên mới"), by=COLLEAGUE)
    await desk.apply(named(agency, "Tên mới"))
    assert (await refused(desk, agency))["status"] == 412


async def test_something_new_may_come_with_the_version_of_another_catalog(desk: Desk) -> None:
    agency = PLACE.agency("77")
    agency["metadata"]["version"] = 7
    await desk.apply(agency)
    with pytest.raises(ProblemError, match="version"):
        await desk.apply(PLACE.agency("78") | {"metadata": {"id": f"{PLACE.code}.78", "version": "7"}})


async def test_mistakes_are_told_before_it(desk: Desk) -> None:
    (agency,) = [one for one in await read(desk) if one["metadata"]["id"] == f"{PLACE.code}.05"]
    await desk.apply(named(agency, "Tên mới"))
    with pytest.raises(ProblemError) as problem:
        await desk.apply(named(agency, "Cũ"), PLACE.agreement(consumer="H99/x"))
    assert problem.value.code == "invalid-manifests"


def test_every_kind_has_an_etag_and_changes_of_systems_take_if_match(
    catalog: Catalog, place: Province
) -> None:
    operator = catalog.operator()
    operator.post("/apply", json={"manifests": place.everything()}).raise_for_status()
    paths = {
        "agencies": f"{place.code}.05",
        "systems": place.provider,
        "services": place.service_id,
        "event-types": place.event_type_id,
        "agreements": place.agreement_id,
    }
    tags = {}
    for kind, resource_id in paths.items():
        answer = operator.get(f"/{kind}/{resource_id}")
        tags[kind] = answer.headers["ETag"]
        assert json.loads(tags[kind].strip('"')) == answer.json()["metadata"]["version"]
    system, old = f"/systems/{place.provider}", {"If-Match": tags["systems"]}
    assert operator.get(f"{system}/keys").headers["ETag"] == tags["systems"]
    suspended = operator.post(f"{system}/suspend", headers=old)
    assert suspended.headers["ETag"] != tags["systems"]
    # The same again is no change, whatever was read.
    assert operator.post(f"{system}/suspend", headers=old).status_code == 200
    thumbprint = operator.get(f"{system}/keys").json()["keys"][0]["thumbprint"]
    refusals = [
        operator.post(f"{system}/resume", headers=old),
        operator.post(f"{system}/keys", headers=old, json={"jwk": new_jwk()}),
        operator.delete(f"{system}/keys/{thumbprint}", headers=old),
    ]
    for refusal in refusals:
        assert (refusal.status_code, refusal.json()["code"]) == (412, "changed-since")
        assert "operator" in refusal.json()["detail"]
        assert refusal.headers["ETag"] == suspended.headers["ETag"]
    new = {"If-Match": suspended.headers["ETag"]}
    assert operator.post(f"{system}/keys", headers=new, json={"jwk": new_jwk()}).status_code == 201
