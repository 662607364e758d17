"""The ledger runs only on the log that was signed, and says what is wrong when it does not."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import delete, make_url, select, update

from lienthong.ledger.errors import LedgerMismatchError, SigningKeyFileError
from lienthong.ledger.models import entries, tiles, tree
from tests.integration.ledger.support import STREAM, checkpoint, full_check, messages, opened

if TYPE_CHECKING:
    from sqlalchemy import Executable

    from lienthong.ledger.settings import LedgerSettings


async def grown(settings: LedgerSettings, *statements: Executable) -> None:
    """A log of 600 entries, then changed by hand."""
    async with opened(settings) as core:
        await core.integrator.integrate(STREAM, messages(6, each=100))
        async with core.database.transaction() as session:
            for statement in statements:
                await session.execute(statement)


async def test_an_untouched_log_opens_again_and_again(settings: LedgerSettings) -> None:
    await grown(settings)
    for _ in range(2):
        async with opened(settings) as core:
            assert (await checkpoint(core)).size == 600


@pytest.mark.parametrize(
    ("change", "complaint", "vietnamese"),
    [
        (update(tree).values(size=599), "has 599 entries, its signed checkpoint 600", "599 bản ghi"),
        (update(tree).values(root=bytes(32)), "has the root 0000000000000000… for 600", "có gốc 00000000"),
        (delete(tree), "table `tree` is empty", "bảng `tree` trống"),
        (
            update(tiles).where(tiles.c.level == 1).values(hashes=bytes(64)),
            r"signed root at size 600: one of tile/0/002\.p/88, tile/1/000\.p/2 was changed",
            "đã bị sửa",
        ),
        (
            delete(tiles).where(tiles.c.level == 0, tiles.c.tile_index == 2),
            r"row of the table `tile` is gone or cut off: tile/0/002\.p/88 is missing",
            "một dòng của bảng `tile`",
        ),
        (
            update(tiles).where(tiles.c.level == 1).values(hashes=bytes(32)),
            r"cut off: tile/1/000\.p/2 has 1 hashes instead of 2",
            "bị cắt",
        ),
        (delete(entries).where(entries.c.leaf_index >= 550), "lost its rows 550 to 599", "550 đến 599"),
        (delete(entries), "lost its rows 0 to 599", "0 đến 599"),
        (delete(entries).where(entries.c.leaf_index == 550), "lost its row 550,", "mất dòng 550"),
        (
            update(entries).where(entries.c.leaf_index == 599).values(leaf_index=600),
            "has rows 600 to 600, which nobody signed",
            "chưa ai ký",
        ),
        (
            update(entries).where(entries.c.leaf_index == 599).values(data=b"{}"),
            r"record in row 599 of the table `entry` was changed: .* tile/0/002\.p/88",
            "ở dòng 599",
        ),
    ],
)
async def test_a_log_that_is_not_what_was_signed_is_refused(
    settings: LedgerSettings, change: Executable, complaint: str, vietnamese: str
) -> None:
    await grown(settings, change)
    with pytest.raises(LedgerMismatchError, match=complaint) as refused:
        async with opened(settings):
            pass
    said = refused.value.said
    assert vietnamese in said.vi
    assert ("Keep this database as evidence" in said.en, "làm bằng chứng" in said.vi) == (True, True)


def cut_off(file: Path, left: float) -> None:
    """Leave so many bytes of a file, such a part of it, or cut so many off."""
    whole = file.stat().st_size
    os.truncate(file, int(left if left >= 1 else whole * left if left > 0 else whole + left))


@pytest.mark.sqlite
@pytest.mark.parametrize("left", [100, 5000, 0.5, -4096])
async def test_a_database_file_that_was_cut_off_is_named(settings: LedgerSettings, left: float) -> None:
    await grown(settings)
    cut_off(Path(make_url(settings.ledger_database_url).database or ""), left)
    with pytest.raises(LedgerMismatchError, match=r"is damaged|has lost|is gone|was changed") as refused:
        async with opened(settings):
            pass
    assert "bằng chứng" in refused.value.said.vi


async def test_a_checkpoint_that_another_key_signed_is_refused(settings: LedgerSettings) -> None:
    await grown(settings)
    settings.ledger_key_file.unlink()
    # The key of another log of the same name.
    other = settings.model_copy(
        update={"ledger_database_url": f"sqlite+aiosqlite:///{settings.home}/other.db"}
    )
    async with opened(other):
        pass
    with pytest.raises(LedgerMismatchError, match="none of the known keys signed"):
        async with opened(settings):
            pass


async def test_a_log_that_has_begun_gets_no_new_key(settings: LedgerSettings) -> None:
    await grown(settings)
    settings.ledger_key_file.unlink()
    with pytest.raises(SigningKeyFileError, match=r"ledger\.key"):
        async with opened(settings):
            pass
    assert not settings.ledger_key_file.exists()


async def test_a_log_keeps_its_name(settings: LedgerSettings) -> None:
    await grown(settings)
    renamed = settings.model_copy(update={"ledger_origin": "lgsp/VN-HNI/ledger"})
    with pytest.raises(LedgerMismatchError, match="LIENTHONG_LEDGER_ORIGIN"):
        async with opened(renamed):
            pass


@pytest.mark.parametrize("index", [0, 255, 256, 300, 511, 512, 599])
async def test_one_changed_byte_of_a_stored_entry_is_named_by_the_full_check(
    settings: LedgerSettings, index: int
) -> None:
    async with opened(settings) as core:
        await core.integrator.integrate(STREAM, messages(6, each=100))
        async with core.database.transaction() as session:
            data: bytes = (
                await session.execute(select(entries.c.data).where(entries.c.leaf_index == index))
            ).scalar_one()
            changed = data.replace(b'"status":200', b'"status":201')
            assert changed != data
            await session.execute(update(entries).where(entries.c.leaf_index == index).values(data=changed))
        assert [finding.place for finding in (await full_check(core)).findings] == [f"entry {index}"]


@pytest.mark.parametrize(("level", "index"), [(0, 0), (0, 1), (0, 2), (1, 0)])
async def test_a_changed_tile_is_named_by_the_full_check(
    settings: LedgerSettings, level: int, index: int
) -> None:
    async with opened(settings) as core:
        await core.integrator.integrate(STREAM, messages(6, each=100))
        where: Any = (tiles.c.level == level) & (tiles.c.tile_index == index)
        async with core.database.transaction() as session:
            hashes: bytes = (await session.execute(select(tiles.c.hashes).where(where))).scalar_one()
            changed = hashes[:-1] + bytes([hashes[-1] ^ 1])
            await session.execute(update(tiles).where(where).values(hashes=changed))
        (finding,) = (await full_check(core)).findings
    assert finding.place.startswith(f"tile/{level}/00{index}")


async def test_an_integrator_stops_when_the_tree_under_it_was_changed(settings: LedgerSettings) -> None:
    async with opened(settings) as core:
        await core.integrator.integrate(STREAM, messages(2, each=100))
        async with core.database.transaction() as session:
            await session.execute(update(tree).values(root=bytes(32)))
        with pytest.raises(LedgerMismatchError):
            await core.integrator.integrate(STREAM, messages(1, first=3))
