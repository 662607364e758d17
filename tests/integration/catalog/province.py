"""A small province in manifests: two agencies, a consumer, a provider with a service and an event type."""

from __future__ import annotations

from typing import Any

from joserfc.jwk import ECKey, OKPKey

PROVIDER, CONSUMER, STRANGER, NEIGHBOUR = "H11.05/land", "H11.01/one-stop", "H11.06/planning", "H11.05/survey"
SERVICE = f"{PROVIDER}/parcels-v1"
EVENT_TYPE = f"{PROVIDER}/parcel-changed-v1"
AGREEMENT = "one-stop-parcels"
GROUND = "Điều 12 Luật Đất đai 2024"


def manifest(kind: str, identity: str, /, **spec: object) -> dict[str, Any]:
    """A manifest."""
    return {"apiVersion": "lienthong/v1", "kind": kind, "metadata": {"id": identity}, "spec": spec}


def name(vi: str, en: str | None = None) -> dict[str, str]:
    """A name in both languages."""
    return {"vi": vi, "en": en or vi}


def agency(code: str = "H11.05", **more: object) -> dict[str, Any]:
    """An Agency manifest."""
    return manifest(
        "Agency", code, **{"class": "GOV", "name": name(f"Cơ quan {code}", f"Agency {code}")} | more
    )


def system(identity: str = PROVIDER, **more: object) -> dict[str, Any]:
    """A System manifest with a fresh key."""
    return manifest("System", identity, **{"name": name("Hệ thống"), "jwks": {"keys": [public_key()]}} | more)


def service(identity: str = SERVICE, **more: object) -> dict[str, Any]:
    """A Service manifest with two operations."""
    spec = {"name": name("Thửa đất", "Parcels"), "upstreams": ["http://127.0.0.1:8204"], "openapi": openapi()}
    return manifest("Service", identity, **spec | more)


def event_type(identity: str = EVENT_TYPE, **more: object) -> dict[str, Any]:
    """An EventType manifest."""
    schema = {"type": "object", "properties": {"parcelId": {"type": "string"}}, "required": ["parcelId"]}
    return manifest("EventType", identity, **{"name": name("Thửa đất thay đổi"), "dataSchema": schema} | more)


def agreement(identity: str = AGREEMENT, **more: object) -> dict[str, Any]:
    """An Agreement manifest on the service."""
    spec: dict[str, Any] = {"consumer": CONSUMER, "purposes": ["land-procedure"], "legalGround": GROUND}
    if "eventType" not in more:
        spec["service"] = SERVICE
    return manifest("Agreement", identity, **spec | more)


def openapi(*operations: str) -> dict[str, Any]:
    """An OpenAPI document whose operations have these ids."""
    paths = {
        f"/{index}/{{key}}": {"get": {"operationId": operation, "responses": {"200": {"description": "OK"}}}}
        for index, operation in enumerate(operations or ("getParcel", "listParcels"))
    }
    return {"openapi": "3.1.0", "info": {"title": "Thửa đất", "version": "1.0.0"}, "paths": paths}


def public_key(kind: str = "EC") -> dict[str, Any]:
    """A fresh public JWK."""
    key = ECKey.generate_key("P-256") if kind == "EC" else OKPKey.generate_key("Ed25519")
    return dict(key.as_dict(private=False))


def province() -> list[dict[str, Any]]:
    """Everything up to a requested agreement, in an order in which references come first."""
    return [
        agreement(),
        service(),
        event_type(),
        *(system(identity) for identity in (PROVIDER, CONSUMER, STRANGER, NEIGHBOUR)),
        *(agency(code) for code in ("H11.05", "H11.01", "H11.06")),
    ]
