"""What can be searched for in the log, and what a search finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class EntryQuery:
    """The filters of a search; None means that any value matches.

    `agency` matches the caller's or the provider's agency. `since` is inclusive, `until` exclusive. `after`
    is the index of the last entry of the previous page: paging goes by index, so pages do not move while the
    log grows. `persons` are hashes of which a record has one: of one person, under each key there was.
    `unfinished` matches the beginnings of endless answers whose end is not in the log.
    """

    limit: int
    order: Literal["asc", "desc"] = "desc"
    tx: str | None = None
    client: str | None = None
    service: str | None = None
    agency: str | None = None
    kind: str | None = None
    status: int | None = None
    persons: Sequence[bytes] = ()
    since: datetime | None = None
    until: datetime | None = None
    unfinished: bool = False
    after: int | None = None
    within: frozenset[str] | None = None
    """The agencies of which the reader may see records, their own calls and those to them; None for all."""

    @property
    def agencies(self) -> tuple[str, ...] | None:
        """The agencies one of which a record has to be of; None where it may be of any."""
        if self.agency is not None:
            reachable = self.within is None or self.agency in self.within
            return (self.agency,) if reachable else ()
        return None if self.within is None else tuple(sorted(self.within))


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """An entry of the log: its index, the exact bytes of the record, and the two parties of the call."""

    index: int
    data: bytes
    client: str | None
    provider_agency: str | None


@dataclass(frozen=True, slots=True)
class QuarantinedRecord:
    """A journal record that could not become an entry, with the reason.

    `journal_sequence` is the number of its message in the journal, `position` its place in that message,
    counted from 0.
    """

    id: int
    journal_sequence: int
    position: int
    reason: str
    data: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True)
class ResultPage(Generic[Item]):
    """One page of results and the cursor of the next page; None on the last page."""

    items: Sequence[Item]
    next: int | None
