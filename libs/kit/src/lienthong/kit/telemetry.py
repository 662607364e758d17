"""Traces and metrics over OTLP where an endpoint is configured, nothing where not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry import metrics, trace
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

if TYPE_CHECKING:
    from lienthong.kit.settings import Settings


class Telemetry:
    """What must be shut down at the end, so that the last spans leave."""

    def __init__(self, tracing: TracerProvider | None = None, metering: MeterProvider | None = None) -> None:
        self._tracing = tracing
        self._metering = metering

    @property
    def enabled(self) -> bool:
        """Whether anything is sent."""
        return self._tracing is not None

    def shutdown(self) -> None:
        """Send what is left and stop; may take a few seconds when the collector is away."""
        if self._tracing is not None:
            self._tracing.shutdown()
        if self._metering is not None:
            self._metering.shutdown(timeout_millis=3000)


def configure_telemetry(process: str, settings: Settings) -> Telemetry:
    """Make OpenTelemetry's global providers send to `settings.otlp_endpoint`; without one they do nothing."""
    endpoint = settings.otlp_endpoint
    if endpoint is None:
        return Telemetry()
    insecure = not endpoint.startswith("https://")
    resource = Resource.create(
        {"service.name": f"lienthong-{process}", "service.namespace": settings.instance}
    )
    tracing = TracerProvider(resource=resource)
    tracing.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint, insecure=insecure, timeout=3)))
    metering = MeterProvider(
        resource=resource,
        metric_readers=[
            PeriodicExportingMetricReader(OTLPMetricExporter(endpoint, insecure=insecure, timeout=3))
        ],
    )
    trace.set_tracer_provider(tracing)
    metrics.set_meter_provider(metering)
    return Telemetry(tracing, metering)
