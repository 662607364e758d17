"""What can be searched for in the log, and what a search finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

Item = TypeVar("Item")


class Side(Enum):
    """In which column of an entry a party stands."""

    CLIENT = "client"
    CLIENT_AGENCY = "client_agency"
    PROVIDER_AGENCY = "provider_agency"


@dataclass(frozen=True, slots=True)
class Party:
    """Records that have `value` on this side, which are of `agency`."""

    side: Side
    value: str
    agency: str


@dataclass(frozen=True, slots=True)
class Reach:
    """Whose records a reader may see: those of any of these parties."""

    parties: Sequence[Party]

    @classmethod
    def of_agencies(cls, codes: Collection[str]) -> Reach:
        """Of people with roles for these agencies: the calls of their systems, and those to them."""
        sides = (Side.CLIENT_AGENCY, Side.PROVIDER_AGENCY)
        return cls(tuple(Party(side, code, code) for code in sorted(codes) for side in sides))

    @classmethod
    def of_system(cls, client_id: str, agency: str) -> Reach:
        """Of a system: the calls that it made, and those to services of its agency; those of which it may
        have receipts."""
        return cls((Party(Side.CLIENT, client_id, agency), Party(Side.PROVIDER_AGENCY, agency, agency)))

    def has(self, agency: str) -> bool:
        """Whether records of this agency are among them."""
        return any(party.agency == agency for party in self.parties)


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
    within: Reach | None = None
    """Whose records the reader may see; None for those of all."""

    @property
    def parties(self) -> Sequence[Party] | None:
        """The parties one of which a record has to be of; None where it may be of any."""
        if self.agency is None:
            return None if self.within is None else self.within.parties
        reach = Reach.of_agencies([self.agency]) if self.within is None else self.within
        return tuple(party for party in reach.parties if party.agency == self.agency)

    @property
    def filters_parties(self) -> bool:
        """Whether not every record of a party matches, so that many may have to be looked at for one."""
        if self.tx is not None or self.persons:
            return False
        filters = (self.client, self.service, self.kind, self.status, self.since, self.until)
        return self.unfinished or any(value is not None for value in filters)


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
