"""A contract that running processes know cannot be broken, not even by rewriting what it is compared with."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.contracts import IMAGE, check

PROTO = Path(__file__).resolve().parents[3] / "proto"
KEYS = "lienthong/contracts/identity/v1/keys.proto"


def git(folder: Path, *words: str) -> None:
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def proto(tmp_path: Path) -> Path:
    """The contracts and their image as the only commit of a repository."""
    folder = tmp_path / "repository" / "proto"
    shutil.copytree(PROTO, folder, ignore=shutil.ignore_patterns("gen"))
    assert check(folder, accept=True) == []
    git(folder.parent, "init", "--quiet")
    git(folder.parent, "add", ".")
    git(folder.parent, "commit", "--quiet", "--message", "Begin")
    return folder


def replace(folder: Path, old: str, new: str) -> None:
    text = (folder / KEYS).read_text(encoding="utf-8")
    assert old in text
    (folder / KEYS).write_text(text.replace(old, new), encoding="utf-8")


def test_a_field_that_takes_another_number_is_refused(proto: Path) -> None:
    replace(proto, "string issuer = 2;", "string issuer = 12;")
    (mistake, *_) = check(proto)
    assert "keys.proto" in mistake
    assert "issuer" in mistake
    image = (proto / IMAGE).read_text()
    assert check(proto, accept=True) != []
    assert (proto / IMAGE).read_text() == image


def test_a_new_field_is_announced_in_the_image(proto: Path) -> None:
    replace(proto, "string issuer = 2;", "string issuer = 2;\n  string added = 99;")
    assert check(proto) == [
        f"proto/{IMAGE} is not the image of the present contracts: `make contracts` rewrites it"
    ]
    assert check(proto, accept=True) == []
    assert check(proto) == []


def test_an_image_rewritten_with_the_break_does_not_hide_it(proto: Path) -> None:
    replace(proto, "string issuer = 2;", "string issuer = 12;")
    (proto / IMAGE).unlink()
    assert check(proto) != []
    git(proto.parent, "add", ".")
    git(proto.parent, "commit", "--quiet", "--message", "Break, and hide it")
    assert check(proto) != []
    assert check(proto, accept=True) != []


def test_a_missing_image_is_a_mistake(proto: Path) -> None:
    (proto / IMAGE).unlink()
    assert check(proto) != []
