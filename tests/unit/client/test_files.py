"""Files are written whole, secrets for their owner only, and nothing else is left behind."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from lienthong.client import files
from lienthong.client.pointers import field_name, parse_pointer

if TYPE_CHECKING:
    from pathlib import Path


def test_a_new_file_is_private_and_the_folder_is_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    fsync = os.fsync

    def watch(descriptor: int) -> None:
        synced.append(stat.S_IFMT(os.fstat(descriptor).st_mode))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watch)
    files.create_file(tmp_path / "key", b"secret")
    assert (tmp_path / "key").read_bytes() == b"secret"
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert synced == [stat.S_IFREG, stat.S_IFDIR]
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"old")
    with pytest.raises(FileExistsError):
        files.create_file(tmp_path / "key", b"new")
    assert (tmp_path / "key").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_a_file_system_without_links_serves_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    files.create_file(tmp_path / "key", b"new")
    with pytest.raises(FileExistsError):
        files.create_file(tmp_path / "key", b"newer")
    assert (tmp_path / "key").read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_a_file_is_replaced_through_a_link_and_a_device_is_written_to(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    files.replace_file(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"
    null = tmp_path / "null"
    null.symlink_to("/dev/null")
    files.replace_file(null, b"new")
    assert null.is_char_device()
    with pytest.raises(OSError, match="No such file"):
        files.replace_file(tmp_path / "nowhere" / "file", b"")


def test_pointers_are_shown_as_people_write_places() -> None:
    assert field_name(parse_pointer("/spec/jwks/keys/0/kty")) == "spec.jwks.keys[0].kty"
    assert field_name(parse_pointer("/paths/~1parcels~1{id}/get")) == "paths./parcels/{id}.get"
    assert field_name(parse_pointer("")) == ""
