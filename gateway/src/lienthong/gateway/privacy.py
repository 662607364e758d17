"""Keyed hashes of what may identify a person: equal for equal values, but meaningless without the key."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from typing import TYPE_CHECKING

from lienthong.kit.files import create_file

if TYPE_CHECKING:
    from pathlib import Path

_KEY_BYTES = 32
_BLOCK_BYTES = 64


class Privacy:
    """HMAC-SHA-256 (RFC 2104) under the installation's key; the keyed state is computed once and copied."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        if len(key) < _KEY_BYTES:
            raise ValueError(f"the privacy key has {len(key)} bytes, it needs at least {_KEY_BYTES}")
        if len(key) > _BLOCK_BYTES:
            key = hashlib.sha256(key).digest()
        block = key.ljust(_BLOCK_BYTES, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def hashed(self, data: bytes) -> str:
        """`hmac-sha256:` and the hash in hex."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(data)
        outer.update(inner.digest())
        return "hmac-sha256:" + outer.hexdigest()


def privacy_key(path: Path) -> bytes:
    """The key in the file `path` (hex), which is made, readable by its owner only, when there is none.

    Raises:
        OSError: it cannot be read or made.
        ValueError: it does not hold a key in hex.
    """
    if not path.exists():
        # Another worker may be doing the same: whoever is first has made the key.
        with contextlib.suppress(FileExistsError):
            create_file(path, secrets.token_hex(_KEY_BYTES) + "\n")
    return bytes.fromhex(path.read_text().strip())
