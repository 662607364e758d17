"""What an apply would do: drafts against what the catalog has, without touching anything.

References may point into the request or into the catalog, and the order inside a request does not matter.
Every mistake is named; a plan exists only when there is none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lienthong.catalog import agreements, diff, validity
from lienthong.catalog.kinds import WRITE_ORDER, Kind
from lienthong.catalog.mistakes import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from lienthong.catalog.diff import Change
    from lienthong.catalog.json_text import JsonObject
    from lienthong.catalog.kinds import Key
    from lienthong.catalog.openapi import Operation
    from lienthong.catalog.resources import Resource
    from lienthong.catalog.schemas.drafts import Draft


@dataclass(frozen=True, slots=True)
class State:
    """The part of the catalog that matters for a request: what it names and what depends on that.

    `agreements` are those in force, by the service they are about; `systems` are ids by agency.
    """

    resources: Mapping[Key, Resource]
    agreements: Mapping[str, Sequence[Resource]] = field(default_factory=dict)
    systems: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """What happens to one resource. `decision` is the status that an operator's manifest decides, if any."""

    kind: Kind
    id: str
    action: str
    spec: JsonObject
    changes: tuple[Change, ...]
    operations: tuple[Operation, ...]
    before: Resource | None
    decision: agreements.Status | None

    @property
    def key(self) -> Key:
        """What the step is about."""
        return self.kind, self.id


