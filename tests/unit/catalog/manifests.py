"""Manifests of a small province, and short ways to read and plan them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lienthong.catalog import planning
from lienthong.catalog.kinds import Key, Kind
from lienthong.catalog.planning import Plan, State
from lienthong.catalog.resources import Resource
from lienthong.catalog.schemas.drafts import read_apply

if TYPE_CHECKING:
    from lienthong.catalog.mistakes import Mistake

NOW = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
PROVIDER, CONSUMER = "H11.05/land", "H11.01/one-stop"
SERVICE, EVENT_TYPE = f"{PROVIDER}/parcels-v1", f"{PROVIDER}/parcel-changed-v1"

#: A point of the curve P-256 (RFC 7517 A.1).
KEY = {
    "kty": "EC",
    "crv": "P-256",
    "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
    "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
}


def manifest(kind: str, identity: object, spec: object) -> dict[str, Any]:
    """A manifest."""
    return {"apiVersion": "lienthong/v1", "kind": kind, "metadata": {"id": identity}, "spec": spec}


def name(vi: str = "Tên", en: str = "Name") -> dict[str, str]:
    """A name."""
    return {"vi": vi, "en": en}


def agency(code: str = "H11.05", **more: object) -> dict[str, Any]:
    """An Agency manifest."""
    return manifest("Agency", code, {"class": "GOV", "name": name()} | more)


def system(identity: str = PROVIDER, **more: object) -> dict[str, Any]:
    """A System manifest."""
    return manifest("System", identity, {"name": name(), "jwks": {"keys": [KEY]}} | more)


def service(identity: str = SERVICE, *operations: str, **more: object) -> dict[str, Any]:
    """A Service manifest whose operations have these ids."""
    paths = {
        f"/{index}": {"get": {"operationId": operation}}
        for index, operation in enumerate(operations or ("getParcel", "listParcels"))
    }
    document = {"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "paths": paths}
    return manifest(
        "Service", identity, {"name": name(), "upstreams": ["http://land:8201"], "openapi": document} | more
    )


def event_type(identity: str = EVENT_TYPE, **more: object) -> dict[str, Any]:
    """An EventType manifest."""
    return manifest("EventType", identity, {"name": name(), "dataSchema": {"type": "object"}} | more)


def agreement(identity: str = "one-stop-parcels", **more: object) -> dict[str, Any]:
    """An Agreement manifest."""
    spec: dict[str, Any] = {
        "consumer": CONSUMER,
        "purposes": ["land-procedure"],
        "legalGround": "Luật Đất đai",
    }
    if "eventType" not in more:
        spec["service"] = SERVICE
    return manifest("Agreement", identity, spec | more)


def province() -> list[dict[str, Any]]:
    """Everything up to a requested agreement."""
    return [
        agency("H11.05"),
        agency("H11.01"),
        system(PROVIDER),
        system(CONSUMER),
        service(),
        event_type(),
        agreement(),
    ]


def plan(*manifests: dict[str, Any], state: State | None = None) -> tuple[Plan, list[Mistake]]:
    """Read manifests and plan them."""
    drafts, mistakes = read_apply({"manifests": list(manifests)})
    made, more = planning.make(drafts, state or State({}), NOW)
    return made, mistakes + more


def pointers(*manifests: dict[str, Any], state: State | None = None) -> list[str]:
    """Where the mistakes of manifests are."""
    return sorted(mistake.pointer for mistake in plan(*manifests, state=state)[1])


def kept(*manifests: dict[str, Any], status: str | None = None) -> State:
    """The catalog after these manifests; `status` is that of agreements."""
    made, mistakes = plan(*manifests)
    assert mistakes == []
    resources: dict[Key, Resource] = {}
    for version, step in enumerate(made.steps, 1):
        spec = {member: value for member, value in step.spec.items() if member not in {"openapi", "status"}}
        decided = status or step.spec.get("status", "requested")
        resources[step.key] = Resource(
            step.kind,
            step.id,
            spec,
            status=decided if step.kind is Kind.AGREEMENT else "active",
            version=version,
            created_at=NOW,
            updated_at=NOW,
            member_class="GOV",
            openapi=step.spec.get("openapi"),
            operations=step.operations,
        )
    agreements: dict[str, list[Resource]] = {}
    systems: dict[str, list[str]] = {}
    for resource in resources.values():
        if resource.kind is Kind.AGREEMENT and resource.status in {"requested", "approved"}:
            agreements.setdefault(resource.provider, []).append(resource)
        if resource.kind is Kind.SYSTEM:
            systems.setdefault(resource.id.split("/")[0], []).append(resource.id)
    return State(resources, agreements, systems)
