"""What a restore brings back: what the catalog lacks, and nothing else; without I/O.

It takes what an export says without the decisions that it took to come there. So it changes nothing that is
there already, and who does it is on record with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lienthong.catalog.agencies.domain.succession import hierarchy_cycles, replacement_cycles
from lienthong.catalog.agreements.domain.agreement import AgreementResource
from lienthong.catalog.agreements.domain.lifecycle import AgreementStatus
from lienthong.catalog.agreements.domain.operations import unknown_operations
from lienthong.catalog.agreements.domain.record import AgreementRecord, record_violations
from lienthong.catalog.apply.domain.building import built
from lienthong.catalog.apply.domain.planning import duplicates
from lienthong.catalog.domain import validity
from lienthong.catalog.domain.drafts import Draft, missing_references
from lienthong.catalog.domain.resources import ACTIVE, ResourceKind
from lienthong.catalog.errors import Violation
from lienthong.catalog.systems.domain.system import Suspender
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from lienthong.catalog.domain.resources import Resource, ResourceKey, ServiceOperation
    from lienthong.kit.json_pointer import JsonPath

_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export says of one resource, beside its spec.

    `status` is that of a system or an agreement, `record` an agreement's. `path` is where it stands.
    """

    draft: Draft
    path: JsonPath
    created_at: datetime
    updated_at: datetime
    status: str = ACTIVE
    suspended_by: str | None = None
    asked_at: datetime | None = None
    told_at: datetime | None = None
    record: AgreementRecord | None = None
    owner: str = ""
    """Of a system, the agency that has it, where that is another one than that of its id."""
    merged_into: str | None = None
    """Of an agency, the one that has taken over what it had."""

    def resource(self, version: int = 0) -> Resource:
        """Return the resource as it is restored at a version."""
        draft = self.draft
        assert draft.spec is not None  # noqa: S101 - one without violations has a spec
        members: dict[str, Any] = {
            "id": draft.id,
            "status": self.status,
            "version": version,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        }
        if draft.kind is ResourceKind.SYSTEM:
            members["owner"] = self.owner
        if draft.kind is ResourceKind.AGENCY:
            members["merged_into"] = self.merged_into
        if draft.kind in {ResourceKind.SYSTEM, ResourceKind.AGREEMENT}:
            members["suspended_by"] = None if self.suspended_by is None else Suspender(self.suspended_by)
        if draft.kind is ResourceKind.AGREEMENT:
            members |= {"asked_at": self.asked_at, "told_at": self.told_at}
        return built(draft.kind, draft.spec, draft.operations or (), members)


@dataclass(frozen=True, slots=True)
class RestorePlan:
    """What is restored, and what the catalog has already just so; both in the order of the request."""

    new: tuple[Exported, ...]
    known: tuple[Exported, ...]


def plan_restore(
    everything: Sequence[Exported],
    known: Mapping[ResourceKey, Sequence[str]],
    referenced: Collection[ResourceKey],
    operations: Mapping[str, Sequence[ServiceOperation]],
    now: datetime,
) -> tuple[RestorePlan, list[Violation]]:
    """Plan a restore, and name every violation (with any, the plan must not be carried out).

    `known` are those that the catalog has, with the places in which it has them otherwise; `referenced` those
    that are referred to and there; `operations` those of services that are there.
    """
    new = [one for one in everything if one.draft.key not in known]
    drafts = [one.draft for one in everything]
    offered = dict(operations) | {
        one.draft.id: one.draft.operations for one in new if one.draft.operations is not None
    }
    # What has ended may name what is gone.
    on_record = [one.draft for one in new if not _is_open(one)]
    violations = [
        *duplicates(drafts),
        *missing_references(drafts, {*known, *referenced}),
        *replacement_cycles(drafts, specs := {one.key: one.spec for one in drafts if one.spec is not None}),
        *hierarchy_cycles(drafts, specs),
        *unknown_operations([one.draft for one in new if one.draft not in on_record], offered),
    ]
    for one in everything:
        violations += _violations(one, now)
        if differing := known.get(one.draft.key):
            violations.append(_differs(one, differing))
    known_already = tuple(one for one in everything if one.draft.key in known)
    return RestorePlan(tuple(new), known_already), violations


def _is_open(one: Exported) -> bool:
    return one.draft.kind is not ResourceKind.AGREEMENT or AgreementStatus(one.status).is_open


def _violations(one: Exported, now: datetime) -> Iterator[Violation]:
    for path, at in _times(one):
        if at > now:
            yield Violation((*one.path, *path), _IN_THE_FUTURE)
    suspended = one.status == AgreementStatus.SUSPENDED.value
    if suspended and one.suspended_by is None:
        yield Violation((*one.path, "suspendedBy"), _WHO_SUSPENDED)
    if not suspended and one.suspended_by is not None:
        yield Violation((*one.path, "suspendedBy"), _NOT_SUSPENDED)
    if one.merged_into is not None and one.draft.spec is not None:
        ended = "validTo" in one.draft.spec and validity.read(one.draft.spec["validTo"]) <= now
        if not ended or one.draft.spec.get("replacedBy") != one.merged_into:
            yield Violation((*one.path, "mergedInto"), _NOT_MERGED)
    if one.draft.spec is not None and one.record is not None:
        agreement = one.resource()
        assert isinstance(agreement, AgreementResource)  # noqa: S101 - only they have a record
        for found in record_violations(agreement, one.record):
            yield found.under(*one.path, "history")


def _times(one: Exported) -> Iterator[tuple[JsonPath, datetime]]:
    yield ("metadata", "createdAt"), one.created_at
    yield ("metadata", "updatedAt"), one.updated_at
    if one.asked_at is not None:
        yield ("history", "askedAt"), one.asked_at
    if one.record is None:
        return
    for index, step in enumerate(one.record.steps):
        yield ("history", "steps", index, "at"), step.at
    for index, amended in enumerate(one.record.amendments):
        yield ("history", "amendments", index, "updatedAt"), amended.updated_at


def _differs(one: Exported, differing: Sequence[str]) -> Violation:
    listed = ", ".join(differing[:_MOST_NAMED]) + (", …" if len(differing) > _MOST_NAMED else "")
    kind = one.draft.kind
    return Violation(
        (*one.path, "metadata", "id"),
        BilingualText(
            f"the catalog has the {kind.noun} '{one.draft.id}' already, with other values (in: {listed}); a "
            f"restore brings back what is missing and changes nothing: take it out of the files",
            f"danh mục đã có {kind.noun_vi} '{one.draft.id}' với nội dung khác (ở: {listed}); khôi phục chỉ "
            f"bổ sung phần còn thiếu, không sửa gì: hãy bỏ khỏi các tệp",
        ),
        conflict=True,
    )


_IN_THE_FUTURE = BilingualText(
    "is still to come; an export holds what has happened",
    "là thời điểm chưa tới; bản xuất chỉ có việc đã xảy ra",
)
_WHO_SUSPENDED = BilingualText(
    "it is suspended: say by whom, 'agency' or 'platform'",
    "đang tạm ngừng: hãy nêu bởi 'agency' hay 'platform'",
)
_NOT_MERGED = BilingualText(
    "an agency that was merged has ended, and 'replacedBy' names the other one; leave it out, or write both",
    "cơ quan đã sáp nhập thì đã hết hiệu lực và có 'replacedBy' là cơ quan đó; hãy bỏ, hoặc ghi cả hai",
)
_NOT_SUSPENDED = BilingualText(
    "it is not suspended; leave it out", "không ở trạng thái tạm ngừng; hãy bỏ trống"
)
