"""The figures of one process: who reads them, and when.

Nothing is pushed into OpenTelemetry while work is done. Whoever owns a number keeps it in a plain attribute,
and says here how to read it; it is read when somebody asks. What has to be asked for over the network or from
a database is asked every few seconds beside the work, and shown as it was the last time.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final

import structlog
from opentelemetry.metrics import Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    MetricExporter,
    MetricsData,
    PeriodicExportingMetricReader,
    ResourceMetrics,
    ScopeMetrics,
)
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from lienthong.kit.backoff import Backoff
from lienthong.kit.metrics.exposition import Exposition

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from opentelemetry.metrics import CallbackOptions
    from opentelemetry.sdk.metrics.export import MetricExportResult, MetricReader
    from opentelemetry.sdk.resources import Resource

    from lienthong.kit.metrics.durations import Durations
    from lienthong.kit.metrics.instruments import Instrument

    Number = int | float
    Attributes = Mapping[str, str]
    Readings = Iterable[tuple[Number, Attributes]]
    Ask = Callable[[], Awaitable[Mapping[Instrument, Number | None]]]

ASK_EVERY_S: Final = 5.0
"""The longest time between two questions. After the start they follow each other faster: what was found
before a process served its first request is soon no longer true."""
_FIRST_PAUSE_S: Final = 0.2
_PATIENCE_S: Final = 4.0
_SCOPE: Final = "lienthong"

_log = structlog.get_logger(__name__)


class Figures:
    """What one process shows of itself.

    `worker` is the label that tells the workers of one process apart; `exporter` takes the figures to a
    collector as well.
    """

    def __init__(
        self, resource: Resource, *, worker: str | None = None, exporter: MetricExporter | None = None
    ) -> None:
        self._began = time.time_ns()
        self._resource = resource
        self._durations: list[Durations[Any]] = []
        self._readings: dict[str, list[Callable[[], Readings]]] = {}
        self._asks: list[tuple[Ask, dict[Instrument, Number]]] = []
        self.exposition = Exposition(worker, self._durations)
        readers: list[MetricReader] = [self.exposition.reader]
        if exporter is not None:
            readers.append(PeriodicExportingMetricReader(_WithDurations(exporter, self._with_durations)))
        self.provider = MeterProvider(readers, resource, shutdown_on_exit=False)
        self._meter = self.provider.get_meter(_SCOPE)

    def observe(self, instrument: Instrument, read: Callable[[], Number | None]) -> None:
        """Show what `read` gives; nothing while that is None. It is called on another thread."""
        self.observe_each(instrument, lambda: ((number, {}),) if (number := read()) is not None else ())

    def observe_each(self, instrument: Instrument, read: Callable[[], Readings]) -> None:
        """Show the numbers that `read` gives, each with its attributes. It is called on another thread."""
        readings = self._readings.get(instrument.name)
        if readings is not None:
            readings.append(read)
            return
        readings = self._readings[instrument.name] = [read]

        def observe(_options: CallbackOptions) -> Iterable[Observation]:
            return [Observation(number, attributes) for each in readings for number, attributes in each()]

        create = (
            self._meter.create_observable_counter
            if instrument.kind == "counter"
            else self._meter.create_observable_gauge
        )
        create(instrument.name, callbacks=[observe], unit=instrument.unit, description=instrument.text.en)

    def add(self, durations: Durations[Any]) -> None:
        """Show a histogram."""
        self._durations.append(durations)

    def ask(self, *instruments: Instrument, about: Ask) -> None:
        """Show what `about` answers, asked every few seconds by `run`; nothing after it failed."""
        answers: dict[Instrument, Number] = {}
        self._asks.append((about, answers))
        for instrument in instruments:
            self._show(instrument, answers)

    def _show(self, instrument: Instrument, answers: Mapping[Instrument, Number]) -> None:
        self.observe(instrument, lambda: answers.get(instrument))

    async def run(self) -> None:
        """Ask what has to be asked for, until cancelled."""
        pauses = Backoff(_FIRST_PAUSE_S, ASK_EVERY_S)
        while True:
            await asyncio.gather(*(_asked(ask, answers) for ask, answers in self._asks))
            await pauses.pause()

    def shutdown(self) -> None:
        """Send the last figures to the collector, where there is one, and stop."""
        self.provider.shutdown(timeout_millis=3000)

    def _with_durations(self, data: MetricsData) -> MetricsData:
        now = time.time_ns()
        metrics = [durations.metric(self._began, now) for durations in self._durations]
        scope = ScopeMetrics(InstrumentationScope(f"{_SCOPE}.durations"), metrics, schema_url="")
        # One resource, and a scope of its own: of two that are equal the exporter sends the last alone.
        scopes = [scope, *(each for found in data.resource_metrics for each in found.scope_metrics)]
        return MetricsData([ResourceMetrics(self._resource, scopes, schema_url="")])


async def _asked(ask: Ask, answers: dict[Instrument, Number]) -> None:
    try:
        async with asyncio.timeout(_PATIENCE_S):
            found = await ask()
    except Exception as error:  # noqa: BLE001 - what cannot be asked now is not shown
        _log.debug("figures not available", error=repr(error))
        answers.clear()
        return
    answers.update({instrument: number for instrument, number in found.items() if number is not None})
    for instrument in [instrument for instrument in answers if found.get(instrument) is None]:
        del answers[instrument]


class _WithDurations(MetricExporter):
    """Adds the histograms, which OpenTelemetry does not know of, to what goes to a collector."""

    def __init__(self, exporter: MetricExporter, complete: Callable[[MetricsData], MetricsData]) -> None:
        super().__init__()
        self._exporter = exporter
        self._complete = complete

    def export(
        self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: object
    ) -> MetricExportResult:
        """Send the figures."""
        return self._exporter.export(self._complete(metrics_data), timeout_millis)

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Send what is held back."""
        return self._exporter.force_flush(timeout_millis)

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: object) -> None:
        """Stop."""
        self._exporter.shutdown(timeout_millis)
