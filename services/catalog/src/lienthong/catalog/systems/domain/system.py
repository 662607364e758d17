"""A system as the catalog keeps it, and who suspends it and lets it go on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

from lienthong.catalog.domain.resources import ACTIVE, SUSPENDED, Resource, ResourceKind
from lienthong.kit.policy import Action
from lienthong.kit.problems.roles import suspended_by_platform

if TYPE_CHECKING:
    from datetime import datetime

    from lienthong.kit.actors import Actor


class Suspender(StrEnum):
    """On whose behalf a system was suspended."""

    AGENCY = "agency"
    """Its own agency's: the agency or the platform lets it go on."""
    PLATFORM = "platform"
    """The platform's: nobody else lets it go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemResource(Resource):
    """An information system of an agency; `member_class` is that of its agency.

    `suspended_by` is None where it is active.
    """

    kind: Literal[ResourceKind.SYSTEM] = ResourceKind.SYSTEM
    member_class: str = ""
    suspended_by: Suspender | None = None
    told_at: datetime | None = None
    """Until when its people have been told which keys end."""

    def suspended(self, actor: Actor) -> SystemResource:
        """The system as it is when the actor has suspended it: the same where that changes nothing.

        Who may suspend systems of the whole platform does so for the platform, also one that its agency has
        suspended before; what the platform has suspended stays so.
        """
        by = Suspender.PLATFORM if actor.may(Action.SUSPEND_SYSTEMS) else Suspender.AGENCY
        if self.suspended_by in {by, Suspender.PLATFORM}:
            return self
        return replace(self, status=SUSPENDED, suspended_by=by)

    def resumed(self, actor: Actor) -> SystemResource:
        """The system as it is when the actor has let it go on: the same where it is active.

        Raises:
            ProblemError: 403 `suspended-by-platform`, the platform has suspended it, and the actor does not
                act for the platform.
        """
        if self.suspended_by is None:
            return self
        if self.suspended_by is Suspender.PLATFORM and not actor.may(Action.SUSPEND_SYSTEMS):
            raise suspended_by_platform(self.id)
        return replace(self, status=ACTIVE, suspended_by=None)

    def manifest(self) -> dict[str, Any]:
        """Return the manifest as the catalog answers it; of a suspended one with who suspended it, and of one
        that another agency has than that of its id, with that agency."""
        manifest = Resource.manifest(self)
        if self.owner:
            manifest["agency"] = self.owner
        if self.suspended_by is not None:
            manifest["suspendedBy"] = self.suspended_by.value
        return manifest
