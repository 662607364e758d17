"""What is kept under a key, sealed: whoever reads the store learns neither who called nor what was said."""

from __future__ import annotations

import os
from enum import Enum
from typing import TYPE_CHECKING, Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from lienthong.gateway.privacy import Privacy

if TYPE_CHECKING:
    from collections.abc import Callable

SUBJECTS: Final = "gateway.idempotency.*.*"
_SUBJECT: Final = "gateway.idempotency."
_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_INFO: Final = b"lienthong idempotency store, version 1"


class State(Enum):
    """What became of the first call with a key."""

    PENDING = "pending"
    """It is under way, or its gateway was lost."""
    FREE = "free"
    """It did not reach the provider: the key may be used again."""
    UNKNOWN = "unknown"
    """It may have reached the provider, and no answer is known."""
    ANSWERED = "answered"
    NOT_KEPT = "not-kept"
    """It was answered, with more than is kept."""


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """What is known of a key. Times are Unix seconds."""

    state: State
    tx: str
    """The transaction of the first call."""
    fingerprint: bytes
    until: float
    """When it is forgotten."""
    lease: float
    """How long it may be pending: no call takes longer."""
    status: int = 0
    fields: list[bytes] = []
    """Of the provider's answer, as they are written."""
    body: bytes = b""
    dated: bool = False


class Seal:
    """Encrypts entries with AES-256-GCM, and names them by keyed hashes; both keys are derived from `secret`.

    `nonce` makes the nonces, 12 random bytes each.
    """

    def __init__(self, secret: bytes, nonce: Callable[[int], bytes] = os.urandom) -> None:
        derived = HKDF(SHA256(), 2 * _KEY_BYTES, salt=None, info=_INFO).derive(secret)
        self._names = Privacy(derived[:_KEY_BYTES])
        self._cipher = AESGCM(derived[_KEY_BYTES:])
        self._nonce = nonce
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(Entry).decode

    def subject(self, client: str, service: str, key: bytes) -> str:
        """Where the entry of a client's key lies: keys are each client's own, for each service."""
        owner = self._hash(client.encode())
        return f"{_SUBJECT}{owner[:32]}.{self._hash(b'%b %b %b' % (owner.encode(), service.encode(), key))}"

    def sealed(self, subject: str, entry: Entry) -> bytes:
        """An entry as it lies in the store; it cannot be read under another subject."""
        nonce = self._nonce(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, self._encode(entry), subject.encode())

    def opened(self, subject: str, sealed: bytes) -> Entry:
        """The entry.

        Raises:
            ValueError: it was sealed with another key, for another subject, or changed.
        """
        try:
            data = self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], subject.encode())
            return self._decode(data)
        except (InvalidTag, msgspec.DecodeError) as error:
            raise ValueError("an entry of the idempotency store cannot be opened") from error

    def _hash(self, data: bytes) -> str:
        return self._names.hashed(data).partition(":")[2]
