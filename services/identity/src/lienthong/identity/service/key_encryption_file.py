"""The file of the key-encryption key."""

import json
from pathlib import Path

from lienthong.identity.domain.key_encryption import KeyEncryption, KeyEncryptionKeyError
from lienthong.kit.files import create_file


def load_key_encryption(path: Path, *, create: bool) -> KeyEncryption:
    """Read the key file; with `create`, write a new one (mode 0600) when there is none.

    Raises:
        KeyEncryptionKeyError: there is none and `create` is False, or it holds something else.
    """
    if not path.exists():
        if not create:
            raise KeyEncryptionKeyError(
                f"The key-encryption key file {path} does not exist. Restore it from its backup: without it"
                " the signing keys in the database cannot be read. For a new installation, make one with"
                " `python -m lienthong.identity new-key-file`."
            )
        write_key_encryption(path, KeyEncryption.generate())
    try:
        return KeyEncryption.from_jwk(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, KeyEncryptionKeyError) as error:
        raise KeyEncryptionKeyError(
            f"The key-encryption key file {path} cannot be used: {error}."
            " It must hold a JWK of kty oct with 256 bits."
        ) from error


def write_key_encryption(path: Path, encryption: KeyEncryption) -> None:
    """Write a key file that only its owner can read; an existing one is never replaced.

    Raises:
        FileExistsError: there is one.
    """
    create_file(path, json.dumps(encryption.private_jwk()) + "\n")
