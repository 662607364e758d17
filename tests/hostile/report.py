"""What was tried, what was answered, and how long others waited meanwhile, as a table."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.hostile.steady import Window

PAGE = Path(__file__).parents[2] / "build" / "hostile.md"
_HEAD = """# What others saw meanwhile

A well-behaved tenant calls 25 times a second, one call after the other, while these are tried.

| kind | tried | answered | calls | p99 | worst |
|---|---|---|---|---|---|
"""


@dataclass
class Report:
    """The rows, in the order in which they were tried."""

    rows: list[str] = field(default_factory=list)

    def add(self, kind: str, tried: str, answered: str, window: Window) -> None:
        """Add a row."""
        times = f"{window.p99_s * 1000:.0f} ms | {window.worst_s * 1000:.0f} ms"
        self.rows.append(f"| {kind} | {tried} | {answered} | {len(window.calls)} | {times} |")

    def write(self) -> None:
        """Write the page."""
        PAGE.parent.mkdir(exist_ok=True)
        load = f"\nLoad of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores.\n"
        PAGE.write_text(_HEAD + "\n".join(self.rows) + "\n" + load, encoding="utf-8")
