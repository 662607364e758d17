"""The file with the secret of acknowledgement tokens."""

from __future__ import annotations

import contextlib
import secrets
from typing import TYPE_CHECKING

from lienthong.exchange.domain.ack_tokens import MIN_SECRET_BYTES
from lienthong.exchange.errors import SecretUnusableError
from lienthong.kit.files import create_file

if TYPE_CHECKING:
    from pathlib import Path


def load_ack_secret(path: Path, *, create: bool) -> bytes:
    """Read the secret of acknowledgement tokens; with `create` write one (mode 0600) where there is none.

    Raises:
        SecretUnusableError: there is none, or it is too short.
    """
    if create:
        with contextlib.suppress(FileExistsError):
            create_file(path, secrets.token_hex(MIN_SECRET_BYTES) + "\n")
    try:
        secret = path.read_bytes().strip()
    except OSError as error:
        raise SecretUnusableError(
            f"{path} cannot be read ({error.strerror}): give all replicas the same file of at least "
            f"{MIN_SECRET_BYTES} random bytes, e.g. from `openssl rand -hex 32`"
        ) from None
    if len(secret) < MIN_SECRET_BYTES:
        raise SecretUnusableError(f"{path} has {len(secret)} bytes: at least {MIN_SECRET_BYTES} are needed")
    return secret
