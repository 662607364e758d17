"""The gateway as a process: its workers, its end, its health."""

from __future__ import annotations

import os
import signal
import socket
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from tests.integration.gateway.world import API, World

if TYPE_CHECKING:
    from collections.abc import Callable

    NewWorld = Callable[..., World]


def may_listen(port: int) -> bool:
    """Whether nothing listens on the port; connections that have ended may linger."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def alive(process: int) -> bool:
    """Whether a process runs, also when it is nobody's child any more."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_worker_that_is_killed_is_started_anew(new_world: NewWorld) -> None:
    world = new_world()
    world.start()
    (worker,) = world.workers
    os.kill(worker, signal.SIGKILL)
    world.wait(lambda: not alive(worker), "the worker is gone")
    world.wait(lambda: world.workers not in ([], [worker]) and world.ready(), "a new worker")
    with world.client() as client:
        assert client.get(f"{API}/parcels/1").status_code == 200


def test_workers_that_are_killed_one_after_the_other_leave_the_gateway_serving(new_world: NewWorld) -> None:
    world = new_world(workers=2)
    world.start()
    main = world.pid
    for _ in range(2):
        killed = set(world.workers)
        for worker in killed:
            os.kill(worker, signal.SIGKILL)
        world.wait(lambda: len(set(world.workers) - killed) == 2, "new workers are starting")  # noqa: B023
    world.wait(world.ready, "the gateway is ready")
    assert alive(main)
    with world.client() as client:
        assert client.get(f"{API}/parcels/1").status_code == 200


def test_a_worker_that_stands_still_is_replaced_and_all_calls_are_answered(new_world: NewWorld) -> None:
    world = new_world(workers=2, worker_timeout_s=6)
    world.start()
    # What starts is not watched.
    world.wait(lambda: len(_replaced(world)) == 4, "both workers tell their figures")
    stuck, other = world.workers
    os.kill(stuck, signal.SIGSTOP)
    world.wait(lambda: not alive(stuck), "the worker is killed")
    world.wait(lambda: len(world.workers) == 2, "another one is started")
    assert other in world.workers
    world.wait(lambda: len(_replaced(world)) == 4, "both workers tell their figures")
    assert sum(_replaced(world).values()) == 1
    assert [labels for labels, number in _replaced(world).items() if number and "stuck" in labels]
    for _ in range(30):
        with world.client() as client:
            assert client.get(f"{API}/parcels/1").status_code == 200
    assert "a worker stands still and is killed" in world.log.read_text()


def _replaced(world: World) -> dict[str, float]:
    """How many workers were replaced, by seat and reason."""
    try:
        text = httpx.get(f"http://127.0.0.1:{world.health_port}/metrics", trust_env=False).text
    except httpx.TransportError:
        return {}
    name = "lienthong_gateway_worker_replacements_total"
    lines = [line.rpartition(" ") for line in text.splitlines() if line.startswith(name)]
    return {labels: float(number) for labels, _, number in lines}


def test_threads_of_a_worker_do_not_push_each_other_out(new_world: NewWorld) -> None:
    world = new_world()
    world.start()
    (worker,) = world.workers
    threads = [int(thread.name) for thread in Path(f"/proc/{worker}/task").iterdir()]
    assert len(threads) > 1
    assert {os.sched_getscheduler(thread) for thread in threads} == {os.SCHED_BATCH}


def test_workers_die_with_their_parent(new_world: NewWorld) -> None:
    world = new_world(workers=2)
    world.start()
    workers = world.workers
    assert len(workers) == 2
    world.stop_gateway(signal.SIGKILL)
    world.wait(lambda: not any(alive(worker) for worker in workers), "the workers are gone")
    world.wait(lambda: may_listen(world.port), "the port is free")


def test_several_workers_answer_and_each_call_has_one_record(new_world: NewWorld) -> None:
    world = new_world(workers=2)
    world.start()
    answers = []
    for _ in range(30):
        with world.client() as client:
            answers.append(client.get(f"{API}/parcels/1"))
    assert Counter(answer.status_code for answer in answers) == {200: 30}
    found = Counter(record["tx"] for record in world.records())
    assert all(found[answer.headers["lgsp-transaction-id"]] == 1 for answer in answers)


def test_the_gateway_stops_at_once_when_idle_with_connections_open(new_world: NewWorld) -> None:
    world = new_world()
    world.start()
    with world.client() as client:
        assert client.get(f"{API}/parcels/1").status_code == 200
        assert world.stop_gateway() == 0


def test_health_tells_what_is_missing(new_world: NewWorld) -> None:
    world = new_world()
    world.loop.run(world.catalog_peer.stop())
    world.start(wait=False)
    world.wait(world.live, "the gateway lives")
    answer = httpx.get(f"http://127.0.0.1:{world.health_port}/health/ready", trust_env=False)
    assert answer.status_code == 503
    assert answer.json()["checks"]["routes"] is False
    world.loop.run(world.catalog_peer.start())
    world.wait(world.ready, "the gateway is ready")


def test_the_privacy_key_is_the_owners_alone(new_world: NewWorld) -> None:
    world = new_world(workers=2)
    world.start()
    key = world.folder / "home/gateway/privacy.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert len(bytes.fromhex(key.read_text())) == 32
    assert list(key.parent.glob("*privacy.key.*")) == []


def test_a_privacy_key_that_cannot_be_used_stops_the_gateway(new_world: NewWorld) -> None:
    world = new_world()
    key = world.folder / "home/gateway/privacy.key"
    key.parent.mkdir(parents=True)
    key.write_text("too short")
    world.start(wait=False)
    world.wait(lambda: "gateway failed" in world.log.read_text(), "the gateway says why")
    world.wait(lambda: "no worker starts" in world.log.read_text(), "the gateway ends")
