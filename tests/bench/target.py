"""A figure beside its target."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Target:
    """What was seen of one figure; `rounds` are the figures that it is the median of, or belongs to."""

    name: str
    unit: str
    seen: float
    bound: Literal["at most", "at least"]
    goal: float
    note: str = ""
    rounds: list[dict[str, Any]] = field(default_factory=list)

    @property
    def reached(self) -> bool:
        """Whether the figure is within its target."""
        return self.seen <= self.goal if self.bound == "at most" else self.seen >= self.goal

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "name": self.name,
            "unit": self.unit,
            "seen": round(self.seen, 4),
            "target": f"{self.bound} {self.goal:g}",
            "reached": self.reached,
            "note": self.note,
            "rounds": self.rounds,
        }
