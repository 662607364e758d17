"""What comes in from the catalog and what goes out as a token answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

SystemId = Annotated[str, StringConstraints(pattern=r"^[^/\s]+/[a-z][a-z0-9-]{1,62}$", max_length=255)]
"""`agency/system`. The slash keeps systems apart from this server's own clients, `operator` and `auditor`."""


class _Open(BaseModel):
    """The catalog may say more than is read here."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class SystemSpec(_Open):
    """The part of a System manifest that concerns identity."""

    jwks: dict[str, Any] = Field(default_factory=lambda: {"keys": []})


class SystemManifest(_Open):
    """A System as the catalog describes it."""

    spec: SystemSpec = SystemSpec()
    status: Literal["active", "suspended"] = "active"


class SystemEvent(_Open):
    """A message on `catalog.system`. `version` is that of the catalog after the change."""

    version: int = Field(ge=0, lt=2**63)
    kind: Literal["System"]
    id: SystemId
    action: Literal["upserted", "removed"]
    resource: SystemManifest | None = None

    @model_validator(mode="after")
    def _described(self) -> "SystemEvent":
        if self.action == "upserted" and self.resource is None:
            raise ValueError("an upserted system comes with its resource")
        return self


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token and what the answer says of it (RFC 6749 §5.1). `expires_in` is in seconds."""

    access_token: str
    expires_in: int
    scope: str

    def document(self) -> Mapping[str, str | int]:
        """Give the JSON object of the answer."""
        return {
            "access_token": self.access_token,
            "token_type": "Bearer",
            "expires_in": self.expires_in,
            "scope": self.scope,
        }
