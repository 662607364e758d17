"""The copy on disk: what is written comes back, damage is noticed, and one process writes at a time."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from lienthong.kit.packed import PackedMap
from lienthong.kit.replica_copy import CopyUnreadableError, DiskCopy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOW = datetime(2026, 11, 28, tzinfo=UTC)
TRIGGERS = (
    "CREATE TRIGGER added AFTER INSERT ON blocks BEGIN INSERT INTO touched VALUES (new.place); END",
    "CREATE TRIGGER deleted AFTER DELETE ON blocks BEGIN INSERT INTO touched VALUES (old.place); END",
)
CONTENT = {b"%d" % number: b"value %d" % number for number in range(1000)}


def entries(copy: DiskCopy) -> list[dict[bytes, bytes]]:
    saved = copy.load()
    assert saved is not None
    return [dict(one.items()) for one in saved.maps]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "test.copy"


def written(path: Path, content: dict[bytes, bytes] = CONTENT) -> PackedMap:
    copy = DiskCopy(path)
    packed = PackedMap.of(content)
    assert copy.save([packed, PackedMap()], NOW)
    copy.close()
    return packed


def test_what_was_saved_comes_back_with_the_time_of_its_confirmation(path: Path) -> None:
    written(path)
    saved = DiskCopy(path).load()
    assert saved is not None
    assert (saved.confirmed, [dict(one.items()) for one in saved.maps]) == (NOW, [CONTENT, {}])
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_change_writes_the_blocks_that_it_touches(path: Path) -> None:
    packed = written(path)
    copy = DiskCopy(path)
    assert copy.load() is not None
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE touched (place INTEGER)")
        for trigger in TRIGGERS:
            other.execute(trigger)
        other.commit()
        saved = copy.load()
        assert saved is not None
        draft = saved.maps[0].edit()
        draft.set(b"7", b"changed")
        draft.pop(b"8")
        after = [draft.finish(), saved.maps[1]]
        assert copy.save(after, NOW + timedelta(seconds=1))
        assert copy.save(after, NOW + timedelta(seconds=2))
        assert len(set(other.execute("SELECT place FROM touched"))) == 2
    expected = CONTENT | {b"7": b"changed"}
    del expected[b"8"]
    assert entries(DiskCopy(path)) == [expected, {}]
    assert dict(packed.items()) == CONTENT


def test_of_two_processes_one_writes_and_the_other_takes_over_when_it_ends(path: Path) -> None:
    one, other = DiskCopy(path), DiskCopy(path)
    first, second = PackedMap.of({b"a": b"1"}), PackedMap.of({b"b": b"2"})
    assert one.save([first], NOW)
    assert not other.save([second], NOW)
    assert entries(other) == [{b"a": b"1"}]
    assert one.save([PackedMap.of({b"a": b"3"})], NOW)
    one.close()
    assert other.save([second], NOW)
    assert entries(DiskCopy(path)) == [{b"b": b"2"}], "nothing of what another wrote meanwhile is left"


def test_without_a_file_there_is_no_copy(path: Path) -> None:
    assert DiskCopy(path).load() is None
    assert not path.exists()


def overwritten(content: bytes) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        path.write_bytes(content)

    return damage


def changed(statement: str) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        with closing(sqlite3.connect(path)) as database:
            database.execute(statement)
            database.commit()

    return damage


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(overwritten(b""), id="empty"),
        pytest.param(overwritten(b"\xff" * 5000), id="something else"),
        pytest.param(overwritten(b"LTREPLIC" + b"\0" * 40), id="the format of version 0.1"),
        pytest.param(lambda path: os.truncate(path, 8192), id="cut short"),
        pytest.param(
            changed("UPDATE blocks SET content = zeroblob(3) WHERE place % 2 = 0"),
            id="a block",
        ),
        pytest.param(changed("DELETE FROM blocks WHERE place > 32768"), id="blocks missing"),
        pytest.param(changed("UPDATE blocks SET place = place + 131072"), id="blocks elsewhere"),
        pytest.param(changed("INSERT INTO blocks VALUES (65536, zeroblob(3))"), id="a block too many"),
        pytest.param(changed("UPDATE head SET format = 2"), id="another format"),
        pytest.param(changed("DROP TABLE secrets"), id="no secrets"),
        pytest.param(changed("DELETE FROM secrets WHERE map = 1"), id="a secret less"),
        pytest.param(changed("UPDATE secrets SET secret = zeroblob(15) WHERE map = 0"), id="a short secret"),
        pytest.param(changed("UPDATE secrets SET secret = zeroblob(16) WHERE map = 0"), id="another secret"),
        pytest.param(changed("DELETE FROM head"), id="no head"),
        pytest.param(changed("UPDATE head SET confirmed = 1 << 62"), id="after the year 9999"),
    ],
)
def test_damage_is_noticed_and_replaced(path: Path, damage: Callable[[Path], None]) -> None:
    written(path)
    damage(path)
    copy = DiskCopy(path)
    with pytest.raises(CopyUnreadableError):
        copy.load()
    assert copy.save([PackedMap.of({b"a": b"1"})], NOW)
    assert entries(DiskCopy(path)) == [{b"a": b"1"}]


def test_a_turned_bit_is_noticed(path: Path) -> None:
    written(path)
    data = bytearray(path.read_bytes())
    data[data.index(b"value 500")] ^= 1
    path.write_bytes(data)
    with pytest.raises(CopyUnreadableError, match="CRC"):
        DiskCopy(path).load()


def test_a_file_that_was_replaced_meanwhile_is_written_whole(path: Path) -> None:
    copy = DiskCopy(path)
    assert copy.save([PackedMap.of({b"a": b"1"})], NOW)
    shutil.copyfile(path, path.with_suffix(".backup"))
    after = PackedMap.of({b"a": b"1", b"b": b"2"})
    assert copy.save([after], NOW)
    shutil.copyfile(path.with_suffix(".backup"), path)
    draft = after.edit()
    draft.set(b"c", b"3")
    assert copy.save([draft.finish()], NOW)
    assert entries(DiskCopy(path)) == [{b"a": b"1", b"b": b"2", b"c": b"3"}]
