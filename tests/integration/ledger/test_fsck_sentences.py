"""A ledger that was damaged in one place: what `lienthong audit fsck` says of it, in both languages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from sqlalchemy import delete, update

from lienthong.client.ledger_findings import of_index, of_tree
from lienthong.ledger.models import entries, tiles, tree
from tests.integration.ledger.support import STREAM, full_check, messages, opened, record

if TYPE_CHECKING:
    from sqlalchemy import Executable

    from lienthong.client.ledger_findings import LedgerFinding
    from lienthong.ledger.bootstrap import LedgerCore
    from lienthong.ledger.domain.search_index import IndexDifference
    from lienthong.ledger.settings import LedgerSettings


async def found(core: LedgerCore) -> list[LedgerFinding]:
    """What the command is told: of the tree by the tiles, of the index by the ledger."""
    tree_findings = [of_tree(item) for item in (await full_check(core)).findings]
    differences: list[IndexDifference] = []
    first: int | None = 0
    while first is not None:
        portion = await core.index.portion(first)
        differences += portion.differences
        first = portion.next
    return [*tree_findings, *(of_index(msgspec.to_builtins(item)) for item in differences)]


ENTRY, TILE = entries.c.leaf_index, (tiles.c.level, tiles.c.tile_index)


@pytest.mark.parametrize(
    ("change", "places", "vietnamese", "english"),
    [
        (
            update(entries).where(ENTRY == 300).values(data=record(id="forged")),
            {"entry 300"},
            "nội dung bản ghi 300 đã bị sửa sau khi ký",
            "record 300 was changed after it was signed",
        ),
        (
            update(entries).where(ENTRY == 300).values(client="H99.99/nobody"),
            {"entry 300"},
            "cột tìm kiếm client của bản ghi 300 là «H99.99/nobody», bản ghi nói «H11.01/one-stop»",
            "the search column client of record 300 is «H99.99/nobody», the record says «H11.01/one-stop»",
        ),
        (
            delete(entries).where(ENTRY == 300),
            {"tile/entries/001", "entry 300"},
            "dòng của bản ghi 300 đã mất",
            "the row of record 300 is gone",
        ),
        (
            delete(tiles).where(TILE[0] == 0, TILE[1] == 1),
            {"tile/0/001"},
            "thiếu ô băm tile/0/001, từ bản ghi 256",
            "the tile tile/0/001 is missing, from record 256 on",
        ),
        (
            update(tiles).where(TILE[0] == 0, TILE[1] == 1).values(hashes=bytes(32 * 256)),
            {"tile/0/001"},
            "ô băm tile/0/001 đã bị sửa",
            "the tile tile/0/001 was changed",
        ),
        (
            update(tiles).where(TILE[0] == 0, TILE[1] == 1).values(hashes=bytes(32 * 200)),
            {"tile/0/001"},
            "thiếu ô băm tile/0/001",
            "the tile tile/0/001 is missing",
        ),
        (
            delete(entries).where(ENTRY >= 512),
            {"tile/entries/002.p/88", *(f"entry {index}" for index in range(512, 600))},
            "thiếu một bản ghi trong gói tile/entries/002.p/88, từ bản ghi 512",
            "a record of the bundle tile/entries/002.p/88 is missing, from record 512 on",
        ),
    ],
)
async def test_what_was_damaged_is_named_and_nothing_else(
    settings: LedgerSettings, change: Executable, places: set[str], vietnamese: str, english: str
) -> None:
    async with opened(settings) as core:
        await core.integrator.integrate(STREAM, messages(6, each=100))
        async with core.database.transaction() as session:
            await session.execute(change)
        findings = await found(core)
    assert {finding.place for finding in findings} == places
    assert any(vietnamese in finding.said.vi and english in finding.said.en for finding in findings)


async def test_a_tree_of_another_history_is_named(settings: LedgerSettings) -> None:
    async with opened(settings) as core:
        await core.integrator.integrate(STREAM, messages(2, each=100))
        async with core.database.transaction() as session:
            older = (await core.integrator.position()).checkpoint
        await core.integrator.integrate(STREAM, messages(1, each=100, first=3))
        async with core.database.transaction() as session:
            await session.execute(update(tree).values(checkpoint=older))
            await session.execute(update(tiles).where(TILE[0] == 0).values(hashes=bytes(32 * 256)))
            await session.execute(update(entries).where(ENTRY == 5).values(data=b'{"id": "x"}'))
        findings = await found(core)
    assert any(finding.place == "checkpoint" and "another history" in finding.said.en for finding in findings)
