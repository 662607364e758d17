"""A service as the catalog keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from lienthong.catalog.domain.resources import Resource, ResourceKind, ServiceOperation
from lienthong.catalog.services.domain.lifecycle import Lifecycle

if TYPE_CHECKING:
    from lienthong.kit.json_text import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceResource(Resource):
    """An API of a system.

    Its document, OpenAPI or WSDL, is large and rarely needed: `spec` leaves it out, and both are None unless
    it is asked for.
    """

    kind: Literal[ResourceKind.SERVICE] = ResourceKind.SERVICE
    openapi: JsonObject | None = None
    wsdl: str | None = None
    operations: tuple[ServiceOperation, ...] = ()

    @property
    def lifecycle(self) -> Lifecycle:
        """Where in its life it is."""
        return Lifecycle.of(self.spec)

    def declared_spec(self) -> JsonObject:
        """Return the spec as a manifest would declare it, with the document where it was loaded."""
        if self.wsdl is not None:
            return {**self.spec, "wsdl": self.wsdl}
        return self.spec if self.openapi is None else {**self.spec, "openapi": self.openapi}

    def manifest(self) -> dict[str, Any]:
        """Return the manifest as the catalog answers it, with the operations."""
        operations = [operation.document() for operation in self.operations]
        return {**Resource.manifest(self), "operations": operations}
