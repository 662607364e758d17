"""Signing keys at rest: each is a JWE (RFC 7516), so a copy of the database alone signs nothing.

The key-encryption key is a file outside the database: one symmetric JWK of 256 bits, or a JWK set of several.
The first of a set encrypts, all of them decrypt: put a new one in front to change it.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

from joserfc.errors import JoseError
from joserfc.jwe import decrypt_compact, encrypt_compact
from joserfc.jwk import KeySet, OctKey

from lienthong.kit.files import create_file

_ALGORITHMS: Final = ["A256KW", "A256GCM"]


class SealBrokenError(Exception):
    """What is to be opened was sealed with another key, or was changed."""


class KeyFileError(Exception):
    """The key-encryption key file is missing or holds no 256-bit symmetric JWK."""


class Seal:
    """The key-encryption keys of one installation."""

    def __init__(self, keys: Sequence[OctKey]) -> None:
        if not keys:
            raise KeyFileError("no key")
        self._first = keys[0]
        self._all = KeySet(list(keys))

    @classmethod
    def generate(cls) -> Self:
        """Make a new key-encryption key."""
        return cls([OctKey.generate_key(256, auto_kid=True)])

    @classmethod
    def from_jwk(cls, document: object) -> Self:
        """Read a symmetric JWK or a JWK set of them.

        Raises:
            KeyFileError: a key is not symmetric or has not 256 bits.
        """
        listed = document.get("keys", [document]) if isinstance(document, Mapping) else None
        if not isinstance(listed, list) or not listed:
            raise KeyFileError("neither a JWK nor a JWK set")
        return cls([_read_key(jwk) for jwk in listed])

    def private_jwk(self) -> dict[str, Any]:
        """Give the key that encrypts, to be written to the key file."""
        return dict(self._first.as_dict(private=True))

    def close(self, private_jwk: Mapping[str, Any]) -> str:
        """Encrypt a private key."""
        header = {"alg": "A256KW", "enc": "A256GCM", "kid": self._first.kid, "cty": "jwk+json"}
        return encrypt_compact(header, json.dumps(dict(private_jwk)), self._first, algorithms=_ALGORITHMS)

    def open(self, sealed: str) -> dict[str, Any]:
        """Decrypt a private key.

        Raises:
            SealBrokenError: it was sealed with a key that is not in the key file, or was changed.
        """
        try:
            opened = decrypt_compact(sealed, self._all, algorithms=_ALGORITHMS)
            document = json.loads(opened.plaintext or b"")
        except (JoseError, ValueError) as error:
            raise SealBrokenError(str(error)) from error
        if not isinstance(document, dict):
            raise SealBrokenError("not a key")
        return document


def load_seal(path: Path, *, create: bool) -> Seal:
    """Read the key file; where `create` allows it and there is none, write a new one (mode 0600).

    Raises:
        KeyFileError: there is none and none may be made, or it holds something else.
    """
    if not path.exists():
        if not create:
            raise KeyFileError(
                f"The key-encryption key file {path} does not exist. Restore it from its backup: without it"
                " the signing keys in the database cannot be read. For a new installation, make one with"
                " `python -m lienthong.identity new-key-file`."
            )
        write_key_file(path, Seal.generate())
    try:
        return Seal.from_jwk(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, KeyFileError) as error:
        raise KeyFileError(
            f"The key-encryption key file {path} cannot be used: {error}."
            " It must hold a JWK of kty oct with 256 bits."
        ) from error


def write_key_file(path: Path, seal: Seal) -> None:
    """Write a key file that only its owner can read; an existing one is never replaced.

    Raises:
        FileExistsError: there is one.
    """
    create_file(path, json.dumps(seal.private_jwk()) + "\n")


def _read_key(jwk: object) -> OctKey:
    if not isinstance(jwk, dict) or jwk.get("kty") != "oct":
        raise KeyFileError("a key is not symmetric (kty oct)")
    try:
        key = OctKey.import_key(jwk)
    except (JoseError, ValueError) as error:
        raise KeyFileError(str(error)) from error
    if len(key.raw_value) != 32:
        raise KeyFileError("a key has not 256 bits")
    return key
