"""What an operator sees of a whole platform: figures that a foreign parser reads, and `lienthong status`."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from lienthong.client import Client
from lienthong.client.health_ports import PORTS as HEALTH_PORTS
from lienthong.client.status import METRICS
from lienthong.kit.metrics import instruments
from lienthong.kit.metrics.instruments import REGISTRY
from lienthong.kit.processes import CONSOLE, PORTS
from lienthong.kit.settings import Settings
from tests.documents.metrics import PROMETHEUS_NAMES
from tests.support.platform import CONSUMER, PURPOSE, SERVICE, Platform, running_platform
from tests.support.terminal import COMMAND, at_terminal
from tests.support.upstream import running_upstream
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import Metric

PERSON, CASE = "079090012345", "H11.01-261128-0042"
OPEN_METRICS = "application/openmetrics-text; version=1.0.0"
NOT_OURS = {"target_info", "target"}
EVERYTHING = [*PORTS, CONSOLE]
SHOWN_AT_TIMES = (instruments.PROVIDER_CIRCUITS,)
"""Figures of what is out of the ordinary: nothing is shown while nothing is."""


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform that has served good and bad calls, events apart."""
    home = tmp_path_factory.mktemp("platform") / "home"
    with running_upstream() as upstream, running_platform(home, upstream) as running:
        with Client(running.consumer) as client:
            client.call(SERVICE, "GET", "/parcels/1", purpose=PURPOSE, user=PERSON, case=CASE)
        with httpx.Client(base_url=running.gateway, trust_env=False) as stranger:
            for number in range(30):
                for path in (
                    f"/{PERSON}/{number}",
                    f"/catalog/v1/{PERSON}/{number}",
                    f"/oauth2/{PERSON}{number}",
                ):
                    stranger.get(path, headers={"LGSP-User": PERSON})
                    stranger.request(f"X{PERSON}{number}", path)
                stranger.get(f"/audit/v1/entries/{PERSON}{number}?{PERSON}=1")
        yield running


def scrape(platform: Platform, process: str, accept: str = "") -> dict[str, Metric]:
    url = f"http://127.0.0.1:{platform.settings.health_port(process)}/metrics"
    answer = httpx.get(url, headers={"accept": accept}, trust_env=False).raise_for_status()
    parse = openmetrics.text_string_to_metric_families if accept else text_string_to_metric_families
    families = list(parse(answer.text))
    assert len({family.name for family in families}) == len(families)
    return {family.name: family for family in families}


@pytest.mark.parametrize("process", PORTS)
def test_every_process_shows_exactly_the_figures_of_the_registry(platform: Platform, process: str) -> None:
    own = [instrument for instrument in REGISTRY.values() if process in instrument.processes]
    known = {PROMETHEUS_NAMES[instrument.name] for instrument in own}
    # A counter is there from its first event on, and a histogram's series from its first measurement.
    lasting = [instrument for instrument in own if instrument.kind != "counter"]
    expected = {PROMETHEUS_NAMES[one.name] for one in lasting if one not in SHOWN_AT_TIMES}
    # What is asked for every few seconds is there after the first time.
    wait_until(
        lambda: expected <= set(scrape(platform, process)),
        lambda: f"missing: {expected - set(scrape(platform, process))}",
    )
    shown = set(scrape(platform, process)) - NOT_OURS
    assert expected <= shown <= known


@pytest.mark.parametrize("process", PORTS)
def test_labels_are_few_and_name_no_person_no_path_and_no_caller(platform: Platform, process: str) -> None:
    allowed = {name: instrument.attributes for name, instrument in REGISTRY.items()}
    by_family = {PROMETHEUS_NAMES[name]: attributes for name, attributes in allowed.items()}
    families = scrape(platform, process)
    for family in families.values():
        if family.name in NOT_OURS:
            continue
        words = {word.replace(".", "_") for word in by_family[family.name]} | {"le", "lienthong_worker"}
        for sample in family.samples:
            assert set(sample.labels) <= words, sample
            for value in sample.labels.values():
                assert PERSON not in value
                assert CASE not in value
                assert CONSUMER not in value
        assert len({tuple(sample.labels.items()) for sample in family.samples}) <= 40 * 17, family.name
    calls = families["http_server_request_duration_seconds"].samples
    assert len([sample for sample in calls if sample.name.endswith("_count")]) <= 40


