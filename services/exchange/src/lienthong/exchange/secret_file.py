"""The file with the secret under acknowledgement tokens."""

from __future__ import annotations

import contextlib
import secrets
from typing import TYPE_CHECKING

from lienthong.kit.files import create_file

if TYPE_CHECKING:
    from pathlib import Path

MIN_BYTES = 32


class SecretUnusableError(Exception):
    """The file is missing or too short; says how to mend it."""


def load_secret(path: Path, *, create: bool) -> bytes:
    """Read the secret; with `create` make one (mode 0600) when there is none.

    Raises:
        SecretUnusableError: there is none, or it is too short.
    """
    if create:
        with contextlib.suppress(FileExistsError):
            create_file(path, secrets.token_hex(MIN_BYTES) + "\n")
    try:
        secret = path.read_bytes().strip()
    except OSError as error:
        raise SecretUnusableError(
            f"{path} cannot be read ({error.strerror}): give all replicas the same file of at least "
            f"{MIN_BYTES} random bytes, e.g. from `openssl rand -hex 32`"
        ) from None
    if len(secret) < MIN_BYTES:
        raise SecretUnusableError(f"{path} has {len(secret)} bytes: at least {MIN_BYTES} are needed")
    return secret
