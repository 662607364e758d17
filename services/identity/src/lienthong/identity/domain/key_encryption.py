"""Encryption of signing keys: each is stored as a JWE (RFC 7516), so a copy of the database cannot sign.

The key-encryption key is one symmetric JWK of 256 bits, or a JWK set of several. The first key of a set
encrypts, all of them decrypt: to replace the key, put a new one in front.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

from joserfc.errors import JoseError
from joserfc.jwe import decrypt_compact, encrypt_compact
from joserfc.jwk import KeySet, OctKey

_ALGORITHMS: Final = ["A256KW", "A256GCM"]


class KeyDecryptionError(Exception):
    """A stored key was encrypted with another key-encryption key, or was changed."""


class KeyEncryptionKeyError(Exception):
    """The key-encryption key is missing, or is not a symmetric JWK of 256 bits."""


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A published signing key as the database holds it: `encrypted` is the private key as JWE."""

    key_id: str
    encrypted: str
    signs_from: datetime
    published_at: datetime


class KeyEncryption:
    """The key-encryption keys of one installation."""

    def __init__(self, keys: Sequence[OctKey]) -> None:
        if not keys:
            raise KeyEncryptionKeyError("no key")
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
            KeyEncryptionKeyError: a key is not symmetric or has not 256 bits.
        """
        listed = document.get("keys", [document]) if isinstance(document, Mapping) else None
        if not isinstance(listed, list) or not listed:
            raise KeyEncryptionKeyError("neither a JWK nor a JWK set")
        return cls([_read_key(jwk) for jwk in listed])

    def private_jwk(self) -> dict[str, Any]:
        """The key that encrypts, as it is written to the key file."""
        return dict(self._first.as_dict(private=True))

    def encrypt(self, private_jwk: Mapping[str, Any]) -> str:
        """Encrypt a private key; gives a JWE in compact form."""
        header = {"alg": "A256KW", "enc": "A256GCM", "kid": self._first.kid, "cty": "jwk+json"}
        return encrypt_compact(header, json.dumps(dict(private_jwk)), self._first, algorithms=_ALGORITHMS)

    def decrypt(self, encrypted: str) -> dict[str, Any]:
        """Decrypt a private key.

        Raises:
            KeyDecryptionError: it was encrypted with a key that is not among these, or was changed.
        """
        try:
            jwe = decrypt_compact(encrypted, self._all, algorithms=_ALGORITHMS)
            document = json.loads(jwe.plaintext or b"")
        except (JoseError, ValueError) as error:
            raise KeyDecryptionError(str(error)) from error
        if not isinstance(document, dict):
            raise KeyDecryptionError("not a key")
        return document


def _read_key(jwk: object) -> OctKey:
    if not isinstance(jwk, dict) or jwk.get("kty") != "oct":
        raise KeyEncryptionKeyError("a key is not symmetric (kty oct)")
    try:
        key = OctKey.import_key(jwk)
    except (JoseError, ValueError) as error:
        raise KeyEncryptionKeyError(str(error)) from error
    if len(key.raw_value) != 32:
        raise KeyEncryptionKeyError("a key has not 256 bits")
    return key