CREATED, UPDATED, UNCHANGED = "created", "updated", "unchanged"


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps in the order of the request, and what else looks different afterwards."""

    steps: tuple[Step, ...]
    touched: tuple[Key, ...]

    def writes(self) -> list[Step]:
        """Return the steps that change something, each after what it refers to."""
        changing = [step for step in self.steps if step.action != UNCHANGED]
        return sorted(changing, key=lambda step: WRITE_ORDER.index(step.kind))


def make(drafts: Sequence[Draft], state: State, now: datetime) -> tuple[Plan, list[Mistake]]:
    """Plan an apply: what it would do, and every mistake (in which case the plan must not be used)."""
    mistakes = [
        *_duplicates(drafts),
        *_dangling(drafts, state),
        *_ended(drafts, state, now),
        *_circles(drafts, state),
        *_operations(drafts, state),
    ]
    steps = []
    for draft in drafts:
        if draft.spec is None:
            continue
        try:
            steps.append(_step(draft, draft.spec, state.resources.get(draft.key)))
        except agreements.DecisionConflictError as conflict:
            mistakes.append(Mistake.at((*draft.at, "status"), conflict.en, conflict.vi, conflict=True))
    return Plan(tuple(steps), tuple(_touched(steps, state))), mistakes


def _step(draft: Draft, spec: JsonObject, before: Resource | None) -> Step:
    decision: agreements.Status | None = None
    if draft.kind is Kind.AGREEMENT:
        declared = agreements.Status(spec["status"])
        if before is None:
            decision = declared if declared is agreements.Status.APPROVED else None
        else:
            decision = agreements.reapply(
                agreements.Status(before.status), declared, terms_changed=_terms(spec) != _terms(before.spec)
            )
            spec = spec | {"status": (decision or agreements.Status(before.status)).value}
    changes = tuple(diff.diff(before.declared(), spec, at=("spec",))) if before is not None else ()
    action = CREATED if before is None else UPDATED if changes else UNCHANGED
    return Step(draft.kind, draft.id, action, spec, changes, draft.operations, before, decision)


def _terms(spec: JsonObject) -> JsonObject:
    return {name: value for name, value in spec.items() if name != "status"}


def _duplicates(drafts: Sequence[Draft]) -> Iterator[Mistake]:
    first: dict[Key, Draft] = {}
    for draft in drafts:
        other = first.setdefault(draft.key, draft)
        if other is not draft:
            yield Mistake.at(
                draft.id_at,
                f"the {draft.kind.word} '{draft.id}' is in this request twice; keep one",
                f"{draft.kind.word_vi} '{draft.id}' xuất hiện hai lần trong yêu cầu; chỉ giữ một",
            )


def _dangling(drafts: Sequence[Draft], state: State) -> Iterator[Mistake]:
    here = {draft.key for draft in drafts}
    for draft in drafts:
        for place, key in draft.references:
            if key not in here and key not in state.resources:
                kind, identity = key
                yield Mistake.at(
                    place,
                    f"there is no {kind.word} '{identity}', neither in the catalog nor in this request; "
                    f"apply it first or together with this",
                    f"không có {kind.word_vi} '{identity}' trong danh mục hay trong yêu cầu này; "
                    f"hãy áp dụng nó trước hoặc cùng lúc",
                )


def _ended(drafts: Sequence[Draft], state: State, now: datetime) -> Iterator[Mistake]:
    """Nothing new begins under a code that has ended."""
    specs = _specs(drafts, state)
    for draft in drafts:
        if draft.kind is not Kind.SYSTEM or draft.key in state.resources:
            continue
        for place, key in draft.references:
            agency = specs.get(key, {})
            if "validTo" in agency and validity.read(agency["validTo"]) <= now:
                heir = agency.get("replacedBy")
                yield Mistake.at(
                    place,
                    f"the agency code '{key[1]}' ended on {agency['validTo']}"
                    + (f"; use '{heir}', which replaced it" if heir else ""),
                    f"mã cơ quan '{key[1]}' hết hiệu lực từ {agency['validTo']}"
                    + (f"; hãy dùng mã thay thế '{heir}'" if heir else ""),
                )


def _circles(drafts: Sequence[Draft], state: State) -> Iterator[Mistake]:
    specs = _specs(drafts, state)
    for draft in drafts:
        if draft.kind is not Kind.AGENCY or draft.spec is None:
            continue
        seen = {draft.id}
        heir = draft.spec.get("replacedBy")
        while heir is not None and heir not in seen:
            seen.add(heir)
            heir = specs.get((Kind.AGENCY, heir), {}).get("replacedBy")
        if heir == draft.id and len(seen) > 1:
            yield Mistake.at(
                (*draft.at, "replacedBy"),
                f"'{draft.spec['replacedBy']}' is itself replaced by '{draft.id}' in the end; break the "
                f"circle",
                f"'{draft.spec['replacedBy']}' cuối cùng lại được thay bằng '{draft.id}'; hãy bỏ vòng lặp",
            )


def _operations(drafts: Sequence[Draft], state: State) -> Iterator[Mistake]:
    """Agreements name operations that exist, and a service keeps those that agreements in force name."""
    offered = {
        draft.id: {operation.id for operation in draft.operations} for draft in drafts if draft.operations
    }
    unreadable = {draft.id for draft in drafts if draft.kind is Kind.SERVICE} - offered.keys()
    being_applied = {draft.id for draft in drafts if draft.kind is Kind.AGREEMENT}
    for draft in drafts:
        if draft.kind is Kind.AGREEMENT and draft.spec is not None and "service" in draft.spec:
            service = draft.spec["service"]
            known = offered.get(service)
            if known is None and service not in unreadable:
                resource = state.resources.get((Kind.SERVICE, service))
                known = {operation.id for operation in resource.operations} if resource is not None else None
            for index, name in enumerate(draft.spec.get("operations", ())):
                if known is not None and name not in known:
                    yield Mistake.at(
                        (*draft.at, "operations", index),
                        f"'{service}' has no operation '{name}'; it has: {_listed(known)}",
                        f"'{service}' không có thao tác '{name}'; các thao tác hiện có: {_listed(known)}",
                    )
        if draft.kind is Kind.SERVICE and draft.id in offered:
            for agreement in state.agreements.get(draft.id, ()):
                gone = [
                    name for name in agreement.spec.get("operations", ()) if name not in offered[draft.id]
                ]
                if gone and agreement.id not in being_applied:
                    yield Mistake.at(
                        (*draft.at, "openapi", "paths"),
                        f"the agreement '{agreement.id}' in force names the operation '{gone[0]}', "
                        f"which is gone; "
                        f"keep it, or change or revoke the agreement first",
                        f"thoả thuận '{agreement.id}' đang có hiệu lực dùng thao tác '{gone[0]}' đã bị bỏ; "
                        f"hãy giữ lại, hoặc sửa hay thu hồi thoả thuận trước",
                    )


def _touched(steps: Sequence[Step], state: State) -> Iterator[Key]:
    """A system shows its agency's class; name those whose agency got another one."""
    written = {step.key for step in steps if step.action != UNCHANGED}
    for step in steps:
        if step.kind is Kind.AGENCY and any(change.path == ("spec", "class") for change in step.changes):
            for identity in state.systems.get(step.id, ()):
                if (Kind.SYSTEM, identity) not in written:
                    yield Kind.SYSTEM, identity


def _specs(drafts: Sequence[Draft], state: State) -> dict[Key, JsonObject]:
    specs = {key: resource.spec for key, resource in state.resources.items()}
    return specs | {draft.key: draft.spec for draft in drafts if draft.spec is not None}


def _listed(names: set[str], limit: int = 10) -> str:
    shown = ", ".join(sorted(names)[:limit])
    return shown + (", …" if len(names) > limit else "")
