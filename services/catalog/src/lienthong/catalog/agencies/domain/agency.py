"""An agency as the catalog keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from lienthong.catalog.domain import validity
from lienthong.catalog.domain.resources import Resource, ResourceKind

if TYPE_CHECKING:
    from datetime import datetime

    from lienthong.kit.json_text import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyResource(Resource):
    """An organisation with an official code, which is its id.

    `merged_into` is the agency that has taken over what this one had; None where none has.
    """

    kind: Literal[ResourceKind.AGENCY] = ResourceKind.AGENCY
    merged_into: str | None = None

    @property
    def member_class(self) -> str:
        """X-Road's member class: GOV, COM or NGO."""
        return str(self.spec["class"])

    @property
    def parent(self) -> str | None:
        """The agency above this one, if it is known."""
        return self.spec.get("parent")

    @property
    def replaced_by(self) -> str | None:
        """The code that replaces this one, if it is known."""
        return self.spec.get("replacedBy")

    def manifest(self) -> dict[str, Any]:
        """Return the manifest as the catalog answers it; of one that was merged with into which."""
        manifest = Resource.manifest(self)
        if self.merged_into is not None:
            manifest["mergedInto"] = self.merged_into
        return manifest


def has_ended(spec: JsonObject, now: datetime) -> bool:
    """Tell whether the code of an agency has ended."""
    return "validTo" in spec and validity.read(spec["validTo"]) <= now
