"""Keyed hashes of what may identify a person: equal for equal values, but meaningless without the key."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from typing import TYPE_CHECKING

from lienthong.kit.files import create_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_KEY_BYTES = 32
_BLOCK_BYTES = 64


class Privacy:
    """HMAC-SHA-256 (RFC 2104) under the installation's key; the keyed state is computed once and copied.

    `former` are the keys that records were hashed with before.
    """

    __slots__ = ("_former", "_inner", "_outer")

    def __init__(self, key: bytes, former: Sequence[bytes] = ()) -> None:
        if len(key) < _KEY_BYTES:
            raise ValueError(f"the privacy key has {len(key)} bytes, it needs at least {_KEY_BYTES}")
        if len(key) > _BLOCK_BYTES:
            key = hashlib.sha256(key).digest()
        block = key.ljust(_BLOCK_BYTES, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))
        self._former = [Privacy(one) for one in former]

    def hashed(self, data: bytes) -> str:
        """`hmac-sha256:` and the hash in hex."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(data)
        outer.update(inner.digest())
        return "hmac-sha256:" + outer.hexdigest()

    def hashed_ever(self, data: bytes) -> list[str]:
        """The hash, and those that records have from the time of former keys."""
        return [self.hashed(data), *(former.hashed(data) for former in self._former)]


def privacy_keys(path: Path) -> list[bytes]:
    """The keys in the file `path`, each in hex on a line, the one in use first; it is made with one key,
    readable by its owner only, where it is missing.

    Raises:
        OSError: it cannot be read or made.
        ValueError: a line is not hex, or there is none.
    """
    if not path.exists():
        # Another worker may be doing the same: whoever is first has made the key.
        with contextlib.suppress(FileExistsError):
            create_file(path, secrets.token_hex(_KEY_BYTES) + "\n")
    keys = [bytes.fromhex(line) for line in path.read_text().split()]
    if not keys:
        raise ValueError(f"there is no key in {path}")
    return keys
