"""A gateway that starts from an old copy while the catalog is away: how old it is, and how old may serve."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from lienthong.kit.replica_copy import DiskCopy
from tests.integration.gateway.world import API, World
from tests.integration.practice.raw import exchange, head, status

if TYPE_CHECKING:
    from pathlib import Path

DAYS = timedelta(days=3)


@pytest.mark.parametrize(("allowed", "serves"), [(timedelta(days=4), True), (timedelta(days=2), False)])
def test_its_age_is_told_and_the_operator_sets_how_old_may_serve(
    tmp_path: Path, allowed: timedelta, serves: bool
) -> None:
    world = World(tmp_path, stale_after_s=allowed.total_seconds())
    try:
        world.start()
        _age_the_copies(world, DAYS)
        world.start(wait=False)
        world.wait(world.live, "the gateway lives")
        found = _readiness(world)
        assert found["status"] == ("degraded" if serves else "not ready")
        routes = found["conditions"]["routes"]
        assert routes["state"] == ("degraded" if serves else "failed")
        assert routes["age_s"] >= DAYS.total_seconds()
        assert ("the state is too old" in routes["reason"]) is not serves
        assert _age_in_metrics(world) >= DAYS.total_seconds()
        fields = (f"Authorization: Bearer {world.token()}",)
        answer = exchange(world.url, head("GET", f"{API}/parcels/1", *fields))
        assert status(answer) == (200 if serves else 503)
        assert (b"not-ready" in answer) is not serves
    finally:
        world.close()


def _age_the_copies(world: World, by: timedelta) -> None:
    """Stop the gateway and its neighbours, and let its copies be from so long before."""
    copies = [world.folder / "home/gateway" / name for name in ("routes.copy", "keys.copy")]
    world.wait(lambda: all(copy.exists() for copy in copies), "copies on disk")
    world.stop_gateway()
    world.loop.run(world.catalog_peer.stop())
    world.loop.run(world.identity_peer.stop())
    for copy in map(DiskCopy, copies):
        saved = copy.load()
        assert saved is not None
        assert copy.save(saved.maps, saved.confirmed - by)
        copy.close()


def _readiness(world: World) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"http://127.0.0.1:{world.health_port}/health/ready").json()
    return found


def _age_in_metrics(world: World) -> float:
    text = httpx.get(f"http://127.0.0.1:{world.health_port}/metrics").text
    found = re.search(
        r'^lienthong_replica_age_seconds\{[^}]*replica="routes"[^}]*\} (\S+)', text, re.MULTILINE
    )
    assert found is not None, text
    return float(found[1])
