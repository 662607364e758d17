"""A damaged file is found before and while a process works with it, and its copy is put back."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lienthong.kit.health import State
from lienthong.kit.soundness import (
    DatabaseReplacedError,
    NoCopyError,
    Soundness,
    copy_of,
    find_damage,
    make_copy,
    put_copy_back,
)
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database with an index and a few pages."""
    path = tmp_path / "catalog.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE agency (id TEXT PRIMARY KEY, name TEXT)")
        with database:
            database.executemany(
                "INSERT INTO agency VALUES (?, ?)", [(f"H{number:04}", "x" * 50) for number in range(500)]
            )
    return path


def soundness(path: Path, every: float = 3600.0) -> Soundness:
    return Soundness(f"sqlite+aiosqlite:///{path}", service="catalog", every=every)


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 0x10
    path.write_bytes(content)


def in_the_index(path: Path) -> None:
    flip(path, path.read_bytes().rindex(b"H0250"))


def in_the_first_page(path: Path) -> None:
    flip(path, 103)


def in_the_header(path: Path) -> None:
    flip(path, 0)


def half(path: Path) -> None:
    with path.open("r+b") as opened:
        opened.truncate(path.stat().st_size // 2)


def nothing(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize(
    "damage", [in_the_index, in_the_first_page, in_the_header, half, nothing, Path.unlink]
)
async def test_damage_is_found_before_the_start_and_the_copy_put_back(
    file: Path, damage: Callable[[Path], None]
) -> None:
    make_copy(file)
    damage(file)
    found = soundness(file)
    assert await found.damaged()
    condition = found.condition()
    assert condition.state is State.FAILED
    assert (condition.reason or "").startswith("database-damaged: ")
    assert "`python -m lienthong.catalog put-copy-back`" in (condition.reason or "")

    waiting = asyncio.create_task(soundness(file, every=0.01).wait_until_replaced())
    await asyncio.sleep(0.05)
    done = await asyncio.to_thread(put_copy_back, f"sqlite:///{file}")
    assert f"{file}.damaged-" in done.en
    with pytest.raises(DatabaseReplacedError):
        await waiting
    assert not await soundness(file).damaged()
    mode = (await asyncio.to_thread(file.stat)).st_mode
    assert mode & 0o077 == 0
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("SELECT count(*) FROM agency").fetchone() == (500,)


async def test_a_new_and_a_sound_database_are_not_damaged(file: Path, tmp_path: Path) -> None:
    assert not await soundness(tmp_path / "new.db").damaged()
    assert not await soundness(file).damaged()
    assert soundness(file).condition().state is State.OK
    assert not await Soundness("postgresql://db/lienthong", service="catalog", every=1).damaged()


async def test_while_it_runs_a_sound_file_is_copied_and_a_damaged_one_told(file: Path) -> None:
    found = soundness(file, every=0.01)
    running = asyncio.create_task(found.run())
    await eventually(copy_of(file).exists, "no copy is made")
    before = copy_of(file).read_bytes()
    in_the_index(file)
    await eventually(lambda: found.condition().state is State.FAILED, "it is not noticed")
    assert copy_of(file).read_bytes() == before, "a damaged file takes no copy's place"
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


def test_what_sqlite_itself_cannot_see_is_said_in_the_reference(file: Path) -> None:
    """The limit: a byte within a value that no index has."""
    flip(file, file.read_bytes().index(b"xxxxxxxx"))
    assert find_damage(file, whole=True) is None


def test_without_a_sound_copy_nothing_is_moved(file: Path) -> None:
    url = f"sqlite:///{file}"
    with pytest.raises(NoCopyError, match="There is no sound copy"):
        put_copy_back(url)
    make_copy(file)
    half(copy_of(file))
    with pytest.raises(NoCopyError, match="There is no sound copy"):
        put_copy_back(url)
    assert file.exists()
    with pytest.raises(NoCopyError, match="PostgreSQL"):
        put_copy_back("postgresql://db/lienthong")
