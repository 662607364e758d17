"""NKeys: the Ed25519 keys by which NATS knows its users, and their text form (github.com/nats-io/nkeys).

A public key is `U…`, a seed, which is the private key, `SU…`: base32 (RFC 4648 section 6, without padding)
of a prefix, 32 bytes, and the CRC-16/XMODEM of both. The server has public keys only and never sees a seed:
a user signs what the server made up for the connection.

Not the package `nkeys`: it has had no release for years, is no wheel, and brings a second library for
Ed25519 beside `cryptography`.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lienthong.kit.files import create_file

if TYPE_CHECKING:
    from pathlib import Path

_SEED, _USER = 18 << 3, 20 << 3
_SEED_OF_A_USER: Final = bytes([_SEED | (_USER >> 5), (_USER & 31) << 3])
_KEY_BYTES, _CRC_BYTES = 32, 2


class SeedUnusableError(Exception):
    """A file that should hold the seed of a NATS user does not."""


@dataclass(frozen=True, slots=True, repr=False)
class UserKey:
    """The key of one NATS user."""

    private: Ed25519PrivateKey

    @classmethod
    def generate(cls) -> UserKey:
        """A new key."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def parse(cls, seed: str) -> UserKey:
        """The key of a seed.

        Raises:
            ValueError: it is not a seed of a user.
        """
        text = seed.strip()
        raw = base64.b32decode(text + "=" * (-len(text) % 8))
        content, crc = raw[:-_CRC_BYTES], raw[-_CRC_BYTES:]
        prefix, key = content[: len(_SEED_OF_A_USER)], content[len(_SEED_OF_A_USER) :]
        if prefix != _SEED_OF_A_USER or len(key) != _KEY_BYTES or crc != _crc(content):
            raise ValueError("not the seed of a NATS user (SU…)")
        return cls(Ed25519PrivateKey.from_private_bytes(key))

    @property
    def seed(self) -> str:
        """The private key as text, `SU…`."""
        return _encoded(_SEED_OF_A_USER + self.private.private_bytes_raw())

    @property
    def public(self) -> str:
        """The public key as text, `U…`: what the server's configuration names."""
        return _encoded(bytes([_USER]) + self.private.public_key().public_bytes_raw())

    def signature(self, nonce: str) -> bytes:
        """The signature of the server's nonce, in base64."""
        return base64.b64encode(self.private.sign(nonce.encode()))


def read_user_key(path: Path) -> UserKey:
    """The key whose seed is in a file.

    Raises:
        SeedUnusableError: the file cannot be read, or holds something else.
    """
    try:
        return UserKey.parse(path.read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        raise SeedUnusableError(f"the NATS key in {path} cannot be used: {error}") from error


def write_user_key(path: Path) -> UserKey:
    """Make a key and write its seed into a new file that only its owner reads.

    Raises:
        FileExistsError: there is such a file.
    """
    key = UserKey.generate()
    create_file(path, key.seed + "\n")
    return key


def _encoded(content: bytes) -> str:
    return base64.b32encode(content + _crc(content)).decode("ascii").rstrip("=")


def _crc(content: bytes) -> bytes:
    return binascii.crc_hqx(content, 0).to_bytes(_CRC_BYTES, "little")
