"""Traces and metrics leave over OTLP, where somebody takes them."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

import grpc.aio
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

from lienthong.kit.settings import Settings
from lienthong.kit.telemetry import configure_telemetry

PROGRAM = """
from opentelemetry import trace
from lienthong.kit.metrics.durations import Durations
from lienthong.kit.metrics.instruments import REQUEST_DURATION, SPOOL_SIZE
from lienthong.kit.settings import Settings
from lienthong.kit.telemetry import configure_telemetry

telemetry = configure_telemetry("catalog", Settings())
with trace.get_tracer("test").start_as_current_span("apply"):
    telemetry.figures.observe(SPOOL_SIZE, lambda: 3)
durations = Durations(REQUEST_DURATION, lambda key: {"http.request.method": key})
durations.series("GET").record(0.02)
telemetry.figures.add(durations)
telemetry.shutdown()
"""


class Traces(trace_service_pb2_grpc.TraceServiceServicer):
    """Takes spans."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str]] = []

    async def Export(self, request: Any, context: Any) -> Any:  # noqa: ANN401, N802
        for resource in request.resource_spans:
            names = {entry.key: entry.value.string_value for entry in resource.resource.attributes}
            self.taken += [
                (names["service.name"], span.name) for scope in resource.scope_spans for span in scope.spans
            ]
        return trace_service_pb2.ExportTraceServiceResponse()


class Metrics(metrics_service_pb2_grpc.MetricsServiceServicer):
    """Takes metrics."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    async def Export(self, request: Any, context: Any) -> Any:  # noqa: ANN401, N802
        for resource in request.resource_metrics:
            self.taken += [metric.name for scope in resource.scope_metrics for metric in scope.metrics]
        return metrics_service_pb2.ExportMetricsServiceResponse()


async def test_what_a_process_measured_has_left_when_it_ends() -> None:
    traces, metrics = Traces(), Metrics()
    server = grpc.aio.server()
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(traces, server)  # type: ignore[no-untyped-call]
    metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server(metrics, server)  # type: ignore[no-untyped-call]
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    environment = {**os.environ, "LIENTHONG_OTLP_ENDPOINT": f"http://127.0.0.1:{port}"}
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, env=environment)
    assert await process.wait() == 0
    await server.stop(0)
    assert traces.taken == [("lienthong-catalog", "apply")]
    assert {"lienthong.spool.size", "http.server.request.duration", "process.memory.usage"} <= set(
        metrics.taken
    )


def test_without_an_endpoint_nothing_is_sent() -> None:
    telemetry = configure_telemetry("catalog", Settings(otlp_endpoint=None))
    assert not telemetry.traced
    telemetry.shutdown()
