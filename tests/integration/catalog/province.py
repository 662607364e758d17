"""A small province in manifests, under a code of its own so that many live in one catalog."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from joserfc.jwk import ECKey

GROUND = "Điều 12 Luật Đất đai 2024"
PURPOSE = "land-procedure"


@dataclass(frozen=True)
class Province:
    """Three agencies: one that provides (with two systems), one that consumes, and one unrelated to both."""

    code: str

    @property
    def provider(self) -> str:
        """The system that provides."""
        return f"{self.code}.05/land"

    @property
    def colleague(self) -> str:
        """Another system of the provider's agency."""
        return f"{self.code}.05/survey"

    @property
    def consumer(self) -> str:
        """The system that consumes."""
        return f"{self.code}.01/one-stop"

    @property
    def unrelated(self) -> str:
        """A system that has nothing to do with the others."""
        return f"{self.code}.06/planning"

    @property
    def service_id(self) -> str:
        """The provider's service."""
        return f"{self.provider}/parcels-v1"

    @property
    def event_type_id(self) -> str:
        """The provider's event type."""
        return f"{self.provider}/parcel-changed-v1"

    @property
    def agreement_id(self) -> str:
        """The consumer's agreement on the service, in its name space."""
        return f"{self.code}.01.one-stop.parcels"

    def agency(self, suffix: str = "05", **more: object) -> dict[str, Any]:
        """An Agency manifest."""
        return agency(f"{self.code}.{suffix}", **more)

    def service(self, **more: object) -> dict[str, Any]:
        """The Service manifest, with two operations."""
        spec = {"name": name("Thửa đất"), "upstreams": ["http://127.0.0.1:8204"], "openapi": openapi()}
        return manifest("Service", self.service_id, **spec | more)

    def event_type(self, **more: object) -> dict[str, Any]:
        """The EventType manifest."""
        schema = {"type": "object", "required": ["parcelId"], "properties": {"parcelId": {"type": "string"}}}
        return manifest(
            "EventType", self.event_type_id, **{"name": name("Thay đổi"), "dataSchema": schema} | more
        )

    def terms(self, **more: object) -> dict[str, Any]:
        """What the consumer asks for."""
        spec = {
            "consumer": self.consumer,
            "service": self.service_id,
            "purposes": [PURPOSE],
            "legalGround": GROUND,
        }
        return spec | more

    def agreement(self, identity: str | None = None, **more: object) -> dict[str, Any]:
        """The Agreement manifest."""
        return manifest("Agreement", identity or self.agreement_id, **self.terms(**more))

    def without_agreement(self) -> list[dict[str, Any]]:
        """Agencies, systems, service and event type; what is referred to comes last."""
        systems = (self.provider, self.colleague, self.consumer, self.unrelated)
        return [
            self.service(),
            self.event_type(),
            *(system(identity) for identity in systems),
            *(self.agency(suffix) for suffix in ("05", "01", "06")),
        ]

    def everything(self) -> list[dict[str, Any]]:
        """The whole province, with a requested agreement."""
        return [self.agreement(), *self.without_agreement()]


def manifest(kind: str, identity: str, /, **spec: object) -> dict[str, Any]:
    """A manifest."""
    return {"apiVersion": "lienthong/v1", "kind": kind, "metadata": {"id": identity}, "spec": spec}


def name(vi: str) -> dict[str, str]:
    """A name."""
    return {"vi": vi, "en": vi}


def agency(code: str, **more: object) -> dict[str, Any]:
    """An Agency manifest."""
    return manifest("Agency", code, **{"class": "GOV", "name": name(f"Cơ quan {code}")} | more)


def system(identity: str, **more: object) -> dict[str, Any]:
    """A System manifest with a fresh key."""
    jwks = {"keys": [ECKey.generate_key("P-256").as_dict(private=False)]}
    return manifest("System", identity, **{"name": name("Hệ thống"), "jwks": jwks} | more)


def openapi(*operations: str) -> dict[str, Any]:
    """An OpenAPI document whose operations have these ids."""
    paths = {
        f"/{index}/{{key}}": {"get": {"operationId": operation, "responses": {"200": {"description": "OK"}}}}
        for index, operation in enumerate(operations or ("getParcel", "listParcels"))
    }
    return {"openapi": "3.1.0", "info": {"title": "Thửa đất", "version": "1.0.0"}, "paths": paths}
