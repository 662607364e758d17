"""What the catalog publishes on the bus: every change of a resource, for other services."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lienthong.kit.bus import StreamSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lienthong.kit.settings import Settings

SERVICE = "catalog"
SUBJECTS = "catalog.>"
STREAM = "CATALOG"


def stream(settings: Settings) -> StreamSpec:
    """Return the stream that keeps every change, so that a service that is added later gets all of them."""
    return StreamSpec(
        STREAM,
        [SUBJECTS],
        max_bytes=settings.changes_max_bytes,
        replicas=settings.nats_replicas,
        protected=True,
    )


def subject(kind: str) -> str:
    """Return the NATS subject of changes to a kind of resource, e.g. `catalog.system` for `System`."""
    return f"catalog.{kind.lower()}"


def upserted(version: int, manifest: Mapping[str, Any]) -> bytes:
    """Return the event that a resource was created or updated; a service is without its OpenAPI document."""
    document: dict[str, Any] = {
        "version": version,
        "kind": manifest["kind"],
        "id": manifest["metadata"]["id"],
        "action": "upserted",
        "resource": manifest,
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
