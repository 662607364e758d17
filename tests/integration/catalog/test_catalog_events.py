"""What every change leaves on the bus."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from lienthong.kit.ids import uuid7
from tests.integration.catalog.bus import listening
from tests.integration.catalog.province import GROUND, PURPOSE, Province, name

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx

    from tests.integration.catalog.running import Catalog
    from tests.support.nats import NatsServer


async def _post(client: httpx.Client, path: str, body: object = None, **headers: str) -> httpx.Response:
    answer = await asyncio.to_thread(client.post, path, json=body, headers=headers)
    assert answer.is_success, answer.text
    return answer


def _follow_each_other(events: Sequence[dict[str, Any]]) -> None:
    versions = [event["version"] for event in events]
    assert versions == sorted(set(versions)), "in order and nothing twice"


async def test_every_change_has_its_event_and_its_audit_record(
    own_catalog: Catalog, own_nats_server: NatsServer, place: Province
) -> None:
    operator = own_catalog.operator()
    transaction = uuid7()
    async with listening(own_nats_server.url) as published:
        await _post(
            operator, "/apply", {"manifests": place.everything()}, **{"LGSP-Transaction-Id": transaction}
        )
        await _post(operator, "/apply", {"manifests": [place.agency(name=name("Bí mật"))]})
        await _post(operator, f"/agreements/{place.agreement_id}/approve", {"legal_ground": "Điều 5"})
        await _post(operator, f"/systems/{place.provider}/suspend")
        events = await published.events(15)
        records = await published.records(13)

    _follow_each_other(events)
    assert {event["action"] for event in events} == {"upserted"}
    first = events[: len(place.everything())]
    assert [event["kind"] for event in first] == sorted(
        (manifest["kind"] for manifest in place.everything()),
        key=["Agency", "System", "Service", "EventType", "Agreement"].index,
    ), "what is referred to comes first"
    assert {event["kind"] for event in events if "resource" in event} == {"System"}
    assert all(
        set(event) == {"version", "kind", "id", "action"} for event in events if event["kind"] != "System"
    )
    assert (events[10]["id"], events[11]["id"]) == (f"{place.code}.05", place.agreement_id)
    assert [event["id"] for event in events[12:]] == [place.provider, place.service_id, place.event_type_id]
    assert events[12]["resource"]["status"] == "suspended"
    assert events[12]["resource"]["spec"]["jwks"]["keys"]

    assert [record["tx"] for record in records[:10]] == [transaction] * 10
    assert len({record["id"] for record in records}) == 13
    assert {record["node"] for record in records} == {"catalog"}
    assert {record["actor"] for record in records} == {"operator"}
    assert [record["action"] for record in records[9:]] == [
        "agreement.request",
        "agency.update",
        "agreement.approve",
        "system.suspend",
    ]
    assert records[10]["object"] == f"Agency/{place.code}.05"
    assert records[10]["detail"] == {
        "version": events[10]["version"],
        "change": "updated",
        "paths": ["spec.name.vi", "spec.name.en"],
    }
    assert records[11]["detail"] == {
        "version": events[11]["version"],
        "consumer": place.consumer,
        "service": place.service_id,
        "purposes": [PURPOSE],
        "legal_ground": GROUND,
        "decision_ground": "Điều 5",
    }


async def test_what_changes_nothing_publishes_nothing(
    own_catalog: Catalog, own_nats_server: NatsServer, place: Province
) -> None:
    operator = own_catalog.operator()
    manifests = place.everything()
    async with listening(own_nats_server.url) as published:
        await _post(operator, "/apply", {"manifests": manifests})
        await _post(operator, "/apply", {"manifests": manifests})
        await _post(operator, "/apply?dry_run=true", {"manifests": [place.agency(name=name("Khác"))]})
        await _post(operator, f"/systems/{place.provider}/resume")
        await asyncio.to_thread(operator.post, "/apply", json={"manifests": [place.agency("05", x=1)]})
        assert len(await published.events(len(manifests))) == len(manifests)
        assert len(await published.records(len(manifests))) == len(manifests)


async def test_systems_hear_of_it_when_their_agency_gets_another_class(
    own_catalog: Catalog, own_nats_server: NatsServer, place: Province
) -> None:
    operator = own_catalog.operator()
    async with listening(own_nats_server.url) as published:
        await _post(operator, "/apply", {"manifests": place.without_agreement()})
        await _post(operator, "/apply", {"manifests": [place.agency(**{"class": "NGO"})]})
        systems = await published.events(6, "catalog.system")
    assert sorted(event["id"] for event in systems[4:]) == [place.provider, place.colleague]


async def test_changes_made_while_the_bus_is_away_are_published_when_it_is_back(
    own_catalog: Catalog, own_nats_server: NatsServer, place: Province
) -> None:
    operator = own_catalog.operator()
    async with listening(own_nats_server.url) as published:
        await _post(operator, "/apply", {"manifests": [place.agency("10")]})
        await published.events(1)

    own_nats_server.kill()
    for suffix in ("11", "12", "13"):
        await _post(operator, "/apply", {"manifests": [place.agency(suffix)]})
    own_nats_server.start()

    async with listening(own_nats_server.url) as published:
        events, records = await published.events(4), await published.records(4)
    assert [event["id"] for event in events] == [
        f"{place.code}.{suffix}" for suffix in ("10", "11", "12", "13")
    ]
    _follow_each_other(events)
    assert len({record["id"] for record in records}) == len(records) == 4


async def test_changes_survive_the_death_of_the_process_before_they_were_published(
    own_catalog: Catalog, own_nats_server: NatsServer, place: Province
) -> None:
    own_nats_server.kill()
    await _post(own_catalog.operator(), "/apply", {"manifests": place.everything()})
    own_catalog.process.kill()
    await asyncio.to_thread(own_catalog.process.wait, 20)
    own_nats_server.start()

    with own_catalog.restarted() as again:
        assert again.operator().get(f"/agreements/{place.agreement_id}").status_code == 200
        async with listening(own_nats_server.url) as published:
            events = await published.events(10)
    _follow_each_other(events)
    assert len({event["id"] for event in events}) == len(place.everything()) == 10
