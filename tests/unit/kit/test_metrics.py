"""Figures cost little while work is done, and are few whatever callers send."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from opentelemetry.sdk.metrics.export import HistogramDataPoint
from opentelemetry.sdk.resources import Resource
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from lienthong.kit.clock import SystemClock
from lienthong.kit.health import show_checks
from lienthong.kit.metrics import instruments
from lienthong.kit.metrics.durations import BOUNDS, Durations
from lienthong.kit.metrics.exposition import WORKER, Exposition, merged
from lienthong.kit.metrics.figures import ASK_EVERY_S, Figures
from lienthong.kit.metrics.instruments import REGISTRY, REQUEST_DURATION, Instrument
from lienthong.kit.metrics.requests import MOST_ENDINGS, MOST_PLACES, MeasuredApp, RequestDurations
from lienthong.kit.metrics.runtime import connections_to, show_connections, show_process
from lienthong.kit.rest import create_rest_app
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client.samples import Sample

NAME = "http_server_request_duration_seconds"
OPEN_METRICS = "application/openmetrics-text; version=1.0.0"


def figures(worker: str | None = None) -> Figures:
    return Figures(Resource({} if worker is None else {WORKER: worker}), worker=worker)


async def samples(shown: Figures) -> list[Sample]:
    text, _ = await shown.exposition.text("")
    return read(text)


def read(text: bytes) -> list[Sample]:
    return [sample for family in text_string_to_metric_families(text.decode()) for sample in family.samples]


def counted(found: Iterable[Sample], name: str = f"{NAME}_count") -> list[tuple[dict[str, str], float]]:
    return [(sample.labels, sample.value) for sample in found if sample.name == name]


async def test_a_duration_counts_under_each_bound_that_it_does_not_exceed() -> None:
    durations: Durations[str] = Durations(REQUEST_DURATION, lambda key: {"lgsp.service": key})
    for seconds in (0.0, 0.005, 0.0051, 9.0, 10.0, 11.0):
        durations.series('a "quoted"\\\n').record(seconds)
    shown = figures()
    shown.add(durations)
    found = await samples(shown)
    buckets = {sample.labels["le"]: sample.value for sample in found if sample.name == f"{NAME}_bucket"}
    assert list(buckets) == [*map(str, BOUNDS), "+Inf"]
    assert (buckets["0.005"], buckets["0.01"], buckets["10.0"], buckets["+Inf"]) == (2, 3, 5, 6)
    assert counted(found) == [({"lgsp_service": 'a "quoted"\\\n'}, 6)]
    point = durations.metric(0, 1).data.data_points[0]
    assert isinstance(point, HistogramDataPoint)
    assert (point.count, list(point.bucket_counts)[:2], sum(point.bucket_counts)) == (6, [2, 1], 6)


async def test_places_beyond_the_limit_are_counted_together() -> None:
    requests = RequestDurations("lgsp.service")
    for number in range(MOST_PLACES + 50):
        requests.series(f"service-{number}", "GET", 200, None).record(0.001)
    found = counted(read(requests.durations.text({}).encode()))
    assert len(found) == MOST_PLACES + 1
    assert [value for labels, value in found if labels["lgsp_service"] == "_OTHER"] == [50]


async def test_methods_statuses_and_errors_of_one_place_are_bounded_and_none_is_lost() -> None:
    requests = RequestDurations("lgsp.service")
    for number in range(5000):
        requests.series(
            "s", f"M{number}", 100 + number % 900, f"error-{number}" if number % 2 else None
        ).record(0.001)
    requests.series("s", "GET", 299, None).record(0.001)
    found = counted(read(requests.durations.text({}).encode()))
    assert len(found) <= 2 * (MOST_ENDINGS + 1)
    assert sum(value for _, value in found) == 5001
    assert {labels["http_request_method"] for labels, _ in found} <= {"GET", "_OTHER"}


async def test_refusals_do_not_use_up_what_tells_good_answers_apart() -> None:
    requests = RequestDurations("lgsp.service")
    for number in range(1000):
        requests.series("s", "GET", 403, f"refusal-{number}").record(0.001)
    requests.series("s", "GET", 200, None).record(0.001)
    found = counted(read(requests.durations.text({}).encode()))
    assert [value for labels, value in found if labels.get("http_response_status_code") == "200"] == [1]


async def test_a_status_of_500_without_a_problem_is_an_error_of_its_own() -> None:
    requests = RequestDurations("lgsp.service")
    requests.series("s", "GET", 503, None).record(0.001)
    requests.series("s", "GET", 777, None).record(0.001)
    found = counted(read(requests.durations.text({}).encode()))
    assert [labels["error_type"] for labels, _ in found] == ["503", "500"]


async def test_a_service_is_counted_by_its_routes_never_by_paths() -> None:
    app = create_rest_app("A test", summary="For a test.", openapi_path="/openapi.json")

    @app.get("/things/{thing_id}")
    async def thing(thing_id: str) -> str:
        if thing_id == "broken":
            raise RuntimeError(thing_id)
        return thing_id

    shown = figures()
    transport = httpx.ASGITransport(app=MeasuredApp(app, shown, SystemClock()))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        for path in ("/things/1", "/things/2", "/things/broken", "/things/079090000001/x", "/079090000001"):
            await client.get(path)
        await client.request("079090000001", "/things/3")
    text, _ = await shown.exposition.text("")
    assert b"079090000001" not in text
    found = {
        (
            labels.get("http_route"),
            labels["http_request_method"],
            labels["http_response_status_code"],
            labels.get("error_type"),
        ): value
        for labels, value in counted(read(text))
    }
    assert found == {
        ("/things/{thing_id}", "GET", "200", None): 2,
        ("/things/{thing_id}", "GET", "500", "internal-error"): 1,
        (None, "GET", "404", "not-found"): 2,
        ("/things/{thing_id}", "_OTHER", "405", "method-not-allowed"): 1,
    }


async def test_a_request_that_is_broken_off_is_counted_as_such() -> None:
    shown = figures()

    async def fails(_scope: object, _receive: object, _send: object) -> None:
        raise RuntimeError

    async def never(_message: object = None) -> Any:  # noqa: ANN401
        raise AssertionError

    with pytest.raises(RuntimeError):
        await MeasuredApp(fails, shown, SystemClock())({"type": "http", "method": "GET"}, never, never)
    [(labels, value)] = counted(await samples(shown))
    assert (labels["error_type"], value) == ("aborted", 1)


@pytest.mark.parametrize("accept", ["", "text/plain", OPEN_METRICS, f"{OPEN_METRICS},text/plain;q=0.5"])
async def test_both_formats_are_what_foreign_parsers_read(accept: str) -> None:
    shown = figures("0")
    show_process(shown)
    requests = RequestDurations("lgsp.service")
    requests.series("s", "GET", 200, None).record(0.1)
    shown.add(requests.durations)
    text, media_type = await shown.exposition.text(accept)
    parse = (
        openmetrics.text_string_to_metric_families
        if media_type.startswith("application/openmetrics-text")
        else text_string_to_metric_families
    )
    assert media_type.startswith("application/openmetrics-text") == accept.startswith("application")
    families = {family.name: family for family in parse(text.decode())}
    assert families[NAME].type == "histogram"
    assert families["process_memory_usage_bytes"].samples[0].value > 1_000_000
    for family in families.values():
        assert all(sample.labels["lienthong_worker"] == "0" for sample in family.samples)


@pytest.mark.parametrize("accept", ["", OPEN_METRICS])
async def test_the_text_of_several_workers_has_each_family_once(accept: str) -> None:
    texts = []
    for worker in ("0", "1", "2"):
        shown = figures(worker)
        show_process(shown)
        requests = RequestDurations("lgsp.service")
        requests.series(f"s{worker}", "GET", 200, None).record(0.1)
        shown.add(requests.durations)
        texts.append((await shown.exposition.text(accept))[0])
    one = merged(texts)
    assert one.count(f"# TYPE {NAME} ".encode()) == 1
    assert one.endswith(b"# EOF\n") == bool(accept)
    parse = openmetrics.text_string_to_metric_families if accept else text_string_to_metric_families
    families = {family.name: family for family in parse(one.decode())}
    workers = [sample.labels["lienthong_worker"] for sample in families["process_memory_usage_bytes"].samples]
    assert workers == ["0", "1", "2"]
    assert sorted(one.splitlines()) == sorted({line for text in texts for line in text.splitlines()})


async def test_asked_again_at_once_it_gives_the_same_text() -> None:
    reads = 0

    def read_it() -> int:
        nonlocal reads
        reads += 1
        return reads

    shown = figures()
    shown.observe(instruments.SPOOL_SIZE, read_it)
    texts = await asyncio.gather(*(shown.exposition.text("") for _ in range(50)))
    assert (len(set(texts)), reads) == (1, 1)


async def test_what_cannot_be_asked_is_not_shown() -> None:
    answers: list[dict[Instrument, float | None] | Exception] = [
        {instruments.OUTBOX_MESSAGES: 3, instruments.OUTBOX_AGE: None},
        RuntimeError("away"),
    ]
    done = asyncio.Event()

    async def about() -> dict[Instrument, float | None]:
        answer = answers.pop(0)
        done.set()
        if isinstance(answer, Exception):
            raise answer
        return answer

    for expected in ({"lienthong_outbox_messages": 3.0}, {}):
        shown = figures()
        shown.ask(instruments.OUTBOX_MESSAGES, instruments.OUTBOX_AGE, about=about)
        done.clear()
        running = asyncio.create_task(shown.run())
        await done.wait()
        await asyncio.sleep(0)
        found = {sample.name: sample.value for sample in await samples(shown) if "outbox" in sample.name}
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert found == expected


async def test_a_check_that_failed_while_the_process_started_is_soon_asked_again() -> None:
    shown = figures()
    listening = False
    show_checks(shown, {"listening": lambda: listening})
    running = asyncio.create_task(shown.run())

    async def shows(value: float) -> bool:
        return [found for _, found in counted(await samples(shown), "lienthong_health_check")] == [value]

    await eventually(lambda: shows(0))
    listening = True
    await eventually(lambda: shows(1), within=ASK_EVERY_S - 1)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_connections_to_a_port_are_counted_while_they_are_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert connections_to(port) == 0
        with socket.create_connection(("127.0.0.1", port)):
            taken, _ = listener.accept()
            with taken:
                assert connections_to(port) == 1
        assert connections_to(port) == 0


def test_names_are_well_formed_and_attributes_name_no_person_and_no_call() -> None:
    assert len(REGISTRY) > 25
    for instrument in REGISTRY.values():
        assert instrument.name == instrument.name.lower()
        assert instrument.text.en
        assert instrument.text.vi
        for word in ("client", "user", "path", "case", "transaction", "ip", "agency"):
            assert word not in {attribute.rpartition(".")[2] for attribute in instrument.attributes}


def test_an_exposition_keeps_no_more_than_both_formats() -> None:
    exposition = Exposition(None, [])

    async def ask() -> None:
        for number in range(20):
            await exposition.text(f"text/plain; version={number}.0.0, application/x{number}")

    asyncio.run(ask())
    assert len(exposition._kept) == 1


def open_descriptors() -> list[str]:
    return sorted(path.name for path in Path("/proc/self/fd").iterdir())


async def test_looking_at_a_process_leaves_nothing_open() -> None:
    shown = figures()
    show_process(shown)
    show_connections(shown, 1)
    before = open_descriptors()
    for _ in range(3):
        shown.exposition._kept.clear()
        await shown.exposition.text("")
    assert open_descriptors() == before
