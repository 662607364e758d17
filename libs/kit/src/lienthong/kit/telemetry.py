"""Traces where an endpoint is configured; figures always, and there too (OTLP)."""

from __future__ import annotations

import os
import socket
from importlib.metadata import version
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from lienthong.kit.metrics.exposition import WORKER
from lienthong.kit.metrics.figures import Figures
from lienthong.kit.metrics.instruments import REPLICA_AGE_LIMIT
from lienthong.kit.metrics.runtime import show_disk, show_process

if TYPE_CHECKING:
    from lienthong.kit.settings import Settings


class Telemetry:
    """What a process shows, and what must be shut down at the end, so that the last spans leave."""

    def __init__(self, figures: Figures, tracing: TracerProvider | None = None) -> None:
        self.figures = figures
        self._tracing = tracing

    @property
    def traced(self) -> bool:
        """Whether spans are sent."""
        return self._tracing is not None

    def shutdown(self) -> None:
        """Send what is left and stop; may take a few seconds when the collector is away."""
        if self._tracing is not None:
            self._tracing.shutdown()
        self.figures.shutdown()


def configure_telemetry(process: str, settings: Settings, *, worker: int | None = None) -> Telemetry:
    """Begin to measure, and make OpenTelemetry's global provider of traces, once in a process.

    That of figures stays as it is: FastAPI would count the same requests again, by names of its own.
    They send to `settings.otlp_endpoint` if it is set. `worker` is the number of this process among those
    that share its ports.
    """
    attributes = {
        "service.name": f"lienthong-{process}",
        "service.namespace": settings.instance,
        "service.version": version("lienthong-kit"),
        "service.instance.id": f"{socket.gethostname()}:{os.getpid()}",
    }
    if worker is not None:
        attributes[WORKER] = str(worker)
    resource = Resource.create(attributes)
    name = attributes.get(WORKER)
    endpoint = settings.otlp_endpoint
    if endpoint is None:
        telemetry = Telemetry(Figures(resource, worker=name))
    else:
        insecure = not endpoint.startswith("https://")
        tracing = TracerProvider(resource=resource)
        tracing.add_span_processor(
            BatchSpanProcessor(OTLPSpanExporter(endpoint, insecure=insecure, timeout=3))
        )
        trace.set_tracer_provider(tracing)
        exporter = OTLPMetricExporter(endpoint, insecure=insecure, timeout=3)
        telemetry = Telemetry(Figures(resource, worker=name, exporter=exporter), tracing)
    show_process(telemetry.figures)
    show_disk(telemetry.figures, settings.state_folder(process).absolute())
    telemetry.figures.observe(REPLICA_AGE_LIMIT, lambda: settings.stale_after_s)
    return telemetry
