"""What became of the calls of each fault test, as a table."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pytest

PAGE: Final = Path(__file__).parents[2] / "build" / "faults.md"
PROPERTY: Final = "calls"
"""Under this name a test's report has the figures of its row."""
_HEAD: Final = """# What the faults did

Seed {seed}, {minutes:.1f} minutes. *Missing*: answered, and not in the ledger. *Double*: in the ledger more
than once. *Outage*: the longest time without an answer while calls were made; *wait*: the longest that one
call took.

| test | result | answered | missing | double | other | outage | wait | seen instead of an answer |
|---|---|---|---|---|---|---|---|---|
"""


@dataclass(slots=True)
class Summary:
    """The rows, in the order in which the tests ended."""

    seed: int
    rows: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def add(self, report: pytest.TestReport) -> None:
        """Add the row of a test."""
        name = report.nodeid.rpartition("/")[2].replace("::", " ")
        cells = [name, report.outcome, *_figures(dict(report.user_properties).get(PROPERTY))]
        self.rows.append(f"| {' | '.join(cells)} |")

    def page(self) -> str:
        """The page."""
        minutes = (time.monotonic() - self.began) / 60
        load = f"\n\nLoad of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores.\n"
        return _HEAD.format(seed=self.seed, minutes=minutes) + "\n".join(self.rows) + load

    def write(self) -> None:
        """Write the page."""
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(self.page(), encoding="utf-8")


def _figures(found: Any) -> list[str]:  # noqa: ANN401 - what a report carries
    if found is None:
        return ["–"] * 7
    seen = ", ".join(f"{number} × {what}" for what, number in sorted(found["errors"].items()))
    counts = [str(found[name]) for name in ("answered", "missing", "double", "other")]
    return [*counts, f"{found['outage_s']:.1f} s", f"{found['wait_s']:.1f} s", seen or "nothing"]
