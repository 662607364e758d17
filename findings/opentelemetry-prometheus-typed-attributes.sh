#!/usr/bin/env bash
# opentelemetry-exporter-prometheus 0.66b2 and prometheus_client 0.26.0: attribute values 200 and "200"
#
# Expected: one series with the sum, since both values become the same label. OpenTelemetry allows both types of value
#           (common specification, "Attribute"). Prometheus, "Exposition formats", section "Grouping and sorting": a metric
#           name with the same labels appears once; so OpenMetrics 1.0, section "Metric".
# Seen:     the exporter writes two series with identical labels, one for each type. prometheus_client looks up the first
#           only: of three calls it finds one.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
  opentelemetry-exporter-prometheus==0.66b2 opentelemetry-sdk==1.45.2 prometheus_client==0.26.0

"$folder/venv/bin/python" - <<'PY'
import sys

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CollectorRegistry, generate_latest

registry = CollectorRegistry()
reader = PrometheusMetricReader(disable_target_info=True, scope_info_enabled=False, registry=registry)
calls = MeterProvider(metric_readers=[reader]).get_meter("example").create_counter("calls")
calls.add(1, {"status": 200})
calls.add(2, {"status": "200"})

lines = [line for line in generate_latest(registry).decode().splitlines() if line.startswith("calls_total")]
found = registry.get_sample_value("calls_total", {"status": "200"})
print("3 calls counted; written:", *lines, sep="\n  ")
print(f"looked up: {found:g}")

if lines != ['calls_total{status="200"} 1.0', 'calls_total{status="200"} 2.0'] or found != 1:
    sys.exit("the exporter no longer behaves as described")
PY
