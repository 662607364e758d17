"""The server's own clients, `operator` and `auditor`: without them nobody could begin.

Their credentials are written once into a folder (`identity_bootstrap_dir`) that only its owner can read. The
folder decides: its key is the registered one. If it is gone while the database still knows the client, a new
key is made and takes the place of the old one, which whoever took it can then no longer use. No file is ever
overwritten.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import structlog
from joserfc.jwk import ECKey

from lienthong.identity.clientkeys import client_key
from lienthong.identity.models import Status
from lienthong.identity.registry import ClientRegistry, canonical_jwks, key_names
from lienthong.identity.repository import Client
from lienthong.identity.scopes import AUDITOR_SCOPES, OPERATOR_SCOPES
from lienthong.kit.files import create_file

OWN_CLIENTS: Final = {"operator": OPERATOR_SCOPES, "auditor": AUDITOR_SCOPES}
KEY_FILE: Final = "key.jwk"
CLIENT_FILE: Final = "client.json"

_PUBLIC: Final = ("kty", "crv", "x", "y", "kid", "alg", "use")

_log = structlog.get_logger(__name__)

NewKey = Callable[[], ECKey]


class CredentialsError(Exception):
    """A file in the folder is not what this server wrote; nothing is overwritten, so someone must look."""


async def register_own_clients(
    folder: Path,
    registry: ClientRegistry,
    *,
    issuer: str,
    token_endpoint: str,
    new_key: NewKey = lambda: ECKey.generate_key("P-256"),
) -> None:
    """Write missing credentials and register the clients with the keys that lie in the folder.

    Raises:
        CredentialsError: a key file is there but cannot be read.
    """
    for client_id, scopes in OWN_CLIENTS.items():
        home = folder / client_id
        known = await registry.find(client_id)
        made = _write_key(home / KEY_FILE, new_key)
        public = _read_public(home / KEY_FILE)
        jwks = canonical_jwks({"keys": [public]})
        if known is not None and key_names(known.jwks) != key_names(jwks):
            _log.warning(
                "the key in the folder replaces the one that was registered, which is refused from now on",
                client=client_id,
                folder=str(home),
                folder_was_empty=made,
            )
        _write_client(home / CLIENT_FILE, client_id, issuer=issuer, token_endpoint=token_endpoint)
        await registry.register(Client(client_id, jwks, scopes, Status.ACTIVE))


def _write_key(path: Path, new_key: NewKey) -> bool:
    if path.exists():
        return False
    key = new_key()
    document = {**key.as_dict(private=True), "kid": key.thumbprint(), "alg": "ES256", "use": "sig"}
    create_file(path, json.dumps(document, indent=2) + "\n")
    return True


def _write_client(path: Path, client_id: str, *, issuer: str, token_endpoint: str) -> None:
    document = {"client_id": client_id, "token_endpoint": token_endpoint, "issuer": issuer}
    if not path.exists():
        create_file(path, json.dumps(document, indent=2) + "\n")
        return
    if _read_object(path) != document:
        _log.warning(
            "the file names another address than this server's; correct it, or remove it and start again",
            file=str(path),
            issuer=issuer,
            token_endpoint=token_endpoint,
        )


def _read_public(path: Path) -> dict[str, Any]:
    private = _read_object(path)
    public: dict[str, Any] = {name: private[name] for name in _PUBLIC if name in private}
    usable = client_key(public)
    if "d" not in private or usable is None or usable.algorithm != "ES256":
        raise CredentialsError(
            f"{path} holds no private P-256 key. Restore it, or move it away: a new one is then made."
        )
    return public


def _read_object(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise CredentialsError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(document, dict):
        raise CredentialsError(f"{path} holds no JSON object")
    return document
