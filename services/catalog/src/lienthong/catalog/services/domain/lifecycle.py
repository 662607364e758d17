"""The life of a service, as a pure state machine.

    draft ⇄ in-review ──▶ published ⇄ deprecated ──▶ retired
      └─────────┴──────────────────────────────────────▲

A draft and one in review are its agency's own affair: others do not see it, and nobody calls it. Consumers of
one that is deprecated are told since when and until when (RFC 9745, RFC 8594); from `sunsetAt` on it counts
as retired, whatever its manifest says. Retired is final: a new version of an API is a new service, whose id
says so. A manifest without `lifecycle` is of a service that is published.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from lienthong.catalog.domain import validity
from lienthong.catalog.errors import InvalidValueError
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from datetime import datetime

    from lienthong.kit.json_text import JsonObject


class ServiceStage(StrEnum):
    """Where in its life a service is."""

    DRAFT = "draft"
    IN_REVIEW = "in-review"
    PUBLISHED = "published"
    DEPRECATED = "deprecated"
    RETIRED = "retired"

    @property
    def label_vi(self) -> str:
        """The stage in Vietnamese."""
        return _LABELS_VI[self]

    @property
    def is_shown(self) -> bool:
        """Whether others than its agency and the operator see the service."""
        return self not in HIDDEN

    @property
    def is_offered(self) -> bool:
        """Whether agreements on the service can be asked for, and calls pass."""
        return self in {ServiceStage.PUBLISHED, ServiceStage.DEPRECATED}


_LABELS_VI: Final = {
    ServiceStage.DRAFT: "bản nháp",
    ServiceStage.IN_REVIEW: "đang xem xét",
    ServiceStage.PUBLISHED: "đã công bố",
    ServiceStage.DEPRECATED: "sắp ngừng",
    ServiceStage.RETIRED: "đã ngừng",
}

HIDDEN: Final = frozenset((ServiceStage.DRAFT, ServiceStage.IN_REVIEW))
"""The stages in which a service is its agency's own affair."""

MOVES: Final = {
    ServiceStage.DRAFT: (ServiceStage.IN_REVIEW, ServiceStage.RETIRED),
    ServiceStage.IN_REVIEW: (ServiceStage.DRAFT, ServiceStage.PUBLISHED, ServiceStage.RETIRED),
    ServiceStage.PUBLISHED: (ServiceStage.DEPRECATED,),
    ServiceStage.DEPRECATED: (ServiceStage.PUBLISHED, ServiceStage.RETIRED),
    ServiceStage.RETIRED: (),
}
"""The stages that may follow each."""


class StageConflictError(InvalidValueError):
    """A service in one stage does not go into another."""


def move(before: ServiceStage, after: ServiceStage) -> bool:
    """Tell whether a service goes into another stage; False where it stays in its own.

    Raises:
        StageConflictError: that stage does not follow the other.
    """
    if after is before:
        return False
    possible = MOVES[before]
    if after in possible:
        return True
    if not possible:
        raise StageConflictError(
            f"the service is {before}, which is final; a new version of it is a new service",
            f"dịch vụ {before.label_vi}, không thể mở lại; phiên bản mới là một dịch vụ mới",
        )
    en = " or ".join(f"'{stage}'" for stage in possible)
    vi = " hoặc ".join(f"'{stage}' ({stage.label_vi})" for stage in possible)
    raise StageConflictError(
        f"a service that is {before} does not become {after} at once; what follows is {en}",
        f"dịch vụ {before.label_vi} không chuyển thẳng sang {after.label_vi}; bước tiếp theo là {vi}",
    )


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """What a service says of its life. `successor` is a service's id, `link` an address to read more at."""

    stage: ServiceStage = ServiceStage.PUBLISHED
    deprecated_at: datetime | None = None
    sunset_at: datetime | None = None
    successor: str = ""
    link: str = ""

    @classmethod
    def of(cls, spec: JsonObject) -> Lifecycle:
        """Return what the spec of a service says, in canonical form."""
        stated = spec.get("lifecycle")
        if stated is None:
            return PUBLISHED
        deprecated_at, sunset_at = stated.get("deprecatedAt"), stated.get("sunsetAt")
        return cls(
            ServiceStage(stated["stage"]),
            None if deprecated_at is None else validity.read(deprecated_at),
            None if sunset_at is None else validity.read(sunset_at),
            stated.get("successor", ""),
            stated.get("link", ""),
        )

    def stage_at(self, now: datetime) -> ServiceStage:
        """Return the stage at a time: one that is deprecated is retired from its sunset on."""
        over = self.sunset_at is not None and self.sunset_at <= now
        return ServiceStage.RETIRED if over and self.stage is ServiceStage.DEPRECATED else self.stage

    def why_no_agreement(self, service: str, now: datetime) -> BilingualText | None:
        """Say why no agreement on the service can be asked for; None where one can."""
        stage = self.stage_at(now)
        if stage.is_offered:
            return None
        if stage is ServiceStage.RETIRED:
            use = BilingualText(f"; ask for '{self.successor}'", f"; hãy đề nghị '{self.successor}'")
            successor = use if self.successor else BilingualText("", "")
            return BilingualText(
                f"the service '{service}' is retired{successor.en}",
                f"dịch vụ '{service}' đã ngừng{successor.vi}",
            )
        return BilingualText(
            f"the service '{service}' is not published yet ({stage})",
            f"dịch vụ '{service}' chưa được công bố ({stage.label_vi})",
        )

    def deprecation(self, service: str) -> BilingualText | None:
        """Say what someone should know who asks for an agreement on the service; None where it is not
        deprecated."""
        if self.stage is not ServiceStage.DEPRECATED:
            return None
        en, vi = f"the service '{service}' is deprecated", f"dịch vụ '{service}' sắp ngừng"
        if self.sunset_at is not None:
            day = validity.write(self.sunset_at)
            en, vi = f"{en}, and ends on {day}", f"{vi}, kết thúc vào {day}"
        if self.successor:
            en, vi = (
                f"{en}; its successor is '{self.successor}'",
                f"{vi}; dịch vụ thay thế: '{self.successor}'",
            )
        return BilingualText(en, vi)


PUBLISHED: Final = Lifecycle()
