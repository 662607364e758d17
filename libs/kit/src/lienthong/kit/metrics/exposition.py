"""The figures as text: the Prometheus format 0.0.4, or OpenMetrics 1.0 where the reader prefers it.

Instruments are written by the libraries' own exporter. Histograms are written here, as `Durations` keeps
them: with the exporter a scrape of a few hundred services would hold up calls for a good part of a second.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lienthong.kit.metrics.durations import Durations

WORKER: Final = "lienthong.worker"
"""The attribute, of the resource and of every figure, that tells the workers of one process apart."""
KEPT_S: Final = 1.0
"""A text is given again for this long: asking more often costs nothing more."""
_OPEN_METRICS: Final = "application/openmetrics-text; version=1.0.0"
_END: Final = b"# EOF\n"


class Exposition:
    """Writes the figures of one process."""

    def __init__(self, worker: str | None, durations: Sequence[Durations[Any]]) -> None:
        self._durations = durations
        self._worker = worker
        self._registry = CollectorRegistry()
        self._lock = asyncio.Lock()
        self._kept: dict[str, tuple[float, bytes]] = {}
        self.reader = PrometheusMetricReader(
            scope_info_enabled=False,
            resource_attribute_filter=lambda name: name == WORKER,
            registry=self._registry,
        )

    async def text(self, accept: str) -> tuple[bytes, str]:
        """The text and its media type, by the request's Accept field. Written on another thread."""
        wanted = _OPEN_METRICS if _OPEN_METRICS.partition(";")[0] in accept else ""
        encode, media_type = choose_encoder(wanted)
        async with self._lock:
            at, kept = self._kept.get(wanted, (-KEPT_S, b""))
            if time.monotonic() - at >= KEPT_S:
                kept = await asyncio.to_thread(lambda: self._with_histograms(encode(self._registry)))
                self._kept[wanted] = time.monotonic(), kept
        return kept, media_type

    def _with_histograms(self, text: bytes) -> bytes:
        also = {WORKER: self._worker} if self._worker is not None else {}
        histograms = "".join(durations.text(also) for durations in self._durations).encode()
        end = _END if text.endswith(_END) else b""
        return text.removesuffix(_END) + histograms + end


def merged(texts: Iterable[bytes]) -> bytes:
    """One text of those of several workers, in which each family stands together, as the formats want it."""
    families: dict[str, tuple[list[str], list[str]]] = {}
    end = b""
    for text in texts:
        name = ""
        end = _END if text.endswith(_END) else b""
        for line in text.removesuffix(_END).decode().removesuffix("\n").split("\n"):
            if line.startswith("# "):
                name = line.split(" ", 3)[2]
                head, _ = families.setdefault(name, ([], []))
                if line not in head:
                    head.append(line)
            else:
                families[name][1].append(line)
    lines = [line for head, samples in families.values() for line in (*head, *samples)]
    return "\n".join([*lines, ""]).encode() + end
