"""Tests write into memory, each run in a folder of its own, and what killed runs have left is removed."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

import pytest

from tests.support.memory import write_into_memory

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _nothing_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", tempfile.gettempdir())
    monkeypatch.delenv("TMPDIR", raising=False)


def _started(memory: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of one more run."""
    monkeypatch.delenv("TMPDIR", raising=False)
    written = write_into_memory(memory, 0)
    assert written.folder is not None
    assert os.environ["TMPDIR"] == tempfile.gettempdir() == str(written.folder)
    return written.folder


def test_each_run_has_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = _started(tmp_path, monkeypatch)
    (first / "kept").touch()
    second = _started(tmp_path, monkeypatch)
    assert first != second
    assert (first / "kept").exists()


def test_what_killed_runs_have_left_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = [tmp_path / f"lt-{os.getuid()}-{number}" for number in range(3)]
    for folder in left:
        (folder / "data").mkdir(parents=True)
        (folder / "data" / "file").write_bytes(b"left")
        (folder / "link").symlink_to(tmp_path)
    assert _started(tmp_path, monkeypatch) == left[0]
    assert [sorted(folder.iterdir()) if folder.exists() else None for folder in left] == [[], None, None]


def test_what_is_given_back_is_removed_and_taken_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = write_into_memory(tmp_path, 0)
    assert written.folder is not None
    (written.folder / "file").touch()
    written.give_back()
    assert list(tmp_path.iterdir()) == []
    assert _started(tmp_path, monkeypatch) == written.folder


def test_a_folder_that_is_elsewhere_is_not_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").touch()
    (tmp_path / f"lt-{os.getuid()}-0").symlink_to(tmp_path / "elsewhere")
    assert _started(tmp_path, monkeypatch).name == f"lt-{os.getuid()}-1"
    assert (tmp_path / "elsewhere" / "file").exists()


def test_where_there_is_no_room_it_is_said(tmp_path: Path) -> None:
    written = write_into_memory(tmp_path, 2**60)
    assert written.told.startswith(f"to disk, which takes longer: {tmp_path} has ")
    assert written.folder is None
    assert "TMPDIR" not in os.environ
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_was_chosen_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", "/tmp/chosen")  # noqa: S108 - nothing is written there
    assert write_into_memory(tmp_path, 0).told == "in /tmp/chosen, as TMPDIR says"
    assert list(tmp_path.iterdir()) == []
