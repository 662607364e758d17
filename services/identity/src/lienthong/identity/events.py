"""What identity publishes on the bus (audit records), and what it takes from it (changes of systems)."""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

SERVICE: Final = "identity"
"""The `node` of identity's audit records, and the last part of their subject."""

ACTOR: Final = "lienthong/identity"
"""The `actor` of these records: identity acts by itself. Who changed a system is on the catalog's record."""

STREAM: Final = "CATALOG"
SUBJECT: Final = "catalog.system"
AGENCIES: Final = "catalog.agency"

SystemId = Annotated[str, StringConstraints(pattern=r"^[^/\s]+/[a-z][a-z0-9-]{1,62}$", max_length=255)]
"""`agency/system`. The slash keeps systems apart from this server's own clients, `operator` and `auditor`."""

AgencyCode = Annotated[str, StringConstraints(pattern=r"^[^/\s]+$", max_length=35)]

Thumbprint = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""The SHA-256 of a certificate's DER form, in hex."""


class _CatalogModel(BaseModel):
    """Members that identity does not need are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class SystemAccount(_CatalogModel):
    """A Kubernetes service account by which a system proves itself."""

    issuer: str
    namespace: str
    name: str


class SystemKeys(_CatalogModel):
    """The part of a system's `spec` that concerns identity: its public keys (RFC 7517), certificates and
    service accounts."""

    jwks: dict[str, Any] = Field(default_factory=lambda: {"keys": []})
    certificates: list[Thumbprint] = []
    service_accounts: Annotated[list[SystemAccount], Field(alias="serviceAccounts")] = []


class CatalogSystem(_CatalogModel):
    """A system as the catalog describes it."""

    spec: SystemKeys = SystemKeys()
    status: Literal["active", "suspended"] = "active"
    agency: AgencyCode | None = None
    """The agency that has it, where that is another one than the id says."""


class CatalogEvent(_CatalogModel):
    """One message: what happened to a resource. `version` is the catalog's version after the change."""

    version: int = Field(ge=0, lt=2**63)
    id: str
    action: Literal["upserted", "removed"]


class CatalogAgency(_CatalogModel):
    """An agency as the catalog describes it."""

    merged_into: Annotated[AgencyCode | None, Field(alias="mergedInto")] = None


class AgencyEvent(CatalogEvent):
    """What happened to an agency; of one that was merged with its manifest."""

    kind: Literal["Agency"]
    id: AgencyCode
    resource: CatalogAgency | None = None


class SystemEvent(CatalogEvent):
    """What happened to a system."""

    kind: Literal["System"]
    id: SystemId
    resource: CatalogSystem | None = None

    @model_validator(mode="after")
    def _described(self) -> "SystemEvent":
        if self.action == "upserted" and self.resource is None:
            raise ValueError("an upserted system comes with its resource")
        return self
