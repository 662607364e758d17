"""The file with the secret under acknowledgement tokens."""

from __future__ import annotations

import contextlib
import os
import secrets
from typing import TYPE_CHECKING

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
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(secrets.token_hex(MIN_BYTES) + "\n")
                file.flush()
                os.fsync(file.fileno())
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
