"""This server's own clients, `operator` and `auditor`, without which nobody could register anything, and
`console`, the application in which people work on the platform itself.

Their credentials are written once into a folder (`identity_bootstrap_dir`) that only its owner can read. The
key in the folder is the registered one. If it is missing while the database knows the client, a new key is
made and replaces the old one, which is refused from then on. No file is ever overwritten.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import structlog
from joserfc.jwk import ECKey

from lienthong.identity.domain.client_keys import client_key
from lienthong.identity.domain.clients import ClientStatus, RegisteredClient, canonical_jwks, thumbprints
from lienthong.identity.domain.scopes import AUDITOR_SCOPES, CONSOLE, OPERATOR_SCOPES
from lienthong.identity.service.clients import ClientRegistry
from lienthong.kit.files import create_file

OWN_CLIENTS: Final = {"operator": OPERATOR_SCOPES, "auditor": AUDITOR_SCOPES, CONSOLE: ()}
KEY_FILE: Final = "key.jwk"
CLIENT_FILE: Final = "client.json"

_PUBLIC: Final = ("kty", "crv", "x", "y", "kid", "alg", "use")

_log = structlog.get_logger(__name__)

NewKey = Callable[[], ECKey]


class OwnClientFileError(Exception):
    """A credentials file is damaged. It is not overwritten: an operator has to look at it."""


async def register_own_clients(
    folder: Path,
    registry: ClientRegistry,
    *,
    issuer: str,
    token_endpoint: str,
    new_key: NewKey = lambda: ECKey.generate_key("P-256"),
) -> None:
    """Write missing credentials, and register the clients with the keys in the folder.

    Raises:
        OwnClientFileError: a key file is there but cannot be read.
    """
    for client_id, scopes in OWN_CLIENTS.items():
        home = folder / client_id
        known = await registry.find(client_id)
        made = _write_key(home / KEY_FILE, new_key)
        public = _read_public(home / KEY_FILE)
        jwks = canonical_jwks({"keys": [public]})
        if known is not None and thumbprints(known.jwks) != thumbprints(jwks):
            _log.warning(
                "the key in the folder replaces the one that was registered, which is refused from now on",
                client=client_id,
                folder=str(home),
                folder_was_empty=made,
            )
        _write_client(home / CLIENT_FILE, client_id, issuer=issuer, token_endpoint=token_endpoint)
        await registry.register(RegisteredClient(client_id, jwks, scopes, ClientStatus.ACTIVE))


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
        raise OwnClientFileError(
            f"{path} holds no private P-256 key. Restore it, or move it away: a new one is then made."
        )
    return public


def _read_object(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise OwnClientFileError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(document, dict):
        raise OwnClientFileError(f"{path} holds no JSON object")
    return document
