"""Keys of the demo's systems: made at the first start, kept ever after."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from binh_thuan.province import SYSTEMS
from lienthong.client.credentials import CLIENT_FILE, Algorithm, Credentials

if TYPE_CHECKING:
    from pathlib import Path


def ensure(demo: Path, gateway: str) -> dict[str, Credentials]:
    """Return every system's credentials by its folder, making those that are not there.

    Keys stay; where the gateway has moved (another port offset), `client.json` follows it.
    """
    found = {}
    for system in SYSTEMS:
        folder = demo / system.folder
        fresh = Credentials.new(
            system.client_id, gateway=gateway, algorithm=cast("Algorithm", system.algorithm)
        )
        if not (folder / CLIENT_FILE).exists():
            fresh.save(folder)
        kept = Credentials.load(folder)
        if kept.issuer != fresh.issuer:
            document = {
                "client_id": system.client_id,
                "token_endpoint": fresh.token_endpoint,
                "issuer": fresh.issuer,
            }
            (folder / CLIENT_FILE).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
            kept = Credentials.load(folder)
        found[system.folder] = kept
    return found
