"""What the catalog publishes on the bus: that a resource changed, and of systems as what; to consumers of
a service, where in its life it is; and to the sides of an agreement, what they should do in time.

Identity takes systems from it, other processes of the catalog only that something changed. The stream is kept
for ever, so what nobody reads there does not go into it: what a resource is now, the catalog is asked for.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from lienthong.kit.bus import StreamSpec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lienthong.kit.settings import Settings

SERVICE = "catalog"
ENDS_SOON = "ends-soon"
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


def upserted(version: int, kind: str, resource_id: str, manifest: Mapping[str, Any] | None) -> bytes:
    """Return the event that a resource was created or updated; `manifest` where it is a system."""
    document: dict[str, Any] = {"version": version, "kind": kind, "id": resource_id, "action": "upserted"}
    if manifest is not None:
        document["resource"] = manifest
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def stage_changed(
    version: int, service: str, lifecycle: Mapping[str, Any], consumers: Sequence[str]
) -> bytes:
    """Return the event that tells systems with open agreements on a service where in its life it is now."""
    document = {
        "version": version,
        "kind": "Service",
        "id": service,
        "action": "stage-changed",
        "lifecycle": lifecycle,
        "consumers": consumers,
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def reminded(version: int, agreement: str, action: str, until: str, consumer: str, target: str) -> bytes:
    """Return the event that tells the sides of an agreement what happens then, at `until`, if nobody acts.

    `action` is `ends-soon`, `decision-due` or `decision-late`.
    """
    document = {
        "version": version,
        "kind": "Agreement",
        "id": agreement,
        "action": action,
        "until": until,
        "consumer": consumer,
        "target": target,
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def key_ends_soon(version: int, system: str, thumbprint: str, until: str) -> bytes:
    """Return the event that tells whose system it is that a key of it ends then, at `until`."""
    document = {
        "version": version,
        "kind": "Key",
        "id": thumbprint,
        "action": ENDS_SOON,
        "until": until,
        "system": system,
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


class _Published(msgspec.Struct):
    """What the catalog itself reads of an event; the rest is ignored."""

    version: int


def version_of(event: bytes) -> int:
    """Return the version of the catalog at which an event happened.

    Raises:
        ValueError: it is none of the catalog's events.
    """
    return msgspec.json.decode(event, type=_Published).version
