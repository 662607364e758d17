"""What the provider itself wrote down of the requests that reached it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class ProviderLog:
    """The provider's file, from where it was when a test began: each test has a platform of its own."""

    path: Path
    begins_at: int

    @classmethod
    def from_now(cls, path: Path) -> ProviderLog:
        """What is written from this moment on."""
        return cls(path, path.stat().st_size if path.exists() else 0)

    def requests(self) -> dict[str, list[str]]:
        """The paths that were asked for under each transaction id."""
        found: dict[str, list[str]] = defaultdict(list)
        with self.path.open("rb") as file:
            file.seek(self.begins_at)
            for line in file.read().decode("ascii").splitlines():
                path, _, transaction = line.partition(" ")
                found[transaction].append(path)
        return found
