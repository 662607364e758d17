"""What an apply would change: drafts compared with the catalog, without I/O.

References may point into the request or into the catalog, and the order inside a request does not matter.
Every violation is reported; a plan is usable only when there is none.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lienthong.catalog.agencies.domain.succession import (
    hierarchy_cycles,
    reopened,
    replacement_cycles,
    under_ended_codes,
    under_ended_parents,
)
from lienthong.catalog.agreements.domain.effect import period_notices
from lienthong.catalog.agreements.domain.lifecycle import (
    AgreementStatus,
    DecisionConflictError,
    WidenedError,
    reapply,
)
from lienthong.catalog.agreements.domain.offered import not_offered, service_notices
from lienthong.catalog.agreements.domain.operations import removed_operations, unknown_operations
from lienthong.catalog.agreements.domain.personal import declared_personal, is_personal
from lienthong.catalog.agreements.domain.terms import changed, terms_of, widened
from lienthong.catalog.apply.domain.breaks import breaks, notices
from lienthong.catalog.domain.comparison import compare
from lienthong.catalog.domain.drafts import missing_references
from lienthong.catalog.domain.resources import ResourceKind
from lienthong.catalog.errors import Violation
from lienthong.catalog.services.domain.documents import document_notices
from lienthong.catalog.services.domain.lifecycle import Lifecycle, StageConflictError, move
from lienthong.catalog.services.domain.service import ServiceResource
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from lienthong.catalog.agreements.domain.operations import OpenAgreement
    from lienthong.catalog.domain.comparison import MemberChange
    from lienthong.catalog.domain.drafts import Draft
    from lienthong.catalog.domain.resources import Resource, ResourceKey, ServiceOperation
    from lienthong.catalog.services.domain.narrowing import Break
    from lienthong.kit.json_pointer import JsonPath
    from lienthong.kit.json_text import JsonObject

CREATED, UPDATED, UNCHANGED = "created", "updated", "unchanged"

_WRITE_ORDER = tuple(ResourceKind)
_NOTHING = BilingualText("", "")
_NOT_APPLIED = frozenset(AgreementStatus) - {AgreementStatus.REQUESTED, AgreementStatus.APPROVED}
"""The statuses of agreements that no manifest states."""
_DOCUMENTS = (("spec", "openapi"), ("spec", "wsdl"))


@dataclass(frozen=True, slots=True)
class CatalogExcerpt:
    """The part of the catalog that matters for a request: what it names, and what depends on that.

    `open_agreements` are those requested or approved that name an operation which their service would lose,
    by its id; `systems` are the ids of systems by agency.
    """

    resources: Mapping[ResourceKey, Resource]
    open_agreements: Mapping[str, Sequence[OpenAgreement]] = field(default_factory=dict)
    systems: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """What happens to one resource, whose spec stands at `spec_path` in the request.

    `before` is the resource as it is, None for a new one. `decision` is the status that a manifest of an
    agreement leads to, if it is another one, or the same with other terms. `notices` are what the operator
    should know, with paths relative to the manifest. `breaking` is what a new document of a service takes
    from its callers.
    """

    kind: ResourceKind
    id: str
    action: str
    spec: JsonObject
    changes: tuple[MemberChange, ...]
    operations: tuple[ServiceOperation, ...]
    before: Resource | None
    decision: AgreementStatus | None
    spec_path: JsonPath
    notices: tuple[Violation, ...] = ()
    breaking: tuple[Break, ...] = ()
    personal: bool = False
    """Whether it is an agreement on personal data."""
    stated_version: int | None = None
    """The version that was read before this was sent; None where the manifest says nothing of it."""

    @property
    def key(self) -> ResourceKey:
        """What identifies the resource."""
        return self.kind, self.id


@dataclass(frozen=True, slots=True)
class ApplyPlan:
    """The changes in the order of the request, and the other resources whose manifests change with them."""

    changes: tuple[PlannedChange, ...]
    affected: tuple[ResourceKey, ...]

    def overtaken(self) -> list[PlannedChange]:
        """Return the changes of what has become another version since it was read."""
        return [
            change
            for change in self.changes
            if change.action == UPDATED
            and change.before is not None
            and change.stated_version not in {None, change.before.version}
        ]

    def in_write_order(self) -> list[PlannedChange]:
        """Return the changes that write something, each after those it refers to."""
        effective = [change for change in self.changes if change.action != UNCHANGED]
        return sorted(effective, key=lambda change: _WRITE_ORDER.index(change.kind))


def plan_apply(
    drafts: Sequence[Draft], excerpt: CatalogExcerpt, now: datetime
) -> tuple[ApplyPlan, list[Violation]]:
    """Plan an apply: what it would do, and every violation (with any, the plan must not be carried out)."""
    specs = {key: resource.spec for key, resource in excerpt.resources.items()}
    specs |= {draft.key: draft.spec for draft in drafts if draft.spec is not None}
    new = [draft for draft in drafts if draft.key not in excerpt.resources]
    violations = [
        *duplicates(drafts),
        *missing_references(drafts, excerpt.resources.keys()),
        *under_ended_codes(new, excerpt.resources, specs, now),
        *under_ended_parents(drafts, excerpt.resources, specs, now),
        *reopened(drafts, excerpt.resources),
        *replacement_cycles(drafts, specs),
        *hierarchy_cycles(drafts, specs),
        *unknown_operations(drafts, _operations(drafts, excerpt)),
        *removed_operations(drafts, _unchanged_agreements(drafts, excerpt)),
        *not_offered(new, lifecycles := _lifecycles(drafts, excerpt), now),
        *_stage_conflicts(drafts, excerpt),
        *_of_elsewhere(new),
    ]
    personal_agreements = set(_on_personal_data(drafts, excerpt))
    changes = []
    for draft in drafts:
        if draft.spec is None:
            continue
        before = excerpt.resources.get(draft.key)
        personal, decision = draft.key in personal_agreements, None
        try:
            decision = _decision(draft, draft.spec, before, personal=personal)
        except DecisionConflictError as conflict:
            text = _named(draft.id, conflict.text, changed({} if before is None else before.spec, draft.spec))
            violations.append(Violation((*draft.spec_path, "status"), text, conflict=True))
            if not isinstance(conflict, WidenedError):
                continue
            # Who may not change it at all is told that before.
        change = _change(draft, draft.spec, before, decision, lifecycles, now)
        if isinstance(before, ServiceResource) and _has_other_document(change):
            found = breaks(before, draft, draft.spec)
            told = (*change.notices, *notices(draft, found))
            change = replace(change, notices=told, breaking=tuple(found))
        changes.append(replace(change, personal=personal, stated_version=draft.stated_version))
    return ApplyPlan(tuple(changes), tuple(_affected(changes, excerpt))), violations


def _decision(
    draft: Draft, spec: JsonObject, before: Resource | None, *, personal: bool
) -> AgreementStatus | None:
    """Return the status that a manifest of an agreement leads to; None where it leads to no other.

    Raises:
        DecisionConflictError: it is nothing that a manifest decides.
    """
    if draft.kind is not ResourceKind.AGREEMENT:
        return None
    declared = AgreementStatus(spec["status"])
    if before is None:
        return declared if declared is AgreementStatus.APPROVED else None
    return reapply(
        AgreementStatus(before.status),
        declared,
        terms_changed=terms_of(spec) != terms_of(before.spec),
        widened=bool(widened(before.spec, spec)),
        two_people=personal,
    )


def _change(
    draft: Draft,
    spec: JsonObject,
    before: Resource | None,
    decision: AgreementStatus | None,
    lifecycles: Mapping[str, Lifecycle],
    now: datetime,
) -> PlannedChange:
    if draft.kind is ResourceKind.AGREEMENT and before is not None:
        spec = spec | {"status": (decision or AgreementStatus(before.status)).value}
    changes = tuple(compare(before.declared_spec(), spec, prefix=("spec",))) if before is not None else ()
    action = CREATED if before is None else UPDATED if changes else UNCHANGED
    notices: tuple[Violation, ...] = ()
    if draft.kind is ResourceKind.AGREEMENT and action != UNCHANGED:
        on = lifecycles.get(spec.get("service", ""))
        notices = (
            *period_notices(AgreementStatus(spec["status"]), spec, now),
            *service_notices(spec, on, now),
        )
    elif draft.kind is ResourceKind.SERVICE and action != UNCHANGED:
        notices = tuple(document_notices(draft.id, spec, draft.operations or ()))
    return PlannedChange(
        draft.kind,
        draft.id,
        action,
        spec,
        changes,
        draft.operations or (),
        before,
        decision,
        draft.spec_path,
        notices,
    )


def _has_other_document(change: PlannedChange) -> bool:
    return any(member.path[:2] in _DOCUMENTS for member in change.changes)


def _lifecycles(drafts: Sequence[Draft], excerpt: CatalogExcerpt) -> dict[str, Lifecycle]:
    """Return where in their lives services are, as the request has them, else as the catalog does."""
    known = {one.id: one.lifecycle for one in excerpt.resources.values() if isinstance(one, ServiceResource)}
    stated = {
        draft.id: Lifecycle.of(draft.spec)
        for draft in drafts
        if draft.kind is ResourceKind.SERVICE and draft.spec is not None
    }
    return known | stated


def _stage_conflicts(drafts: Sequence[Draft], excerpt: CatalogExcerpt) -> Iterator[Violation]:
    """Yield each service that would come into a stage which does not follow its own."""
    for draft in drafts:
        before = excerpt.resources.get(draft.key)
        if not isinstance(before, ServiceResource) or draft.spec is None:
            continue
        try:
            move(before.lifecycle.stage, Lifecycle.of(draft.spec).stage)
        except StageConflictError as conflict:
            place = ("lifecycle", "stage") if "lifecycle" in draft.spec else ()
            yield Violation((*draft.spec_path, *place), conflict.text, conflict=True)


def _of_elsewhere(new: Sequence[Draft]) -> Iterator[Violation]:
    """Yield each new agreement that another catalog has in a status to which no manifest leads.

    Applying it would ask for it anew, as if nobody had revoked or rejected it.
    """
    for draft in new:
        status = draft.stated_status
        if draft.kind is not ResourceKind.AGREEMENT or status not in _NOT_APPLIED:
            continue
        vi = AgreementStatus(status).label_vi
        text = BilingualText(
            f"the agreement is {status} where it comes from, and not in this catalog: the operator restores "
            f"it with what was decided (lienthong restore); to ask for it anew, leave 'status' out",
            f"thoả thuận {vi} ở nơi xuất ra và chưa có trong danh mục này: đơn vị vận hành khôi phục cùng "
            f"các quyết định (lienthong restore); muốn đề nghị mới thì bỏ 'status'",
        )
        yield Violation((*draft.spec_path[:-1], "status"), text, conflict=True)


def _on_personal_data(drafts: Sequence[Draft], excerpt: CatalogExcerpt) -> Iterator[ResourceKey]:
    """Yield the agreements whose data are personal, by what the request or the catalog says of them."""
    provided = {draft.key: (draft.spec, draft.operations or ()) for draft in drafts if draft.spec is not None}
    for draft in drafts:
        if draft.kind is not ResourceKind.AGREEMENT or draft.spec is None:
            continue
        kind = ResourceKind.SERVICE if "service" in draft.spec else ResourceKind.EVENT_TYPE
        key = kind, str(draft.spec.get("service") or draft.spec.get("eventType"))
        operations = draft.spec.get("operations")
        if key in provided:
            if declared_personal(*provided[key], operations):
                yield draft.key
        elif key in excerpt.resources and is_personal(excerpt.resources[key], operations):
            yield draft.key


def _named(agreement: str, text: BilingualText, differs: Sequence[str]) -> BilingualText:
    """What is said of one agreement among many, with the terms that differ."""
    listed = ", ".join(differs)
    more = BilingualText(f" (differs in: {listed})", f" (khác ở: {listed})") if differs else _NOTHING
    return BilingualText(f"'{agreement}': {text.en}{more.en}", f"'{agreement}': {text.vi}{more.vi}")


def duplicates(drafts: Sequence[Draft]) -> Iterator[Violation]:
    """Yield each draft of something of which there is another draft before it."""
    first: dict[ResourceKey, Draft] = {}
    for draft in drafts:
        if first.setdefault(draft.key, draft) is not draft:
            yield Violation(
                draft.id_path,
                BilingualText(
                    f"the {draft.kind.noun} '{draft.id}' is in this request twice; keep one",
                    f"{draft.kind.noun_vi} '{draft.id}' xuất hiện hai lần trong yêu cầu; chỉ giữ một",
                ),
            )


def _operations(drafts: Sequence[Draft], excerpt: CatalogExcerpt) -> dict[str, tuple[ServiceOperation, ...]]:
    """Return the operations by service, the request's before the catalog's.

    A service of the request whose document cannot be read is left out: nothing is known of its operations.
    """
    known = {
        resource.id: resource.operations
        for resource in excerpt.resources.values()
        if isinstance(resource, ServiceResource)
    }
    for draft in drafts:
        if draft.kind is ResourceKind.SERVICE:
            known.pop(draft.id, None)
    return known | {draft.id: draft.operations for draft in drafts if draft.operations is not None}


def _unchanged_agreements(drafts: Sequence[Draft], excerpt: CatalogExcerpt) -> dict[str, list[OpenAgreement]]:
    in_request = {draft.id for draft in drafts if draft.kind is ResourceKind.AGREEMENT}
    return {
        service: [agreement for agreement in agreements if agreement.id not in in_request]
        for service, agreements in excerpt.open_agreements.items()
    }


def _affected(changes: Sequence[PlannedChange], excerpt: CatalogExcerpt) -> Iterator[ResourceKey]:
    """Yield the systems whose agency gets another class, which messages about systems contain."""
    written = {change.key for change in changes if change.action != UNCHANGED}
    for change in changes:
        if change.kind is not ResourceKind.AGENCY:
            continue
        if any(member.path == ("spec", "class") for member in change.changes):
            for system in excerpt.systems.get(change.id, ()):
                if (ResourceKind.SYSTEM, system) not in written:
                    yield ResourceKind.SYSTEM, system
