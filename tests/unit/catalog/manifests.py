"""Manifests of a small province, and short ways to read and plan them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lienthong.catalog.agencies.domain.agency import AgencyResource
from lienthong.catalog.agreements.domain.agreement import AgreementResource
from lienthong.catalog.agreements.domain.operations import OpenAgreement
from lienthong.catalog.apply.domain.planning import ApplyPlan, CatalogExcerpt, PlannedChange, plan_apply
from lienthong.catalog.apply.schemas import read_apply
from lienthong.catalog.domain.resources import Resource, ResourceKey, ResourceKind
from lienthong.catalog.services.domain.service import ServiceResource
from lienthong.catalog.systems.domain.system import SystemResource

if TYPE_CHECKING:
    from lienthong.catalog.errors import Violation

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


def plan(
    *manifests: dict[str, Any], excerpt: CatalogExcerpt | None = None
) -> tuple[ApplyPlan, list[Violation]]:
    """Read manifests and plan them."""
    drafts, violations = read_apply({"manifests": list(manifests)})
    made, more = plan_apply(drafts, excerpt or CatalogExcerpt({}), NOW)
    return made, violations + more


def pointers(*manifests: dict[str, Any], excerpt: CatalogExcerpt | None = None) -> list[str]:
    """Where the violations of manifests are."""
    return sorted(violation.pointer for violation in plan(*manifests, excerpt=excerpt)[1])


def catalog_with(*manifests: dict[str, Any], status: str | None = None) -> CatalogExcerpt:
    """The catalog after these manifests; `status` is that of agreements."""
    made, violations = plan(*manifests)
    assert violations == []
    resources: dict[ResourceKey, Resource] = {}
    for version, change in enumerate(made.changes, 1):
        resources[change.key] = _resource(change, version, status)
    agreements: dict[str, list[OpenAgreement]] = {}
    systems: dict[str, list[str]] = {}
    for resource in resources.values():
        if isinstance(resource, AgreementResource) and resource.status in {"requested", "approved"}:
            named = tuple(resource.spec.get("operations", ()))
            agreements.setdefault(resource.target, []).append(OpenAgreement(resource.id, named))
        if resource.kind is ResourceKind.SYSTEM:
            systems.setdefault(resource.id.split("/")[0], []).append(resource.id)
    return CatalogExcerpt(resources, agreements, systems)


def _resource(change: PlannedChange, version: int, status: str | None) -> Resource:
    spec = {member: value for member, value in change.spec.items() if member not in {"openapi", "status"}}
    members: dict[str, Any] = {
        "id": change.id,
        "spec": spec,
        "status": "active",
        "version": version,
        "created_at": NOW,
        "updated_at": NOW,
    }
    match change.kind:
        case ResourceKind.AGENCY:
            return AgencyResource(**members)
        case ResourceKind.SYSTEM:
            return SystemResource(**members, member_class="GOV")
        case ResourceKind.SERVICE:
            document = change.spec.get("openapi")
            return ServiceResource(**members, openapi=document, operations=change.operations)
        case ResourceKind.EVENT_TYPE:
            return Resource(kind=change.kind, **members)
        case ResourceKind.AGREEMENT:
            return AgreementResource(**members | {"status": status or change.spec["status"]})
