"""Prometheus is let in where the figures are, and the alerts speak of figures that there are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from lienthong.gateway.figures import CallFigures
from lienthong.kit.metrics.instruments import REGISTRY
from lienthong.kit.problems.registry import REGISTRY as PROBLEMS
from lienthong.kit.settings import Settings
from lienthong.ledger.service.audit_log import MOST_COUNTED
from tests.documents.alerts import rules
from tests.documents.metrics import PROMETHEUS_NAMES
from tests.manifests.cluster import PROCESSES, Cluster
from tests.manifests.rendering import K8S, TARGETS, mistakes_in, render

if TYPE_CHECKING:
    from pathlib import Path

METRIC = re.compile(r"\b(?:lienthong|http|process|db)_[a-z_]+")
RANGES = re.compile(r"(\w+)\((\w+)(?:\{[^}]*\})?\[")
INCREASE = re.compile(r'increase\(lienthong_calls_refused_total\{error_type="([^"]+)"')
SUFFIXES = {"gauge": ("",), "counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}
SHOWN = {
    f"{PROMETHEUS_NAMES[name]}{suffix}"
    for name, instrument in REGISTRY.items()
    for suffix in SUFFIXES[instrument.kind]
}
LABELS = {attribute.replace(".", "_") for one in REGISTRY.values() for attribute in one.attributes}


@pytest.mark.parametrize("target", TARGETS)
def test_annotations_lead_to_the_health_ports(target: str) -> None:
    workloads = Cluster(render(target)).workloads()
    for process in PROCESSES:
        annotations = workloads[process].manifest["spec"]["template"]["metadata"]["annotations"]
        assert annotations["prometheus.io/scrape"] == "true"
        assert annotations["prometheus.io/path"] == "/metrics"
        assert int(annotations["prometheus.io/port"]) == Settings(port_offset=0).health_port(process)


def test_the_component_opens_the_health_ports_to_the_monitoring_namespace_alone(tmp_path: Path) -> None:
    # kustomize takes relative paths only.
    up = "/".join([".."] * len(tmp_path.parts[1:]))
    lines = [f"resources: [{up}{K8S}/base]", f"components: [{up}{K8S}/components/monitoring]"]
    (tmp_path / "kustomization.yaml").write_text("\n".join(lines))
    manifests = render(tmp_path)
    assert mistakes_in(manifests) == []
    (policy,) = [one["spec"] for one in manifests if one["metadata"]["name"] == "monitoring"]
    (rule,) = policy["ingress"]
    assert rule["from"] == [{"namespaceSelector": {"matchLabels": {"lienthong/monitoring": "true"}}}]
    health = {Settings(port_offset=0).health_port(process) for process in PROCESSES}
    assert {port["port"] for port in rule["ports"]} == health
    (expression,) = policy["podSelector"]["matchExpressions"]
    assert set(expression["values"]) == set(PROCESSES)


def test_alerts_speak_of_figures_labels_and_problems_that_there_are() -> None:
    found = rules()
    assert len(found) > 12
    for rule in found:
        words = set(METRIC.findall(rule["expr"]))
        assert words <= SHOWN | LABELS | {"lienthong_worker"}, rule["alert"]
        assert rule["alert"] == "LienthongProcessDown" or words & SHOWN, rule["alert"]
        for code in re.findall(r'error_type="([^"]+)"', rule["expr"]):
            assert code in PROBLEMS, rule["alert"]
        assert rule["expr"].count("(") == rule["expr"].count(")")


def test_functions_of_counters_are_asked_of_counters_and_the_others_of_gauges() -> None:
    kinds = {
        f"{PROMETHEUS_NAMES[name]}{suffix}": instrument.kind
        for name, instrument in REGISTRY.items()
        for suffix in SUFFIXES[instrument.kind]
    }
    asked = [call for rule in rules() for call in RANGES.findall(rule["expr"])]
    assert {"increase", "rate", "min_over_time"} <= {function for function, _ in asked}
    for function, figure in asked:
        assert (kinds[figure] == "gauge") == (function not in {"increase", "rate", "irate"}), (
            function,
            figure,
        )
    # A fall of a gauge would look like a counter that began anew.
    for rule in rules():
        assert len(RANGES.findall(rule["expr"])) == rule["expr"].count("["), rule["alert"]


def test_a_counter_that_alerts_wait_for_is_there_before_it_counts() -> None:
    waited_for = {code for rule in rules() for code in INCREASE.findall(rule["expr"])}
    assert waited_for
    assert waited_for <= CallFigures().refused.keys()


def test_the_alert_for_a_full_count_of_the_quarantine_is_raised_where_counting_ends() -> None:
    assert f"lienthong_ledger_quarantine >= {MOST_COUNTED}" in {rule["expr"] for rule in rules()}


def test_every_alert_says_in_both_languages_what_it_means() -> None:
    found = rules()
    assert len({rule["alert"] for rule in found}) == len(found)
    for rule in found:
        assert rule["annotations"].keys() == {"summary", "summary_vi"}
        assert rule["labels"]["severity"] in {"warning", "critical"}
