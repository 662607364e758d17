"""Whether the search index says of an entry what the entry's record says, and whether it leads there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lienthong.ledger.domain.records import JournalRecord, read_record

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

COLUMNS: Final = (
    "record_id",
    "kind",
    "tx",
    "client",
    "client_agency",
    "service",
    "provider_agency",
    "operation",
    "status",
    "error",
    "at",
)
"""What of a record can be searched for; fields of `JournalRecord` and columns of the table `entry`."""
ROW: Final = "row"
"""Stands for all columns, where the row is missing or cannot be read."""
PERSONS: Final = "persons"
"""The persons that the record names: rows of a table of their own."""
DATA: Final = "data"
"""The record itself, where it is not one any more."""


@dataclass(frozen=True, slots=True)
class IndexedEntry:
    """An entry's record, and its columns as they are stored."""

    index: int
    data: bytes
    columns: Mapping[str, Any]
    persons: frozenset[bytes] = frozenset()


@dataclass(frozen=True, slots=True)
class IndexDifference:
    """A column that does not say what the record says; None is nothing, as in the database.

    `expected` is what the record says. A look-up that does not lead to the entry has the column
    `lookup of <column>`.
    """

    index: int
    column: str
    stored: str | None
    expected: str | None


@dataclass(frozen=True, slots=True)
class IndexPortion:
    """The outcome for entries from `first` on; `next` is where the following portion begins, if any."""

    first: int
    checked: int
    differences: Sequence[IndexDifference]
    next: int | None


def columns_of(record: JournalRecord) -> dict[str, Any]:
    """The columns that a record gives."""
    return {name: getattr(record, name) for name in COLUMNS}


def compare(
    first: int,
    last: int,
    entries: Mapping[int, IndexedEntry],
    led_to: Mapping[str, Collection[int]],
) -> list[IndexDifference]:
    """What differs in the entries from `first` to `last`, recomputed from each record's bytes.

    `led_to` says to which entries the database's look-ups lead: of the column `record_id` and `tx`.
    """
    found: list[IndexDifference] = []
    for index in range(first, last + 1):
        entry = entries.get(index)
        if entry is None:
            found.append(IndexDifference(index, ROW, None, "a record"))
            continue
        record = read_record(entry.data)
        if not isinstance(record, JournalRecord):
            found.append(IndexDifference(index, DATA, record.reason[:200], "a record"))
            continue
        if entry.persons != (named := frozenset(record.persons)):
            found.append(IndexDifference(index, PERSONS, _hashes(entry.persons), _hashes(named)))
        for column, expected in columns_of(record).items():
            stored = entry.columns[column]
            if stored != expected:
                found.append(IndexDifference(index, column, _text(stored), _text(expected)))
            elif expected is not None and column in led_to and index not in led_to[column]:
                found.append(IndexDifference(index, f"lookup of {column}", None, _text(expected)))
    return found


def _hashes(persons: frozenset[bytes]) -> str | None:
    return _text(", ".join(sorted(person.hex() for person in persons)) or None)


def _text(value: object) -> str | None:
    return None if value is None else str(value)[:300]
