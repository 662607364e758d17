"""Histograms that cost the way of a call a dictionary look-up and two additions.

OpenTelemetry's own histogram takes a lock and builds a key of all attributes for each measurement. Here the
caller's key leads to plain counts, which become OpenTelemetry's data points when somebody reads them.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from opentelemetry.sdk.metrics.export import AggregationTemporality, Histogram, HistogramDataPoint, Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from lienthong.kit.metrics.instruments import Instrument

    Attributes = Mapping[str, str | int]

KeyT = TypeVar("KeyT", bound="Hashable")

BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Seconds; what the semantic conventions ask for in `http.server.request.duration`."""


_NOT_IN_A_NAME: Final = re.compile(r"[^a-zA-Z0-9]+")


class Series:
    """The measurements that have one set of attributes: how many fell under each bound, and their sum."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def record(self, seconds: float) -> None:
        """Count a measurement; only on the event loop's thread."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds


class Durations(Generic[KeyT]):
    """A histogram of durations in seconds, one series for each key.

    `attributes` turns a key into its attributes; whoever records bounds how many keys there are.
    """

    def __init__(
        self,
        instrument: Instrument,
        attributes: Callable[[KeyT], Attributes],
        bounds: tuple[float, ...] = BOUNDS,
    ) -> None:
        self.instrument = instrument
        self._attributes = attributes
        self._bounds = bounds
        self._series: dict[KeyT, Series] = {}

    def __contains__(self, key: KeyT) -> bool:
        return key in self._series

    def series(self, key: KeyT) -> Series:
        """The series of a key, a new one if there is none yet."""
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = Series(self._bounds)
        return series

    def text(self, also: Attributes) -> str:
        """All series in the Prometheus text format, which OpenMetrics shares; `also` are further attributes.

        Any thread.
        """
        name = f"{_word(self.instrument.name)}_seconds"
        lines = [f"# HELP {name} {self.instrument.text.en}", f"# TYPE {name} histogram"]
        for key, series in list(self._series.items()):
            counts, total = list(series.counts), series.total
            labels = ",".join(
                f'{_word(attribute)}="{_escaped(str(value))}"'
                for attribute, value in {**self._attributes(key), **also}.items()
            )
            start = f"{name}_bucket{{{labels}{',' if labels else ''}le="
            lines += [
                f'{start}"{bound}"}} {count}'
                for bound, count in zip((*self._bounds, "+Inf"), accumulate(counts), strict=True)
            ]
            end = f"{{{labels}}}" if labels else ""
            lines += [f"{name}_count{end} {sum(counts)}", f"{name}_sum{end} {total}"]
        return "\n".join([*lines, ""])

    def metric(self, began: int, now: int) -> Metric:
        """All series as OpenTelemetry's exporters take them; times are nanoseconds since 1970. Any thread."""
        points = []
        for key, series in list(self._series.items()):
            counts = list(series.counts)
            points.append(
                HistogramDataPoint(
                    attributes=dict(self._attributes(key)),
                    start_time_unix_nano=began,
                    time_unix_nano=now,
                    count=sum(counts),
                    sum=series.total,
                    bucket_counts=counts,
                    explicit_bounds=self._bounds,
                    # Those of a whole life say little, and the text format has no place for them.
                    min=None,  # type: ignore[arg-type]  # optional in the protocol
                    max=None,  # type: ignore[arg-type]
                )
            )
        instrument = self.instrument
        data = Histogram(data_points=points, aggregation_temporality=AggregationTemporality.CUMULATIVE)
        return Metric(name=instrument.name, description=instrument.text.en, unit=instrument.unit, data=data)


def _word(name: str) -> str:
    """A name as Prometheus has it."""
    return _NOT_IN_A_NAME.sub("_", name)


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
