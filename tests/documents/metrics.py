"""`docs/reference/metrics.md`: every figure of every process, from the registry."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.resources import Resource
from prometheus_client.parser import text_string_to_metric_families

from lienthong.kit.metrics.durations import Durations
from lienthong.kit.metrics.figures import Figures
from lienthong.kit.metrics.instruments import REGISTRY
from lienthong.kit.processes import PROCESSES
from tests.documents import alerts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lienthong.kit.metrics.instruments import Instrument

PAGE = Path("docs/reference/metrics.md")


def _prometheus_names() -> Mapping[str, str]:
    """The name under which a scrape shows each instrument: asked of the exporter, not guessed."""
    return {instrument.name: _name(instrument) for instrument in REGISTRY.values()}


def _name(instrument: Instrument) -> str:
    figures = Figures(Resource({}))
    if instrument.kind == "histogram":
        durations: Durations[Any] = Durations(instrument, lambda _: {})
        durations.series(None).record(1.0)
        figures.add(durations)
    else:
        figures.observe(instrument, lambda: 1)
    text, _ = asyncio.run(figures.exposition.text(""))
    names = {family.name for family in text_string_to_metric_families(text.decode())}
    (name,) = names - {"target_info"}
    return name


PROMETHEUS_NAMES = _prometheus_names()

_HEAD = """\
# Metrics

*Tóm tắt.* Mỗi tiến trình cho xem số liệu của mình ở `/metrics` trên cổng sức khoẻ (cổng 8180, danh mục
8181, định danh 8182, trao đổi dữ liệu 8183, sổ nhật ký 8184, bảng điều khiển 8191), theo
định dạng của Prometheus. Nhãn chỉ
gồm tên do nền tảng đặt: không có đường dẫn, người dùng, mã giao dịch hay bên gọi. Hỏi một tiến trình
phục vụ của cổng là thấy số liệu của tất cả. `lienthong status` đọc chính các số liệu này. Cuối trang là
các cảnh báo gợi ý. Trang này được tạo từ mã nguồn và được kiểm tra khớp với mã nguồn.

Every process shows its figures at `/metrics` on its health port ([0008](../adr/0008-ports.md)), in
Prometheus' text format 0.0.4, or OpenMetrics 1.0 for readers that prefer it in `Accept`. Where
`LIENTHONG_OTLP_ENDPOINT` is set they are sent there too, under their OpenTelemetry names. Why they are
made this way: [0025](../adr/0025-figures-read-when-asked.md).

- Names are those of OpenTelemetry's semantic conventions where these have one; others begin with
  `lienthong.`.
- A text is given again for one second, so asking more often shows nothing new. What has to be asked of
  NATS or of a database is asked every five seconds; while that fails the figure is absent.
- Labels are names of the platform's own: services of the catalog, routes, codes of
  [problems](problems.md), checks. Never a path, a person, a caller or a transaction. A process names at
  most 300 services or routes, and at each 24 ways to end with an error and 24 without; the rest is
  counted under `_OTHER`. Methods of calls without a valid token are `_OTHER`; a status that HTTP does
  not know counts as the first of its class.
- `error_type` is the code of the problem; the status where a provider itself answered with 5xx;
  `aborted` where the caller went away or the answer was broken off.
- All workers of a gateway answer at once, whichever the kernel picks; `lienthong_worker` is the number
  of each, and a worker that is started anew takes over the number of the one before. `/health/ready` is
  that of one worker; `lienthong_health_check` has the checks of all.
- `target_info` says which version runs (`service_version`).

This page is written from the registry (`lienthong.kit.metrics.instruments`): `make reference`.

| metric | kind | labels | of | meaning · ý nghĩa |
|---|---|---|---|---|
"""


def page() -> str:
    """The page as it has to be."""
    return _HEAD + "\n".join(_row(instrument) for instrument in REGISTRY.values()) + "\n" + alerts.section()


def _row(instrument: Instrument) -> str:
    suffix = "_total" if instrument.kind == "counter" else ""
    labels = ", ".join(f"`{attribute.replace('.', '_')}`" for attribute in instrument.attributes)
    processes = "all" if instrument.processes == PROCESSES else ", ".join(instrument.processes)
    cells = (
        f"`{PROMETHEUS_NAMES[instrument.name]}{suffix}`<br>`{instrument.name}`",
        instrument.kind,
        labels or "–",
        processes,
        f"{instrument.text.en}<br>{instrument.text.vi}",
    )
    return "| " + " | ".join(cells) + " |"
