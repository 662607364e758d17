"""A resource as the catalog keeps it, and the manifest that shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lienthong.catalog import agreements, validity
from lienthong.catalog.kinds import Kind

if TYPE_CHECKING:
    from datetime import datetime

    from lienthong.catalog.agreements import Decision
    from lienthong.catalog.json_text import JsonObject
    from lienthong.catalog.kinds import Key
    from lienthong.catalog.openapi import Operation

API_VERSION = "lienthong/v1"
ACTIVE = "active"
SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource. `spec` is canonical; a service's leaves out `openapi`, which stands by itself when read.

    `status` is active or suspended (a service or event type has its system's), and of an agreement where it
    stands. `version` is that of its last change.
    """

    kind: Kind
    id: str
    spec: JsonObject
    status: str
    version: int
    created_at: datetime
    updated_at: datetime
    member_class: str = ""
    openapi: JsonObject | None = None
    operations: tuple[Operation, ...] = ()
    decisions: tuple[Decision, ...] = ()

    @property
    def key(self) -> Key:
        """What the resource goes by."""
        return self.kind, self.id

    @property
    def provider(self) -> str:
        """Of an agreement: the id of the service or event type it is about."""
        return str(self.spec.get("service") or self.spec.get("eventType"))

    @property
    def provider_agency(self) -> str:
        """The code of the agency whose data it is."""
        return agency_of(self.provider if self.kind is Kind.AGREEMENT else self.id)

    def declared(self, *, whole: bool = True) -> JsonObject:
        """Return the spec as a manifest would have it; not whole means without an OpenAPI document."""
        spec = dict(self.spec)
        if whole and self.openapi is not None:
            spec["openapi"] = self.openapi
        if self.kind is Kind.AGREEMENT:
            spec["status"] = (
                self.status
                if self.status == agreements.Status.APPROVED
                else agreements.Status.REQUESTED.value
            )
        return spec

    def manifest(self, *, whole: bool = True) -> dict[str, Any]:
        """Return the manifest with what reading adds: version and times, status, operations, decisions."""
        document: dict[str, Any] = {
            "apiVersion": API_VERSION,
            "kind": self.kind.value,
            "metadata": {
                "id": self.id,
                "version": self.version,
                "createdAt": validity.write(self.created_at),
                "updatedAt": validity.write(self.updated_at),
            },
            "spec": self.declared(whole=whole),
            "status": self.status,
        }
        if self.kind is Kind.SERVICE:
            document["operations"] = [operation.document() for operation in self.operations]
        if self.kind is Kind.AGREEMENT:
            document["decisions"] = [
                {
                    "status": decision.status.value,
                    "by": decision.by,
                    "at": validity.write(decision.at),
                    "legalGround": decision.legal_ground,
                    "reason": decision.reason,
                }
                for decision in self.decisions
            ]
        return document


def agency_of(identity: str) -> str:
    """Return the agency code that an id begins with."""
    return identity.partition("/")[0]
