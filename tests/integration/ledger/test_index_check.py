"""What can be searched for is what the records say, and the ledger says where it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import delete, text, update

from lienthong.ledger.domain.journal_place import PlaceState
from lienthong.ledger.domain.search_index import COLUMNS, IndexDifference
from lienthong.ledger.models import entries, tree
from lienthong.ledger.service.index_check import PORTION
from tests.integration.ledger.support import STREAM, message, messages, opened, record

if TYPE_CHECKING:
    from lienthong.ledger.bootstrap import LedgerCore
    from lienthong.ledger.settings import LedgerSettings

OTHER: dict[str, Any] = {"status": 201, "record_id": "another", "at": None}


async def differences(core: LedgerCore) -> list[IndexDifference]:
    """What the check of the whole index finds; each portion begins where the one before ended."""
    found: list[IndexDifference] = []
    first: int | None = 0
    while first is not None:
        portion = await core.index.portion(first)
        assert (portion.first, portion.checked <= PORTION) == (first, True)
        found += portion.differences
        first = portion.next
    return found


@pytest.mark.parametrize("size", [0, 1, PORTION, PORTION + 1, 600])
async def test_an_untouched_index_is_what_the_records_say(settings: LedgerSettings, size: int) -> None:
    async with opened(settings) as core:
        if size:
            batch = [record() for _ in range(size - 1)]
            await core.integrator.integrate(STREAM, [message(1, *batch, b'{"id": "bare"}')])
        assert await differences(core) == []
        assert (await core.index.portion(size)).checked == 0


@pytest.mark.parametrize("column", COLUMNS)
async def test_a_changed_column_is_named(settings: LedgerSettings, column: str) -> None:
    async with opened(settings) as core:
        await core.integrator.integrate(STREAM, [message(1, *(record(error="late") for _ in range(300)))])
        value = OTHER.get(column, "another")
        async with core.database.transaction() as session:
            where = entries.c.leaf_index == 270
            await session.execute(update(entries).where(where).values({column: value}))
        (found,) = await differences(core)
    assert (found.index, found.column) == (270, column)
    assert found.stored == (None if value is None else str(value))
    assert found.expected is not None


async def test_a_missing_row_and_a_record_that_is_none_are_named(settings: LedgerSettings) -> None:
    async with opened(settings) as core:
        await core.integrator.integrate(STREAM, messages(1, each=300))
        async with core.database.transaction() as session:
            await session.execute(delete(entries).where(entries.c.leaf_index.in_([7, 299])))
            await session.execute(update(entries).where(entries.c.leaf_index == 8).values(data=b"poison"))
        found = await differences(core)
    assert [(item.index, item.column) for item in found] == [(7, "row"), (8, "data"), (299, "row")]


@pytest.mark.sqlite  # PostgreSQL stores no value of another type.
async def test_a_row_that_cannot_be_read_is_named_and_the_others_are_checked(
    settings: LedgerSettings,
) -> None:
    async with opened(settings) as core:
        await core.integrator.integrate(STREAM, messages(1, each=20))
        async with core.database.transaction() as session:
            await session.execute(text("UPDATE entry SET at = 'yesterday' WHERE leaf_index = 7"))
            await session.execute(update(entries).where(entries.c.leaf_index == 9).values(status=500))
        found = await differences(core)
    assert [(item.index, item.column) for item in found] == [(7, "row"), (9, "status")]
    assert "cannot be read" in str(found[0].stored)


@pytest.mark.sqlite  # PostgreSQL lets nobody make an index that lacks a row.
async def test_an_index_of_the_database_that_lost_an_entry_is_named(settings: LedgerSettings) -> None:
    async with opened(settings) as core:
        await core.integrator.integrate(STREAM, messages(1, each=20))
        async with core.database.transaction() as session:
            # The table gets the row back behind the index's back.
            await session.execute(text("PRAGMA writable_schema = ON"))
            await session.execute(text("DROP INDEX ix_entry_tx"))
            await session.execute(text("CREATE INDEX ix_entry_tx ON entry (tx) WHERE leaf_index <> 7"))
            await session.execute(
                text(
                    "UPDATE sqlite_schema SET sql = 'CREATE INDEX ix_entry_tx ON entry (tx)'"
                    " WHERE name = 'ix_entry_tx'"
                )
            )
    async with opened(settings) as core:
        found = await differences(core)
    assert [(item.index, item.column) for item in found] == [(7, "lookup of tx")]


async def test_a_message_counts_as_integrated_when_all_its_records_are_in_the_log(
    settings: LedgerSettings,
) -> None:
    first, second = messages(2, each=3)
    async with opened(settings) as core:
        await core.integrator.integrate(STREAM, [first])
        assert await core.integrator.has(first)
        assert not await core.integrator.has(second)
        assert await core.integrator.has(message(3, b"poison"))


def test_the_states_of_the_place_are_those_of_the_document() -> None:
    assert {state.value for state in PlaceState} == {
        "empty",
        "agrees",
        "aged-out",
        "shorter",
        "other-message",
        "not-integrated",
        "replaced",
        "unknown",
    }
    assert tree.c.journal_sequence is not None