@pytest.mark.parametrize("process", PORTS)
def test_open_metrics_is_there_for_those_who_ask(platform: Platform, process: str) -> None:
    assert "process_memory_usage_bytes" in scrape(platform, process, OPEN_METRICS)


def test_the_command_asks_the_ports_and_figures_that_there_are(platform: Platform) -> None:
    assert {name: Settings(port_offset=0).health_port(name) for name in EVERYTHING} == HEALTH_PORTS
    shown = {
        sample.name
        for process in EVERYTHING
        for family in scrape(platform, process).values()
        for sample in family.samples
    }
    assert set(METRICS) <= shown


def environment(platform: Platform) -> dict[str, str]:
    return {"LIENTHONG_PORT_OFFSET": str(platform.settings.port_offset)}


def status(platform: Platform, *words: str) -> tuple[int, Any]:
    done = subprocess.run(
        [*COMMAND, "status", "--json", *words],
        capture_output=True,
        check=False,
        env={**os.environ, **environment(platform)},
    )
    return done.returncode, json.loads(done.stdout)


def test_a_platform_that_is_well_is_said_to_be(platform: Platform) -> None:
    wait_until(lambda: status(platform)[0] == 0, lambda: str(status(platform)), every=0.2)
    code, document = status(platform)
    assert (code, document["healthy"]) == (0, True)
    found = {process["process"]: process for process in document["processes"]}
    assert list(found) == EVERYTHING
    assert found["gateway"]["figures"]["routes_version"] == found["catalog"]["figures"]["catalog_version"]
    assert found["ledger"]["figures"]["ledger_size"] > 0
    assert all(process["version"] == "0.1.0" and process["started"] > 0 for process in found.values())


@pytest.mark.parametrize("language", ["vi", "en", "both"])
def test_it_is_readable_at_80_columns(platform: Platform, language: str) -> None:
    lines = at_terminal(platform.home, "status", LIENTHONG_LANG=language, **environment(platform))
    assert all(len(line.rstrip()) <= 80 for line in lines), lines
    text = "\n".join(lines)
    assert ("Sổ nhật ký" in text, "Checkpoint" in text) == (language != "en", language != "vi")
    assert "Traceback" not in text


def told_of(platform: Platform, process: str) -> list[str]:
    """What is not well with a process."""
    _, document = status(platform)
    (found,) = [one for one in document["processes"] if one["process"] == process]
    return [finding["detail"] for finding in found["findings"]]


def test_what_is_away_is_told_with_what_to_do(platform: Platform) -> None:
    supervisor = platform.installation.supervisor
    supervisor.stop("ledger")
    supervisor.stop("nats")
    try:
        with Client(platform.consumer) as client:
            assert client.call(SERVICE, "GET", "/parcels/1", purpose=PURPOSE).ok
        # The gateway notices within moments.
        wait_until(lambda: "NATS is away" in told_of(platform, "gateway"), "the gateway misses NATS")
        code, document = status(platform)
        found = {process["process"]: process for process in document["processes"]}
        assert (code, document["healthy"]) == (1, False)
        assert found["ledger"]["state"] == found["gateway"]["state"] == "fail"
        assert "records wait in the spool on disk" in told_of(platform, "gateway")
        assert all(finding["advice_vi"] for process in found.values() for finding in process["findings"])
        assert found["gateway"]["figures"]["spool_bytes"] > 0
    finally:
        supervisor.start("nats")
        supervisor.start("ledger")
    wait_until(lambda: status(platform)[0] == 0, lambda: str(status(platform)), every=0.2)


def test_nothing_reached_and_wrong_addresses_have_their_own_exit_codes(platform: Platform) -> None:
    nowhere = [word for name in PORTS for word in ("--health", f"{name}=http://127.0.0.1:9")]
    assert status(platform, *nowhere)[0] == 3
    code, document = status(platform, "--health", "gateway=ftp://x")
    assert (code, document["error"]["code"]) == (2, "bad-input")
    # Another server answers there: it is told, without a traceback.
    code, document = status(platform, "--health", f"catalog={platform.gateway}")
    assert code == 1
    [catalog] = [process for process in document["processes"] if process["process"] == "catalog"]
    assert catalog["state"] == "fail"
