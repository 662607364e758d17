"""Stored signing keys can be decrypted only with the key-encryption key; key files are never replaced."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey

from lienthong.identity.domain.key_encryption import KeyDecryptionError, KeyEncryption, KeyEncryptionKeyError
from lienthong.identity.service.key_encryption_file import load_key_encryption, write_key_encryption
from lienthong.kit.files import create_file

SECRET: dict[str, Any] = {"kty": "EC", "d": "very-secret-number"}


def test_what_is_encrypted_is_not_readable_and_opens_again() -> None:
    encryption = KeyEncryption.generate()
    encrypted = encryption.encrypt(SECRET)
    assert encrypted.count(".") == 4
    assert "very-secret-number" not in encrypted
    assert encryption.decrypt(encrypted) == SECRET
    assert encryption.encrypt(SECRET) != encrypted


def test_another_key_does_not_open_it() -> None:
    encrypted = KeyEncryption.generate().encrypt(SECRET)
    with pytest.raises(KeyDecryptionError):
        KeyEncryption.generate().decrypt(encrypted)


@pytest.mark.parametrize("position", [0.05, 0.3, 0.6, 0.9, 0.99])
def test_a_changed_character_does_not_open(position: float) -> None:
    encryption = KeyEncryption.generate()
    encrypted = encryption.encrypt(SECRET)
    at = int(len(encrypted) * position)
    other = "A" if encrypted[at] != "A" else "B"
    with pytest.raises(KeyDecryptionError):
        encryption.decrypt(encrypted[:at] + other + encrypted[at + 1 :])


@pytest.mark.parametrize("encrypted", ["", "a.b.c.d.e", "nothing", "....", '{"kty":"EC"}'])
def test_what_is_no_jwe_does_not_open(encrypted: str) -> None:
    with pytest.raises(KeyDecryptionError):
        KeyEncryption.generate().decrypt(encrypted)


def test_a_set_of_keys_opens_what_an_older_one_encrypted() -> None:
    old, new = KeyEncryption.generate(), KeyEncryption.generate()
    both = KeyEncryption.from_jwk({"keys": [new.private_jwk(), old.private_jwk()]})
    assert both.decrypt(old.encrypt(SECRET)) == SECRET
    assert new.decrypt(both.encrypt(SECRET)) == SECRET


# Named: a key in a test's id would be another one in each collection.
NO_KEY: dict[str, object] = {
    "null": None,
    "a list": [],
    "no members": {},
    "an empty set": {"keys": []},
    "a set that is text": {"keys": "x"},
    "128 bits": OctKey.generate_key(128).as_dict(),
    "an EC key": ECKey.generate_key("P-256").as_dict(private=True),
    "no k": {"kty": "oct"},
    "k not base64url": {"kty": "oct", "k": "***"},
    "k empty": {"kty": "oct", "k": ""},
}


@pytest.mark.parametrize("document", NO_KEY.values(), ids=NO_KEY.keys())
def test_only_256_bit_symmetric_keys_seal(document: object) -> None:
    with pytest.raises(KeyEncryptionKeyError):
        KeyEncryption.from_jwk(document)


def test_a_missing_file_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "identity" / "key-encryption.jwk"
    encrypted = load_key_encryption(path, create=True).encrypt(SECRET)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert load_key_encryption(path, create=True).decrypt(encrypted) == SECRET


def test_a_missing_file_is_told_where_it_may_not_be_made(tmp_path: Path) -> None:
    with pytest.raises(KeyEncryptionKeyError, match="new-key-file"):
        load_key_encryption(tmp_path / "none.jwk", create=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ["", "no json", "{}", "\xff"])
def test_a_damaged_file_is_told_and_kept(tmp_path: Path, content: str) -> None:
    path = tmp_path / "key.jwk"
    path.write_text(content, "latin-1")
    with pytest.raises(KeyEncryptionKeyError, match=r"key\.jwk"):
        load_key_encryption(path, create=True)
    assert path.read_text("latin-1") == content


def test_a_file_that_exists_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "key.jwk"
    write_key_encryption(path, KeyEncryption.generate())
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        write_key_encryption(path, KeyEncryption.generate())
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["key.jwk"]


def test_a_secret_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    create_file(tmp_path / "a" / "b.json", json.dumps({"x": 1}))
    assert json.loads((tmp_path / "a" / "b.json").read_text()) == {"x": 1}
