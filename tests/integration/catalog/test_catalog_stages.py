"""Who sees a service that is not published, and what consumers are told of one that ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tests.integration.catalog.bus import listening

if TYPE_CHECKING:
    import httpx

    from tests.integration.catalog.province import Province
    from tests.integration.catalog.running import Catalog
    from tests.support.nats import NatsServer

DEPRECATED = {"stage": "deprecated", "deprecatedAt": "2026-01-01", "sunsetAt": "2999-01-01"}


def applied(client: httpx.Client, *manifests: dict[str, Any]) -> httpx.Response:
    """Apply manifests."""
    return client.post("/apply", json={"manifests": manifests})


def test_a_draft_is_its_agencys_own_affair_until_it_is_published(catalog: Catalog, place: Province) -> None:
    operator = catalog.operator()
    others = [one for one in place.without_agreement() if one["kind"] != "Service"]
    service = f"/services/{place.service_id}"
    assert applied(operator, *others, place.service(lifecycle={"stage": "draft"})).status_code == 200
    for stage in ("draft", "in-review"):
        assert applied(operator, place.service(lifecycle={"stage": stage})).status_code == 200
        for client in (operator, catalog.client(place.provider), catalog.client(place.colleague)):
            assert client.get(service).json()["spec"]["lifecycle"] == {"stage": stage}
            assert client.get(f"{service}/openapi").status_code == 200
            assert 0 < client.get(f"{service}/quality").json()["score"] < 100
            listed = client.get("/services", params={"system": place.provider, "stage": stage}).json()
            assert [one["metadata"]["id"] for one in listed["items"]] == [place.service_id]
        consumer = catalog.client(place.consumer)
        for path in (service, f"{service}/openapi", f"{service}/wsdl", f"{service}/quality"):
            assert consumer.get(path).json()["code"] == "unknown-resource"
        assert consumer.get("/services", params={"system": place.provider}).json()["items"] == []
        refused = consumer.post("/agreements", json={"id": "parcels", **place.terms()})
        assert refused.status_code == 422
        assert "apply it first" in refused.json()["errors"][0]["detail"]
    assert applied(operator, place.service()).status_code == 200
    assert catalog.client(place.consumer).get(service).status_code == 200
    conflict = applied(operator, place.service(lifecycle={"stage": "draft"}))
    assert conflict.status_code == 409
    assert conflict.json()["errors"][0]["pointer"] == "/manifests/0/spec/lifecycle/stage"


def test_what_is_deprecated_is_warned_about_and_what_is_retired_refused(
    catalog: Catalog, place: Province
) -> None:
    operator, consumer = catalog.operator(), catalog.client(place.consumer)
    successor = f"{place.provider}/parcels-v2"
    second = place.service() | {"metadata": {"id": successor}}
    assert applied(operator, *place.without_agreement(), second).status_code == 200
    lifecycle = {**DEPRECATED, "successor": successor}
    assert applied(operator, place.service(lifecycle=lifecycle)).status_code == 200
    made = consumer.post("/agreements", json={"id": "parcels", **place.terms()})
    assert made.status_code == 201
    (warning,) = made.json()["warnings"]
    assert warning["pointer"] == "/spec/service"
    assert successor in warning["detail"]
    assert applied(operator, place.service(lifecycle={**lifecycle, "stage": "retired"})).status_code == 200
    refused = consumer.post("/agreements", json={"id": "more", **place.terms()})
    assert refused.status_code == 422
    assert successor in refused.json()["errors"][0]["detail_vi"]
    assert consumer.get(f"/services/{place.service_id}").json()["spec"]["lifecycle"]["stage"] == "retired"


async def test_consumers_are_told_on_the_bus_and_in_the_journal(
    own_catalog: Catalog, own_nats_server: NatsServer, place: Province
) -> None:
    operator = own_catalog.operator()

    async def apply(*manifests: dict[str, Any]) -> None:
        answer = await asyncio.to_thread(applied, operator, *manifests)
        assert answer.is_success, answer.text

    async with listening(own_nats_server.url) as published:
        await apply(*place.everything())
        await apply(place.service(lifecycle=DEPRECATED))
        await apply(place.service(lifecycle={"stage": "retired"}))
        found = await published.events(5, "catalog.service")
        records = await published.records(len(place.everything()) + 4)
    told = [event for event in found if event["action"] == "stage-changed"]
    assert [event["lifecycle"]["stage"] for event in told] == ["deprecated", "retired"]
    assert {tuple(event["consumers"]) for event in told} == {(place.consumer,)}
    acts = [record for record in records if record["action"] in {"service.deprecate", "service.retire"}]
    assert [(act["detail"]["before"], act["detail"]["stage"]) for act in acts] == [
        ("published", "deprecated"),
        ("deprecated", "retired"),
    ]
    assert acts[0]["detail"]["consumers"] == [place.consumer]
    assert acts[0]["object"] == f"Service/{place.service_id}"


async def test_a_change_that_breaks_callers_is_made_when_it_is_meant_and_recorded(
    own_catalog: Catalog, own_nats_server: NatsServer, place: Province
) -> None:
    operator = own_catalog.operator()
    new = place.service()
    paths = new["spec"]["openapi"]["paths"]
    path, method = next((path, method) for path, item in paths.items() for method in item if method == "get")
    paths[path][method]["parameters"] = [
        *paths[path][method].get("parameters", ()),
        {"name": "page", "in": "query", "required": True, "schema": {"type": "integer"}},
    ]

    def send(**params: str) -> httpx.Response:
        return operator.post("/apply", json={"manifests": [new]}, params=params)

    async with listening(own_nats_server.url) as published:
        made = await asyncio.to_thread(applied, operator, *place.everything())
        assert made.is_success, made.text
        refused = await asyncio.to_thread(send, dry_run="true")
        assert refused.status_code == 409
        assert "--allow-breaking" in refused.json()["errors"][0]["detail"]
        assert place.agreement_id in refused.json()["errors"][0]["detail_vi"]
        taken = await asyncio.to_thread(send, allow_breaking="true")
        assert taken.status_code == 200
        assert "breaks callers" in taken.json()["results"][0]["warnings"][0]["detail"]
        records = await published.records(len(place.everything()) + 1)
    assert records[-1]["action"] == "service.update"
    assert records[-1]["detail"]["breaking_changes"] == 1
    assert "'page'" in records[-1]["detail"]["breaking"][0]
