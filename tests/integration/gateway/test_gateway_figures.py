"""What an operator sees of a gateway: all of its workers, and few names whatever strangers send."""

from __future__ import annotations

import os
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import pytest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from tests.integration.gateway.world import API, CONSUMER, SERVICE, World

if TYPE_CHECKING:
    from collections.abc import Callable

    from prometheus_client.samples import Sample

    NewWorld = Callable[..., World]

CALLS = "http_server_request_duration_seconds_count"
OPEN_METRICS = "application/openmetrics-text; version=1.0.0"


def scrape(world: World, accept: str = "") -> list[Sample]:
    """The figures, as foreign parsers read them."""
    url = f"http://127.0.0.1:{world.health_port}/metrics"
    answer = httpx.get(url, headers={"accept": accept}, trust_env=False).raise_for_status()
    parse = openmetrics.text_string_to_metric_families if accept else text_string_to_metric_families
    return [sample for family in parse(answer.text) for sample in family.samples]


def values(samples: list[Sample], name: str, **labels: str) -> list[float]:
    """The values under a name and these labels."""
    return [
        sample.value for sample in samples if sample.name == name and labels.items() <= sample.labels.items()
    ]


@pytest.mark.parametrize("accept", ["", OPEN_METRICS])
def test_whichever_worker_is_asked_answers_for_all(new_world: NewWorld, accept: str) -> None:
    world = new_world(workers=2)
    world.start()
    for _ in range(30):
        with world.client() as client:
            assert client.get(f"{API}/parcels/1").status_code == 200

    def all_seen() -> bool:
        return sum(values(scrape(world, accept), CALLS, lgsp_service=SERVICE)) == 30

    # A text is given again for up to a second.
    world.wait(all_seen, "the calls of both workers")
    for _ in range(5):
        samples = scrape(world, accept)
        assert {sample.labels["lienthong_worker"] for sample in samples} == {"0", "1"}
        assert values(samples, "lienthong_gateway_workers") == [2, 2]
        assert sum(values(samples, "lienthong_journal_records_total", lienthong_destination="bus")) == 30


def test_a_worker_that_is_started_anew_takes_the_number_of_the_one_before(new_world: NewWorld) -> None:
    world = new_world(workers=2)
    world.start()
    killed, _ = world.workers
    os.kill(killed, signal.SIGKILL)
    world.wait(lambda: killed not in world.workers and len(world.workers) == 2, "a new worker")

    def both() -> bool:
        try:
            started = [s for s in scrape(world) if s.name == "process_start_time_seconds"]
        except httpx.TransportError:
            return False
        return {s.labels["lienthong_worker"] for s in started} == {"0", "1"}

    world.wait(both, "both are seen again")


def test_a_worker_that_hangs_is_missing_and_holds_nobody_up(new_world: NewWorld) -> None:
    world = new_world(workers=2, worker_timeout_s=60)
    world.start()
    stopped, _ = world.workers
    url = f"http://127.0.0.1:{world.health_port}/metrics"

    def ask(_: int) -> httpx.Response | None:
        try:
            return httpx.get(url, trust_env=False, timeout=5)
        except httpx.TimeoutException:
            return None

    os.kill(stopped, signal.SIGSTOP)
    try:
        # The kernel hands some connections to the one that hangs.
        with ThreadPoolExecutor(16) as callers:
            answers = [answer for answer in callers.map(ask, range(16)) if answer is not None]
    finally:
        os.kill(stopped, signal.SIGCONT)
    assert answers
    answer = answers[0]
    found = list(text_string_to_metric_families(answer.text))
    assert len({s.labels["lienthong_worker"] for family in found for s in family.samples}) == 1


def test_no_path_method_token_or_person_of_a_caller_becomes_a_label(new_world: NewWorld) -> None:
    world = new_world()
    world.start()
    person, case = "079090012345", "H11.01-261128-0042"
    with world.client() as client:
        before = len(scrape(world))
        for number in range(60):
            client.get(f"/{person}/{number}")
            client.get(f"/api/H99.{number}/none/v1/{person}")
            client.get(f"{API}/{person}/{number}")
            client.request(f"M{number}", f"{API}/parcels/{person}")
            headers = {"LGSP-User": person, "LGSP-Case-Id": case}
            assert client.get(f"{API}/parcels/{number}", headers=headers).status_code == 200
            client.get(f"{API}/parcels/{number}", headers={"Authorization": f"Bearer {person}{number}"})
    world.wait(
        lambda: sum(values(scrape(world), CALLS, http_response_status_code="200")) == 60,
        "every call is counted",
    )
    samples = scrape(world)
    for sample in samples:
        for value in sample.labels.values():
            assert person not in value
            assert case not in value
            assert "H99" not in value
            assert CONSUMER not in value
    counted = Counter(sample.name for sample in samples)
    assert counted[CALLS] <= 12, [sample.labels for sample in samples if sample.name == CALLS]
    assert len(samples) < before + 12 * 17 + 20
    refused = {s.labels["error_type"]: s.value for s in samples if s.name == "lienthong_calls_refused_total"}
    assert refused["unknown-path"] == refused["unknown-service"] == 60
    assert sum(values(samples, CALLS)) == 360
