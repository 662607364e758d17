"""Changes of systems that the bus has lost are published again, and no others."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

from tests.integration.catalog.bus import listening
from tests.integration.catalog.province import Province, name

if TYPE_CHECKING:
    from tests.integration.catalog.running import Catalog
    from tests.support.nats import NatsServer


SYSTEMS = sum(manifest["kind"] == "System" for manifest in Province("H00").everything())
"""Of a province, each with one event when it is new."""


def apply(catalog: Catalog, *manifests: object) -> None:
    with catalog.operator() as operator:
        assert operator.post("/apply", json={"manifests": manifests}).is_success


async def systems(nats: NatsServer, count: int) -> list[tuple[str, int]]:
    """Id and version of the events of systems that the stream has."""
    async with listening(nats.url) as published:
        found = await published.events(count, "catalog.system")
    return [(event["id"], event["version"]) for event in found]


async def test_a_store_that_is_lost_gets_every_system_as_it_is_now(
    own_catalog: Catalog, own_nats_server: NatsServer, place: Province
) -> None:
    await asyncio.to_thread(apply, own_catalog, *place.everything())
    first = await systems(own_nats_server, SYSTEMS)
    with own_catalog.operator() as operator:
        answer = await asyncio.to_thread(operator.post, f"/systems/{place.provider}/suspend")
        assert answer.is_success
    (changed,) = [event for event in await systems(own_nats_server, SYSTEMS + 1) if event not in first]
    assert changed[0] == place.provider

    own_nats_server.stop()
    shutil.rmtree(own_nats_server.store)
    own_nats_server.start()
    # One that changes now is in the outbox and not published twice.
    await asyncio.to_thread(apply, own_catalog, place.agency(name=name("Tên mới")))
    again = await systems(own_nats_server, SYSTEMS)
    assert again == [event for event in first if event[0] != place.provider] + [changed]


async def test_an_older_copy_of_the_store_gets_what_changed_since(
    own_catalog: Catalog, own_nats_server: NatsServer, place: Province
) -> None:
    await asyncio.to_thread(apply, own_catalog, *place.everything())
    before = await systems(own_nats_server, SYSTEMS)
    older = own_nats_server.store.with_name("older")
    own_nats_server.stop()
    shutil.copytree(own_nats_server.store, older)
    own_nats_server.start()
    with own_catalog.operator() as operator:
        assert (await asyncio.to_thread(operator.post, f"/systems/{place.provider}/suspend")).is_success
    (lost,) = (await systems(own_nats_server, SYSTEMS + 1))[SYSTEMS:]

    own_nats_server.stop()
    shutil.rmtree(own_nats_server.store)
    older.rename(own_nats_server.store)
    with own_catalog.operator() as operator:
        assert (await asyncio.to_thread(operator.post, f"/systems/{place.consumer}/suspend")).is_success
    own_nats_server.start()
    found = await systems(own_nats_server, SYSTEMS + 2)
    assert found[:SYSTEMS] == before
    since = sorted(found[SYSTEMS:], key=lambda event: event[1])
    assert since[0] == lost
    assert [system for system, _ in since] == [place.provider, place.consumer]


async def test_a_bus_that_was_only_away_gets_nothing_twice(
    own_catalog: Catalog, own_nats_server: NatsServer, place: Province
) -> None:
    await asyncio.to_thread(apply, own_catalog, *place.everything())
    before = await systems(own_nats_server, SYSTEMS)
    own_nats_server.stop()
    with own_catalog.operator() as operator:
        assert (await asyncio.to_thread(operator.post, f"/systems/{place.consumer}/suspend")).is_success
    own_nats_server.start()
    found = await systems(own_nats_server, SYSTEMS + 1)
    assert found[:SYSTEMS] == before
    assert found[SYSTEMS][0] == place.consumer
    own_catalog.stop()
    with own_catalog.restarted() as restarted:
        with restarted.operator() as operator:
            assert (await asyncio.to_thread(operator.post, f"/systems/{place.consumer}/resume")).is_success
        assert (await systems(own_nats_server, SYSTEMS + 2))[:-1] == found
