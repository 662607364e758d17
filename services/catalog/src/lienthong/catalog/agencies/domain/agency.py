"""An agency as the catalog keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lienthong.catalog.domain.resources import Resource, ResourceKind


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyResource(Resource):
    """An organisation with an official code, which is its id."""

    kind: Literal[ResourceKind.AGENCY] = ResourceKind.AGENCY

    @property
    def member_class(self) -> str:
        """X-Road's member class: GOV, COM or NGO."""
        return str(self.spec["class"])
