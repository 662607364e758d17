"""Clients follow the catalog over real NATS: soon, from its start, in any order, whatever the bus does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from joserfc.jwk import ECKey

from lienthong.kit.bus import Bus
from lienthong.kit.tokens import KeySet, TokenVerifier
from tests.integration.identity.harness import (
    CATALOG,
    ISSUER,
    JOURNAL,
    SYSTEM,
    Process,
    running,
    settings_for,
    system_event,
)
from tests.support.promises import promptly
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from tests.support.nats import NatsServer

OLD, NEW = ECKey.generate_key("P-256"), ECKey.generate_key("P-256")


async def publish(bus: Bus, *events: bytes) -> None:
    for event in events:
        document = json.loads(event)
        identifier = f"{document['id']}-{document['version']}-{len(event)}-{document['resource']['status']}"
        await bus.publish("catalog.system", event, message_id=identifier)


async def catalog(server: NatsServer) -> Bus:
    bus = await Bus.connect(server.url, "catalog", wait=True)
    await bus.ensure_stream(CATALOG)
    await bus.ensure_stream(JOURNAL)
    return bus


async def gets_token(process: Process, key: ECKey, client_id: str = SYSTEM) -> bool:
    return (await process.ask(process.assertion(key, client_id))).status_code == 200


async def version_of(process: Process, client_id: str = SYSTEM) -> int:
    client = await process.core.registry.find(client_id)
    return -1 if client is None else client.catalog_version


async def test_a_system_that_was_applied_gets_tokens_within_a_second(
    tmp_path: Path, database_url: str, own_nats_server: NatsServer
) -> None:
    bus = await catalog(own_nats_server)
    async with running(settings_for(tmp_path, database_url, own_nats_server.url)) as process:
        assert not await gets_token(process, OLD)
        await publish(bus, system_event(SYSTEM, [OLD], version=1))
        await promptly(lambda: gets_token(process, OLD), within=1)
        await publish(bus, system_event(SYSTEM, [NEW], version=2))
        await promptly(lambda: gets_token(process, NEW), within=1)
        assert not await gets_token(process, OLD)
        await publish(bus, system_event(SYSTEM, [NEW], version=3, action="removed"))
        await promptly(lambda: _is_refused(process), within=1)
        assert not await gets_token(process, NEW)
    await bus.close()


async def _is_refused(process: Process) -> bool:
    return SYSTEM in process.core.keyring.published.refused_clients


async def test_the_newest_version_stands_in_whatever_order_events_come(
    tmp_path: Path, database_url: str, own_nats_server: NatsServer
) -> None:
    bus = await catalog(own_nats_server)
    async with running(settings_for(tmp_path, database_url, own_nats_server.url)) as process:
        await publish(
            bus,
            system_event(SYSTEM, [NEW], version=9),
            system_event(SYSTEM, [OLD], version=3),
            system_event(SYSTEM, [OLD], version=9, status="suspended"),
            system_event(SYSTEM, [OLD], version=8, action="removed"),
            system_event("H11.05/land", [OLD], version=10),
        )
        await eventually(lambda: gets_token(process, OLD, "H11.05/land"))
        assert await version_of(process) == 9
        assert await gets_token(process, NEW)
        assert not await gets_token(process, OLD)
    await bus.close()


async def test_a_removed_system_is_not_brought_back_by_an_older_event(
    tmp_path: Path, database_url: str, own_nats_server: NatsServer
) -> None:
    bus = await catalog(own_nats_server)
    async with running(settings_for(tmp_path, database_url, own_nats_server.url)) as process:
        await publish(
            bus,
            system_event(SYSTEM, [OLD], version=5, action="removed"),
            system_event(SYSTEM, [OLD], version=4),
            system_event("H11.05/land", [OLD], version=6),
        )
        await eventually(lambda: gets_token(process, OLD, "H11.05/land"))
        assert not await gets_token(process, OLD)
    await bus.close()


async def test_an_empty_database_catches_up_from_the_start_and_a_new_one_again(
    tmp_path: Path, own_nats_server: NatsServer
) -> None:
    bus = await catalog(own_nats_server)
    await publish(bus, *(system_event(f"H11.01/system-{n}", [OLD], version=n) for n in range(1, 151)))
    for name in ("first", "second"):
        url = f"sqlite+aiosqlite:///{tmp_path / name}.db"
        async with running(settings_for(tmp_path, url, own_nats_server.url)) as process:
            await eventually(lambda: gets_token(process, OLD, "H11.01/system-150"))
            assert await version_of(process, "H11.01/system-1") == 1
    await bus.close()


async def test_a_restart_goes_on_where_the_last_run_ended(
    tmp_path: Path, database_url: str, own_nats_server: NatsServer
) -> None:
    bus = await catalog(own_nats_server)
    settings = settings_for(tmp_path, database_url, own_nats_server.url)
    await publish(bus, system_event(SYSTEM, [OLD], version=1))
    async with running(settings) as process:
        await eventually(lambda: gets_token(process, OLD))
    await publish(bus, system_event(SYSTEM, [NEW], version=2))
    async with running(settings) as process:
        await eventually(lambda: gets_token(process, NEW))
    consumers = await bus.jetstream().consumers_info("CATALOG")
    followed = {one.config.filter_subject: one.ack_floor.stream_seq for one in consumers if one.ack_floor}
    assert followed == {"catalog.system": 2, "catalog.agency": 0}
    await bus.close()


async def test_tokens_say_what_an_agency_stands_for_once_the_catalog_tells_of_a_merger(
    tmp_path: Path, database_url: str, own_nats_server: NatsServer
) -> None:
    bus = await catalog(own_nats_server)
    document = {"version": 2, "kind": "Agency", "id": "H11.01", "action": "upserted"}
    merged = json.dumps({**document, "resource": {"mergedInto": "H68.01"}}).encode()
    await publish(bus, system_event(SYSTEM, [OLD], version=1))
    async with running(settings_for(tmp_path, database_url, own_nats_server.url)) as process:
        await eventually(lambda: gets_token(process, OLD))
        keys = KeySet.from_jwks((await process.http.get("/oauth2/jwks")).text)
        verifier = TokenVerifier(ISSUER, "urn:lgsp:VN-BTN", process.clock)

        async def claim() -> dict[str, list[str]]:
            answer = await process.ask(process.assertion(OLD, SYSTEM))
            return verifier.verify(answer.json()["access_token"], keys).stands_for.claim()

        assert await claim() == {}
        for unreadable in (b"{", b'{"version":1}', json.dumps({**document, "id": "a/b"}).encode()):
            await bus.publish("catalog.agency", unreadable, message_id=f"broken-{len(unreadable)}")
        for twice in ("first", "second"):
            await bus.publish("catalog.agency", merged, message_id=twice)
        await eventually(lambda: _is(claim, {"H68.01": ["H11.01"]}))
    await bus.close()


async def _is(read: Callable[[], Awaitable[object]], expected: object) -> bool:
    return await read() == expected


async def test_events_that_cannot_be_read_stop_nobody(
    tmp_path: Path, database_url: str, own_nats_server: NatsServer
) -> None:
    bus = await catalog(own_nats_server)
    broken: list[bytes] = [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b'{"version":1}',
        system_event("operator", [OLD], version=1),
    ]
    async with running(settings_for(tmp_path, database_url, own_nats_server.url)) as process:
        for number, payload in enumerate(broken):
            await bus.publish("catalog.system", payload, message_id=str(number))
        await publish(bus, system_event(SYSTEM, [OLD], version=1))
        await eventually(lambda: gets_token(process, OLD))
        assert await process.core.registry.find("operator") is None
    await bus.close()


async def test_the_bus_may_come_late_and_go_and_come_again(
    tmp_path: Path, database_url: str, own_nats_server: NatsServer
) -> None:
    own_nats_server.kill()
    settings = settings_for(tmp_path, database_url, own_nats_server.url)
    async with running(settings, wait_for_bus=False) as process:
        await process.register(OLD, version=1)
        assert await gets_token(process, OLD)
        own_nats_server.start()
        bus = await catalog(own_nats_server)
        await publish(bus, system_event(SYSTEM, [NEW], version=2))
        await eventually(lambda: gets_token(process, NEW))
        own_nats_server.kill()
        assert await gets_token(process, NEW)
        own_nats_server.start()
        await bus.wait_connected()
        await publish(bus, system_event(SYSTEM, [OLD], version=3))
        await eventually(lambda: gets_token(process, OLD))
        await bus.close()


async def records(bus: Bus, count: int) -> list[dict[str, Any]]:
    consumer = await bus.consumer("JOURNAL", "test", filter_subject="journal.identity")
    found: list[dict[str, Any]] = []
    async for batch in consumer.batches(100, 1.0):
        for delivery in batch:
            found.append(json.loads(delivery.payload))
            assert delivery.headers["Nats-Msg-Id"] == found[-1]["id"]
            await delivery.ack()
        if len(found) >= count:
            break
    await consumer.close()
    return found


async def test_every_change_of_clients_and_keys_is_on_record_once(
    tmp_path: Path, database_url: str, own_nats_server: NatsServer
) -> None:
    bus = await catalog(own_nats_server)
    async with running(settings_for(tmp_path, database_url, own_nats_server.url)) as process:
        await publish(
            bus,
            system_event(SYSTEM, [OLD], version=1),
            system_event(SYSTEM, [OLD], version=2),
            system_event(SYSTEM, [NEW], version=3),
            system_event(SYSTEM, [NEW], version=4, status="suspended"),
            system_event(SYSTEM, [NEW], version=5),
            system_event(SYSTEM, [NEW], version=6, action="removed"),
        )
        await eventually(lambda: _is_refused(process))
        await eventually(lambda: gets_nothing(process))
        found = await records(bus, 6)
    assert [(record["action"], record["object"]) for record in found] == [
        ("signing-key.publish", f"SigningKey/{process.core.keyring.signing().key_id}"),
        ("client.register", f"Client/{SYSTEM}"),
        ("client.change-keys", f"Client/{SYSTEM}"),
        ("client.suspend", f"Client/{SYSTEM}"),
        ("client.resume", f"Client/{SYSTEM}"),
        ("client.remove", f"Client/{SYSTEM}"),
    ]
    for record in found:
        assert list(record) == ["v", "id", "kind", "tx", "at", "node", "actor", "action", "object", "detail"]
        assert (record["v"], record["kind"], record["node"]) == (1, "admin", "identity")
    assert found[2]["detail"] == {"status": "active", "keys": [NEW.thumbprint()], "catalog_version": 3}
    await bus.close()


async def gets_nothing(process: Process) -> bool:
    return await version_of(process) == 6
