"""What the health ports of the platform's processes say: readiness, and the figures in Prometheus' format."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import httpx

from lienthong.client import folders
from lienthong.client.errors import InputError, Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from prometheus_client.samples import Sample

CONSOLE: Final = "console"
PORTS: Final = {
    "gateway": 8180,
    "catalog": 8181,
    "identity": 8182,
    "exchange": 8183,
    "ledger": 8184,
    CONSOLE: 8191,
}
TIMEOUT_S: Final = 5.0
HISTORY: Final = "history"
"""The check of a service whose database is compared with the ledger."""
ROLLED_BACK: Final = "database-rolled-back"
"""How its reason begins where the database is older."""
STORAGE: Final = "storage"
"""The check of a service whose database is a file that it looks after."""
DAMAGED: Final = "database-damaged"
"""How its reason begins where the file is damaged."""

SECRETS: Final = "secrets"
"""The check of a gateway that shows secrets to providers."""
MISSING: Final = "secrets of providers are missing: "
"""How its reason begins where services name some that it does not have."""
ADVICE_OF_SECRETS: Final = Text(
    "Đặt từng bí mật vào thư mục bí mật của mọi cổng; cổng tự đọc lại. Xem docs/reference/gateway.md, mục"
    " «Credentials for providers».",
    "Put each into the folder of secrets of every gateway, which reads it again by itself. See"
    " docs/reference/gateway.md, 'Credentials for providers'.",
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one process said; `failure` is why it said nothing."""

    process: str
    url: str
    checks: Mapping[str, bool] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    """Why a check fails, or passes although something is not as it should be."""
    samples: Sequence[Sample] = ()
    failure: str | None = None

    def values(self, name: str, **labels: str) -> list[float]:
        """Every value under a name, e.g. one of each worker."""
        return [
            sample.value
            for sample in self.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]

    def labels(self, name: str, label: str) -> list[str]:
        """Every value of a label under a name."""
        return [sample.labels.get(label, "") for sample in self.samples if sample.name == name]

    def failing(self) -> list[str]:
        """The checks that fail, of this process or of any of its workers."""
        name = "lienthong_health_check"
        found = {
            sample.labels["lienthong_check"]
            for sample in self.samples
            if sample.name == name and not sample.value
        }
        return sorted(found | {check for check, holds in self.checks.items() if not holds})


def addresses(given: Iterable[str]) -> list[tuple[str, str]]:
    """The processes and the addresses of their health ports: those of this machine, unless others are given.

    `given` are such as `gateway=http://10.0.0.5:8180`. They replace the one of that name; a name may come
    more than once. Where some are given, the console is asked only if it is among them: of an installation
    on several machines it may run nowhere.

    Raises:
        InputError: one of them is not of that form.
    """
    found: dict[str, list[str]] = {}
    for word in given:
        name, _, url = word.partition("=")
        if name not in PORTS or not url.startswith(("http://", "https://")):
            raise InputError(
                Text("Địa chỉ không dùng được", "The address cannot be used"),
                Text(
                    f"«{word}» không có dạng TÊN=URL; TÊN là một trong: {', '.join(PORTS)}.",
                    f"'{word}' is not of the form NAME=URL; NAME is one of: {', '.join(PORTS)}.",
                ),
            )
        found.setdefault(name, []).append(url.rstrip("/"))
    offset = folders.port_offset()
    return [
        (name, url)
        for name, port in PORTS.items()
        if name != CONSOLE or name in found or not found
        for url in found.get(name, [f"http://127.0.0.1:{port + offset}"])
    ]


def read_all(processes: Sequence[tuple[str, str]]) -> list[Reading]:
    """Ask all processes, side by side."""
    with ThreadPoolExecutor(max_workers=max(len(processes), 1)) as threads:
        return list(threads.map(lambda process: _read(*process), processes))


def _read(process: str, url: str) -> Reading:
    # Imported when it is needed: other commands do not wait for it.
    from prometheus_client.parser import text_string_to_metric_families

    try:
        with httpx.Client(timeout=TIMEOUT_S, trust_env=False) as client:
            ready = client.get(f"{url}/health/ready").json()
            text = client.get(f"{url}/metrics").raise_for_status().text
        checks = {str(name): bool(holds) for name, holds in ready["checks"].items()}
        reasons = {
            str(name): str(found["reason"])
            for name, found in ready.get("conditions", {}).items()
            if found.get("reason")
        }
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Reading(process, url, failure=str(error) or type(error).__name__)
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        return Reading(process, url, failure=f"not a health port of this platform ({error!r})")
    return Reading(process, url, checks, reasons, samples)
