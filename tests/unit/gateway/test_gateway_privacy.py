"""Keyed hashes are HMAC-SHA-256, and the key is made once."""

from __future__ import annotations

import hmac
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.gateway.privacy import Privacy, privacy_keys

if TYPE_CHECKING:
    from pathlib import Path


@given(st.binary(min_size=32, max_size=200), st.lists(st.binary(max_size=300), max_size=3))
def test_the_hash_is_hmac_sha256(key: bytes, inputs: list[bytes]) -> None:
    privacy = Privacy(key)
    for data in inputs:
        assert privacy.hashed(data) == "hmac-sha256:" + hmac.digest(key, data, "sha256").hex()


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 32"):
        Privacy(b"x" * 31)


def test_the_key_is_made_once_and_is_the_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "privacy.key"
    with ThreadPoolExecutor(8) as threads:
        keys = list(threads.map(lambda _: privacy_keys(path), range(16)))
    assert all(each == keys[0] for each in keys)
    assert [len(key) for key in keys[0]] == [32]
    assert path.stat().st_mode & 0o777 == 0o600
    assert [found.name for found in path.parent.iterdir()] == ["privacy.key"]


def test_a_file_that_holds_no_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "privacy.key"
    path.write_text("not hex")
    with pytest.raises(ValueError, match="hex"):
        privacy_keys(path)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "privacy.key"
    path.write_text("\n")
    with pytest.raises(ValueError, match="no key"):
        privacy_keys(path)


def test_the_first_of_several_keys_is_in_use_and_the_others_are_known(tmp_path: Path) -> None:
    path = tmp_path / "privacy.key"
    path.write_text(f"{'a1' * 32}\n{'b2' * 32}\n")
    key, *former = privacy_keys(path)
    privacy = Privacy(key, former)
    old = Privacy(b"\xb2" * 32)
    assert privacy.hashed(b"x") == Privacy(b"\xa1" * 32).hashed(b"x")
    assert privacy.hashed_ever(b"x") == [privacy.hashed(b"x"), old.hashed(b"x")]
