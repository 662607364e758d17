"""The signing key's file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lienthong.ledger.errors import SigningKeyFileError
from lienthong.ledger.service.signing_key_file import create_key, load_key, load_or_create_key
from lienthong.tlog import VerifierKey

if TYPE_CHECKING:
    from pathlib import Path

ORIGIN = "lgsp/VN-BTN/ledger"


def test_a_new_key_is_its_owner_s_alone_and_its_public_half_lies_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "ledger" / "ledger.key"
    key = load_or_create_key(path, ORIGIN)
    assert path.stat().st_mode & 0o777 == 0o600
    assert VerifierKey.parse((tmp_path / "ledger" / "ledger.vkey").read_text().strip()) == key.verifier
    assert load_or_create_key(path, ORIGIN) == load_key(path) == key


def test_keys_are_drawn_from_the_given_randomness(tmp_path: Path) -> None:
    key = create_key(tmp_path / "a.key", ORIGIN, lambda count: bytes(range(count)))
    assert key.seed == bytes(range(32))
    assert create_key(tmp_path / "b.key", ORIGIN).seed != create_key(tmp_path / "c.key", ORIGIN).seed


def test_an_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "ledger.key"
    path.write_text("something else")
    with pytest.raises(SigningKeyFileError, match=r"ledger\.key"):
        create_key(path, ORIGIN)
    assert path.read_text() == "something else"


@pytest.mark.parametrize("content", [None, b"", b"not a key", b"\xff\xfe"])
def test_a_file_without_a_key_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "ledger.key"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SigningKeyFileError, match=r"ledger\.key"):
        load_key(path)
