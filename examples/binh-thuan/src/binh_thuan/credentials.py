"""Keys of the demo's systems: made at the first start, then kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from binh_thuan.province import SYSTEMS
from lienthong.client.credentials import CLIENT_FILE, KEY_FILE, PUBLIC_FILE, Algorithm, Credentials
from lienthong.kit.files import PUBLIC, replace_file

if TYPE_CHECKING:
    from pathlib import Path


def ensure(demo: Path, gateway: str) -> dict[str, Credentials]:
    """Return every system's credentials by its folder, making those that are not there.

    Keys stay; where the gateway has moved (another port offset), `client.json` follows it.
    """
    issuer, token_endpoint = gateway.rstrip("/"), f"{gateway.rstrip('/')}/oauth2/token"
    found = {}
    for system in SYSTEMS:
        folder = demo / system.folder
        files = [folder / name for name in (CLIENT_FILE, KEY_FILE, PUBLIC_FILE)]
        if not all(file.exists() for file in files):
            # Nothing yet, or a start that was ended between two of the files.
            for file in files:
                file.unlink(missing_ok=True)
            algorithm = cast("Algorithm", system.algorithm)
            Credentials.new(system.client_id, gateway=gateway, algorithm=algorithm).save(folder)
        kept = Credentials.load(folder)
        if (kept.issuer, kept.token_endpoint) != (issuer, token_endpoint):
            document = {"client_id": system.client_id, "token_endpoint": token_endpoint, "issuer": issuer}
            replace_file(folder / CLIENT_FILE, json.dumps(document, indent=2) + "\n", mode=PUBLIC)
            kept = Credentials.load(folder)
        found[system.folder] = kept
    return found
