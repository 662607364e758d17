"""The file of the log's signing key."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lienthong.kit.files import PUBLIC, create_file, replace_file
from lienthong.ledger.errors import SigningKeyFileError
from lienthong.tlog import MalformedKeyError, SigningKey

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def load_key(path: Path) -> SigningKey:
    """Read the key.

    Raises:
        SigningKeyFileError: there is none, or it cannot be read.
    """
    try:
        return SigningKey.parse(path.read_text(encoding="utf-8").strip())
    except (OSError, UnicodeDecodeError, MalformedKeyError) as error:
        raise SigningKeyFileError(f"the signing key of the log in {path} cannot be used: {error}") from error


def load_or_create_key(path: Path, origin: str) -> SigningKey:
    """Read the key of a new log, or make one when there is no file yet.

    Raises:
        SigningKeyFileError: it cannot be read or written.
    """
    return load_key(path) if path.exists() else create_key(path, origin)


def create_key(path: Path, origin: str, random_bytes: Callable[[int], bytes] = os.urandom) -> SigningKey:
    """Make a key of this name, in a file that only its owner can read.

    The public key goes into a file beside it, with the suffix `.vkey`.

    Raises:
        SigningKeyFileError: it cannot be written, or something is there already.
    """
    key = SigningKey(origin, random_bytes(32))
    try:
        create_file(path, f"{key.export()}\n")
        replace_file(path.with_suffix(".vkey"), f"{key.verifier}\n", mode=PUBLIC)
    except OSError as error:
        raise SigningKeyFileError(
            f"the signing key of the log cannot be written to {path}: {error}"
        ) from error
    return key
