"""A service as its own agency sees it: where it stands, what may follow, and how good its document is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lienthong.kit.policy import Action
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lienthong.console.systems.manifests import Named
    from lienthong.console.web import Visit

PUBLISHED: Final = "published"
STAGES: Final = {
    "draft": BilingualText("draft", "bản nháp"),
    "in-review": BilingualText("in review", "đang xem xét"),
    "published": BilingualText("published", "đã công bố"),
    "deprecated": BilingualText("ends soon", "sắp ngừng"),
    "retired": BilingualText("retired", "đã ngừng"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """A stage that may follow, what it means, and whether it is asked for dates and a successor."""

    stage: str
    title: BilingualText
    text: BilingualText
    dated: bool = False


_REVIEW: Final = Step(
    "in-review",
    BilingualText("Put up for review", "Đưa ra xem xét"),
    BilingualText("An owner of the data sees it and publishes it.", "Chủ quản dữ liệu xem và công bố."),
)
_BACK: Final = Step(
    "draft",
    BilingualText("Back to the draft", "Trả về bản nháp"),
    BilingualText("It is changed further.", "Dịch vụ được sửa tiếp."),
)
_PUBLISH: Final = Step(
    "published",
    BilingualText("Publish", "Công bố"),
    BilingualText(
        "Everyone finds it and may ask for agreements on it.",
        "Mọi người tìm thấy và có thể đề nghị khai thác.",
    ),
)
_DEPRECATE: Final = Step(
    "deprecated",
    BilingualText("Announce its end", "Báo sắp ngừng"),
    BilingualText(
        "Calls go on to pass, and each answer says until when. Consumers are told.",
        "Lời gọi vẫn được chấp nhận, mỗi câu trả lời nêu thời hạn. Các bên khai thác được thông báo.",
    ),
    dated=True,
)
_RETIRE: Final = Step(
    "retired",
    BilingualText("Retire", "Ngừng hẳn"),
    BilingualText(
        "Calls are refused within a second, for good: a new version is a new service.",
        "Lời gọi bị từ chối trong một giây và không mở lại được: phiên bản mới là một dịch vụ mới.",
    ),
    dated=True,
)
_STEPS: Final[Mapping[str, Sequence[Step]]] = {
    "draft": (_REVIEW, _RETIRE),
    "in-review": (_PUBLISH, _BACK, _RETIRE),
    "published": (_DEPRECATE,),
    "deprecated": (_RETIRE, _PUBLISH),
    "retired": (),
}
_HIDDEN: Final = frozenset({"draft", "in-review"})
"""Stages into which a developer may bring a service; for all others it takes an owner of the data."""


def stage_of(spec: Mapping[str, Any]) -> str:
    """The stage of a service; one without any is published."""
    lifecycle = spec.get("lifecycle")
    found = lifecycle.get("stage") if isinstance(lifecycle, dict) else None
    return str(found) if found in STAGES else PUBLISHED


def may_change(visit: Visit, service: Named) -> bool:
    """Whether somebody may give a service another document, name or address."""
    action = Action.DRAFT_SERVICES if stage_of(service.spec) in _HIDDEN else Action.MANAGE_SERVICES
    return visit.may(action, service.agency)


def steps_of(visit: Visit, service: Named) -> list[Step]:
    """The stages into which somebody may bring a service."""
    owner = visit.may(Action.MANAGE_SERVICES, service.agency)
    return [step for step in _STEPS[stage_of(service.spec)] if owner or step.stage in _HIDDEN]


@dataclass(frozen=True, slots=True)
class Quality:
    """How well a document serves its readers: of a hundred, and what is missing where."""

    score: int
    findings: Sequence[tuple[str, BilingualText]]
    more: int

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Quality:
        """Read what the catalog answers."""
        findings = [
            (str(one["pointer"]), BilingualText(str(one["detail"]), str(one["detail_vi"])))
            for one in answer.get("findings", ())
        ]
        return cls(int(answer.get("score", 0)), findings, int(answer.get("more_findings", 0)))
