"""Writing files whole, once, and for their owner only."""

from __future__ import annotations

import os
import stat
import threading
from typing import TYPE_CHECKING

import pytest

from lienthong.kit import files
from lienthong.kit.files import PUBLIC, create_file, lock_file, locked, make_folder, replace_file

if TYPE_CHECKING:
    from pathlib import Path


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_and_its_new_folders_are_their_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "key"
    create_file(path, "khoá bí mật\n")
    assert path.read_text("utf-8") == "khoá bí mật\n"
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)
    assert names(path.parent) == ["key"]


def test_of_each_folder_that_is_made_the_name_is_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(files, "sync_folder", synced.append)
    make_folder(tmp_path / "new" / "folder")
    assert synced == [tmp_path, tmp_path / "new"]
    assert mode(tmp_path / "new") == mode(tmp_path / "new" / "folder") == 0o700
    make_folder(tmp_path / "new" / "folder")
    assert len(synced) == 2


def test_a_public_file_keeps_to_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        replace_file(tmp_path / "a", b"x", mode=PUBLIC)
    finally:
        os.umask(before)
    assert mode(tmp_path / "a") == 0o600


def test_a_file_that_exists_is_not_created_again(tmp_path: Path) -> None:
    path = tmp_path / "key"
    create_file(path, "first")
    with pytest.raises(FileExistsError):
        create_file(path, "second")
    assert path.read_text() == "first"
    assert names(tmp_path) == ["key"]


def test_of_many_that_create_one_succeeds_and_all_see_its_whole_content(tmp_path: Path) -> None:
    path = tmp_path / "key"
    contents = [str(number) * 100_000 for number in range(8)]
    made: list[str] = []
    start = threading.Barrier(len(contents))

    def create(content: str) -> None:
        start.wait()
        try:
            create_file(path, content)
        except FileExistsError:
            assert path.read_text() in contents
        else:
            made.append(content)

    threads = [threading.Thread(target=create, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [path.read_text()]
    assert names(tmp_path) == ["key"]


def test_a_file_is_locked_by_one_until_it_lets_go(tmp_path: Path) -> None:
    with locked(tmp_path / "lock") as first:
        with locked(tmp_path / "lock") as second:
            assert (first, second) == (True, False)
        assert lock_file(tmp_path / "lock") is None, "who did not get it has not let go of it either"
    descriptor = lock_file(tmp_path / "lock")
    assert descriptor is not None
    os.close(descriptor)


def test_a_file_is_replaced_as_a_whole_and_readers_keep_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "copy"
    replace_file(path, b"old")
    with path.open("rb") as reader:
        replace_file(path, b"new")
        assert reader.read() == b"old"
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["copy"]


def test_what_cannot_be_written_leaves_the_old_file_and_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "copy"
    replace_file(path, b"old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        replace_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["copy"]
