"""Mistakes in what was sent: where (JSON pointer), what was wrong and how to mend it, in both languages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Path = tuple[str | int, ...]


class ValueRefusedError(ValueError):
    """A value is not acceptable; carries the reason in English and in Vietnamese."""

    def __init__(self, en: str, vi: str) -> None:
        super().__init__(en)
        self.en = en
        self.vi = vi


@dataclass(frozen=True, slots=True)
class Found:
    """A refusal at a place inside a document; `path` is relative to that document."""

    path: Path
    en: str
    vi: str

    def below(self, *prefix: str | int) -> Found:
        """Return the same finding as seen from further up, where the document lies under `prefix`."""
        return Found((*prefix, *self.path), self.en, self.vi)


@dataclass(frozen=True, slots=True)
class Mistake:
    """One entry of the `errors` of a 422 (or 409, where it is a conflict with what was decided before)."""

    pointer: str
    detail: str
    detail_vi: str
    conflict: bool = False

    @classmethod
    def at(cls, path: Iterable[str | int], en: str, vi: str, *, conflict: bool = False) -> Mistake:
        """Build a mistake from a path of member names and indexes."""
        return cls(pointer(path), en, vi, conflict)

    def document(self) -> dict[str, str]:
        """Return the mistake as it stands in the problem document."""
        return {"pointer": self.pointer, "detail": self.detail, "detail_vi": self.detail_vi}


def pointer(path: Iterable[str | int]) -> str:
    """Write a path as a JSON pointer (RFC 6901 §3: `~` is `~0`, `/` is `~1`)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
