"""Changes of routes, agreements and keys while calls go on, and their sources going away."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx

from lienthong.contracts.catalog.v1 import routes_pb2
from lienthong.kit.replica_copy import DiskCopy
from tests.integration.gateway.world import (
    API,
    CONSUMER,
    OTHER_CONSUMER,
    World,
    agreement,
    service,
    system,
)
from tests.support.promises import allowed_s

if TYPE_CHECKING:
    from collections.abc import Callable

    NewWorld = Callable[..., World]


def code_of(answer: httpx.Response) -> str | None:
    """The problem's code, None for a provider's answer."""
    code: str | None = answer.headers.get("lgsp-error")
    return code


def seconds_until(world: World, token: str, code: str | None) -> float:
    """How long it takes until calls get this problem (or none), from now on."""
    began = time.monotonic()
    with world.client(token) as client:
        world.wait(lambda: code_of(client.get(f"{API}/parcels/1")) == code, f"calls get {code}")
    return time.monotonic() - began


def test_a_revoked_agreement_stops_calls_within_a_second(world: World) -> None:
    token = world.token()
    revoked = agreement(status=routes_pb2.AGREEMENT_STATUS_REVOKED)
    world.loop.run(_set(world, revoked))
    assert seconds_until(world, token, "agreement-revoked") < allowed_s(1)
    world.loop.run(_set(world, agreement()))
    assert seconds_until(world, token, None) < allowed_s(1)


def test_a_suspended_client_is_stopped_within_a_second_although_its_token_is_known(world: World) -> None:
    token = world.token()
    assert seconds_until(world, token, None) < allowed_s(1)
    world.loop.run(_suspend(world, CONSUMER))
    assert seconds_until(world, token, "client-suspended") < allowed_s(1)
    world.loop.run(_suspend(world))
    assert seconds_until(world, token, None) < allowed_s(1)
    world.loop.run(_set(world, system(CONSUMER, suspended=True)))
    assert seconds_until(world, token, "client-suspended") < allowed_s(1)
    world.loop.run(_set(world, system(CONSUMER)))
    assert seconds_until(world, token, None) < allowed_s(1)


def test_a_removed_key_stops_its_tokens_within_a_second_although_they_are_known(world: World) -> None:
    token = world.token()
    assert seconds_until(world, token, None) < allowed_s(1)
    world.loop.run(_rotate(world))
    assert seconds_until(world, token, "token-refused") < allowed_s(1)
    assert seconds_until(world, world.token(), None) < allowed_s(1)


def test_a_known_token_expires_on_time(world: World) -> None:
    token = world.token(exp=int(time.time()) - 3)
    with world.client(token) as client:
        assert code_of(client.get(f"{API}/parcels/1")) is None, "within the leeway"
        assert seconds_until(world, token, "token-refused") < allowed_s(3)


def test_a_missed_change_is_noticed_and_made_up_for(world: World) -> None:
    late = agreement("portal-late", consumer=OTHER_CONSUMER)
    world.loop.run(_set_silently(world, late))
    token = world.token(OTHER_CONSUMER)
    assert seconds_until(world, token, None) < allowed_s(5)
    world.remove_agreement("portal-late")


def test_a_change_of_routes_under_load_drops_and_misroutes_no_call(world: World) -> None:
    stop = asyncio.Event()
    answers: Counter[tuple[int, bytes]] = Counter()

    async def other(exchange: object) -> None:
        await exchange.answer(b'{"other":true}')  # type: ignore[attr-defined]

    for number in range(3):
        world.second_provider.behaviours[f"/parcels/{number}"] = other

    async def caller(client: httpx.AsyncClient, number: int) -> None:
        while not stop.is_set():
            answer = await client.get(f"{API}/parcels/{number}")
            answers[answer.status_code, answer.content] += 1

    async def change() -> None:
        for round_number in range(60):
            extra = [
                service([world.second_provider.url], service_id=f"H11.05/land/extra-{round_number}-{n}-v1")
                for n in range(20)
            ]
            upstream = world.second_provider.url if round_number % 2 else world.provider.url
            changed = service([upstream], max_request_bytes=20_000_000)
            await asyncio.to_thread(world.loop.run, _set(world, changed, *extra))
            await asyncio.sleep(0.03)
        stop.set()

    async def run() -> None:
        headers = {"Authorization": f"Bearer {world.token()}"}
        async with httpx.AsyncClient(base_url=world.url, headers=headers, trust_env=False) as client:
            await asyncio.gather(change(), *(caller(client, number % 3) for number in range(8)))

    asyncio.run(run())
    assert set(answers) == {(200, b'{"ok":true}'), (200, b'{"other":true}')}
    assert min(answers.values()) > 20
    world.change(service([world.provider.url], max_request_bytes=20_000_000))


def test_calls_go_on_while_catalog_and_identity_are_away_and_a_restart_makes_no_difference(
    new_world: NewWorld,
) -> None:
    world = new_world()
    world.start()
    token = world.token()
    with world.client(token) as client:
        assert client.get(f"{API}/parcels/1").status_code == 200
        copies = [world.folder / "home/gateway" / name for name in ("routes.copy", "keys.copy")]
        world.wait(lambda: all(copy.exists() for copy in copies), "copies on disk")
        world.loop.run(world.catalog_peer.stop())
        world.loop.run(world.identity_peer.stop())
        assert client.get(f"{API}/parcels/1").status_code == 200
    world.kill_gateway()
    world.start()
    with world.client(token) as client:
        assert client.get(f"{API}/parcels/1").status_code == 200
    with world.client(world.token(OTHER_CONSUMER)) as client:
        assert code_of(client.get(f"{API}/parcels/1")) == "no-agreement"
    world.loop.run(world.catalog_peer.start())
    world.loop.run(world.identity_peer.start())
    world.wait(lambda: world.log.read_text().count('"event": "routing table"') >= 3, "the catalog is back")
    world.loop.run(_set(world, agreement(status=routes_pb2.AGREEMENT_STATUS_REVOKED)))
    assert seconds_until(world, token, "agreement-revoked") < allowed_s(1)


def test_copies_that_are_too_old_are_not_used(new_world: NewWorld) -> None:
    world = new_world(stale_after_s=100)
    world.start()
    with world.client() as client:
        assert client.get(f"{API}/parcels/1").status_code == 200
    copies = [world.folder / "home/gateway" / name for name in ("routes.copy", "keys.copy")]
    world.wait(lambda: all(copy.exists() for copy in copies), "copies on disk")
    world.stop_gateway()
    world.loop.run(world.catalog_peer.stop())
    for copy in map(DiskCopy, copies):
        saved = copy.load()
        assert saved is not None
        assert copy.save(saved.maps, saved.confirmed - timedelta(seconds=200))
        copy.close()
    world.start(wait=False)
    world.wait(world.live, "the gateway lives")
    assert not world.ready()
    with world.client() as client:
        refused = client.get(f"{API}/parcels/1")
        assert (refused.status_code, code_of(refused)) == (503, "not-ready")
        assert client.get("/oauth2/jwks").status_code == 200, "the platform's own services need no table"
    assert world.record(refused.headers["lgsp-transaction-id"])["error"] == "not-ready"
    world.loop.run(world.catalog_peer.start())
    world.wait(world.ready, "the gateway is ready")
    with world.client() as client:
        assert client.get(f"{API}/parcels/1").status_code == 200


def test_a_gateway_that_knows_nothing_yet_says_so(new_world: NewWorld) -> None:
    world = new_world()
    world.loop.run(world.catalog_peer.stop())
    world.loop.run(world.identity_peer.stop())
    world.start(wait=False)
    world.wait(world.live, "the gateway lives")
    with world.client() as client:
        assert code_of(client.get(f"{API}/parcels/1")) == "not-ready"
        assert client.post("/oauth2/token").status_code == 200
    world.loop.run(world.catalog_peer.start())
    world.loop.run(world.identity_peer.start())
    world.wait(world.ready, "the gateway is ready")
    with world.client() as client:
        assert client.get(f"{API}/parcels/1").status_code == 200


def test_a_damaged_copy_is_passed_over(new_world: NewWorld) -> None:
    world = new_world()
    folder = world.folder / "home/gateway"
    folder.mkdir(parents=True)
    (folder / "routes.copy").write_bytes(b"\xff" * 50)
    (folder / "keys.copy").write_bytes(b"\xff" * 50)
    world.start()
    with world.client() as client:
        assert client.get(f"{API}/parcels/1").status_code == 200


async def _set(world: World, *resources: routes_pb2.Resource) -> None:
    world.catalog.set(*resources)


async def _set_silently(world: World, resource: routes_pb2.Resource) -> None:
    world.catalog.set_silently(resource)


async def _suspend(world: World, *clients: str) -> None:
    world.identity.suspend(*clients)


async def _rotate(world: World) -> None:
    world.identity.rotate()


def test_a_stream_that_is_lost_shows_within_seconds_and_calls_go_on(new_world: NewWorld) -> None:
    world = new_world()
    world.start()
    with world.client() as client:
        shown = client.get("/health.json")
        assert (shown.json()["status"], shown.headers["cache-control"]) == ("ready", "no-store")
        assert 0 <= shown.json()["follows"]["routes"]["age_s"] < 6
        world.loop.run(world.catalog_peer.stop())
        began = time.monotonic()
        world.wait(lambda: client.get("/health.json").json()["status"] == "degraded", "it is told")
        assert time.monotonic() - began < allowed_s(5)
        follows = client.get("/health.json").json()["follows"]
        assert (follows["routes"]["state"], follows["keys"]["state"]) == ("degraded", "ok")
        assert world.ready(), "calls go on"
        assert client.get(f"{API}/parcels/1").status_code == 200
        world.loop.run(world.catalog_peer.start())
        world.wait(lambda: client.get("/health.json").json()["status"] == "ready", "it is back")
