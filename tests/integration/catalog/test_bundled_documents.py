"""An agency's services as one document: what is offered, or what a system may call."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.catalog.desk import CONSUMER, DEVELOPER, PLACE, UNRELATED, Desk, refused
from tests.integration.catalog.province import manifest, name, openapi
from tests.support.catalog import OPERATOR, opened_catalog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lienthong.kit.actors import Actor
    from lienthong.kit.clock import ManualClock

AGENCY = f"{PLACE.code}.05"


def service(code: str, **more: object) -> dict[str, Any]:
    spec = {"name": name(code), "upstreams": ["http://127.0.0.1:8204"], "openapi": openapi()}
    return manifest("Service", f"{PLACE.provider}/{code}", **spec | more)


@pytest.fixture
async def desk(database_url: str, clock: ManualClock) -> AsyncIterator[Desk]:
    async with opened_catalog(database_url, clock) as catalog:
        desk = Desk(catalog)
        ended = {"stage": "deprecated", "deprecatedAt": "2025-01-01", "sunsetAt": "2025-02-01"}
        await desk.apply(
            *PLACE.without_agreement(),
            service("a-v1"),
            service("draft-v1", lifecycle={"stage": "draft"}),
            service("ended-v1", lifecycle=ended),
        )
        yield desk


async def paths(
    desk: Desk, by: Actor, *, agreed: bool = False, after: str = "", limit: int = 50
) -> tuple[list[str], str | None]:
    bundles = desk.catalog.services.bundles
    text, last = await bundles.openapi(AGENCY, by, agreed=agreed, after=after, limit=limit)
    document = json.loads(text)
    assert document["servers"] == [{"url": "http://127.0.0.1:8080/api"}]
    return sorted(document["paths"]), last


async def test_it_has_what_is_offered_page_by_page(desk: Desk) -> None:
    everything = [
        f"/{PLACE.provider}/{code}/{index}/{{key}}" for code in ("a-v1", "parcels-v1") for index in (0, 1)
    ]
    for by in (CONSUMER, OPERATOR, DEVELOPER):
        assert await paths(desk, by) == (everything, None)
    found: list[str] = []
    last: str | None = ""
    while last is not None:
        some, last = await paths(desk, OPERATOR, after=last, limit=1)
        found += some
    assert found == everything
    bundles = desk.catalog.services.bundles
    await refused("unknown-resource", bundles.openapi("X99", OPERATOR, agreed=False, after="", limit=5))


async def test_a_system_sees_what_it_may_call_now(desk: Desk) -> None:
    assert await paths(desk, CONSUMER, agreed=True) == ([], None)
    one = f"{PLACE.agreement_id}-1"
    await desk.apply(
        PLACE.agreement(one, status="approved", operations=["getParcel"]),
        PLACE.agreement(f"{one}2", status="approved", validTo="2025-01-01"),
        PLACE.agreement(f"{one}3", service=f"{PLACE.provider}/a-v1"),
    )
    assert await paths(desk, CONSUMER, agreed=True) == ([f"/{PLACE.service_id}/0/{{key}}"], None)
    assert await paths(desk, UNRELATED, agreed=True) == ([], None)
    await desk.apply(PLACE.agreement(f"{one}4", status="approved"))
    assert len((await paths(desk, CONSUMER, agreed=True))[0]) == 2
    bundles = desk.catalog.services.bundles
    for by in (OPERATOR, DEVELOPER):
        await refused("not-allowed", bundles.openapi(AGENCY, by, agreed=True, after="", limit=5))
