"""Unix sockets: replaced when left behind, never taken from another."""

from __future__ import annotations

import shutil
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lienthong.kit import unix_sockets
from lienthong.kit.unix_sockets import SocketUnusableError, unix_socket

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def folder() -> Iterator[Path]:
    # The path of a Unix socket is short: folders of tests may be too long for it.
    made = Path(tempfile.mkdtemp(prefix="lt-"))
    yield made
    shutil.rmtree(made)


def test_one_that_was_left_behind_is_replaced_and_gone_at_the_end(folder: Path) -> None:
    path = folder / "a.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    with unix_socket(path), socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(path))
        assert path.stat().st_mode & 0o777 == 0o660
    assert not path.exists()


def test_one_that_is_listened_on_stays(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unix_sockets, "_PATIENCE_S", 0.1)
    path = folder / "a.sock"
    with unix_socket(path):
        with pytest.raises(SocketUnusableError, match="another process listens") as raised, unix_socket(path):
            pass
        assert "Tiến trình khác" in raised.value.text.vi
        with socket.socket(socket.AF_UNIX) as caller:
            caller.connect(str(path))


def test_a_file_of_somebody_and_a_folder_that_is_missing_are_told(folder: Path) -> None:
    (folder / "file").write_text("x")
    with pytest.raises(SocketUnusableError, match="no socket"), unix_socket(folder / "file"):
        pass
    with pytest.raises(SocketUnusableError, match="folder"), unix_socket(folder / "missing" / "a.sock"):
        pass
    with pytest.raises(SocketUnusableError, match="107 bytes"), unix_socket(folder / ("x" * 120)):
        pass
    assert (folder / "file").read_text() == "x"


def test_what_has_taken_its_place_meanwhile_is_left(folder: Path) -> None:
    path = folder / "a.sock"
    with unix_socket(path):
        path.unlink()
        path.write_text("another's")
    assert path.read_text() == "another's"
