"""What a person needs a role for who applies manifests: each part is asked for by its own action.

All or nothing: one part that no role allows refuses the whole, and the answer names every such part.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from lienthong.catalog.apply.domain.destinations import x_road_clients
from lienthong.catalog.apply.domain.planning import UNCHANGED
from lienthong.catalog.apply.domain.who import may
from lienthong.catalog.domain.comparison import dotted_path
from lienthong.catalog.domain.resources import ResourceKind, agency_of
from lienthong.catalog.errors import Violation
from lienthong.catalog.services.domain.lifecycle import HIDDEN
from lienthong.kit.json_pointer import pointer
from lienthong.kit.policy import Action
from lienthong.kit.problems.roles import role_required
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lienthong.catalog.apply.domain.planning import ApplyPlan, PlannedChange
    from lienthong.catalog.domain.drafts import Draft
    from lienthong.kit.actors import Actor
    from lienthong.kit.json_pointer import JsonPath
    from lienthong.kit.json_text import JsonObject


class Need(NamedTuple):
    """Where in the request, what has to be allowed, and on things of which agency.

    `of` names the agreement whose terms stand there, and which of them.
    """

    path: JsonPath
    action: Action
    agency: str
    of: BilingualText | None = None


APPLYING = (
    Action.MANAGE_AGENCIES,
    Action.MANAGE_SYSTEMS,
    Action.DRAFT_SERVICES,
    Action.MANAGE_SERVICES,
    Action.REQUEST_AGREEMENTS,
    Action.DECIDE_AGREEMENTS,
)
"""Who may do none of these anywhere has nothing to apply."""


def demand_somewhere(actor: Actor) -> None:
    """Refuse a person who may apply nothing, before the request is read. A system has things of its agency.

    Raises:
        ProblemError: `role-required`.
    """
    if actor.is_person and not any(actor.may_somewhere(action) for action in APPLYING):
        raise role_required(Action.MANAGE_SYSTEMS, None)


def demand_rights(actor: Actor, drafts: Sequence[Draft]) -> None:
    """Refuse who may not apply one of these manifests, before anything is looked up.

    A manifest with mistakes is asked for by what can be read of it. Agreements are asked for later, when it
    is known whether the catalog has them as they are written: `demand_rights_in_plan`.

    Raises:
        ProblemError: `role-required`, with each place that needs more in `errors`.
    """
    if not actor.is_operator:
        _refuse(actor, (need for draft in drafts for need in _needs(draft)))


def demand_rights_in_plan(actor: Actor, plan: ApplyPlan) -> None:
    """Refuse who would have the gateway be another member of X-Road, or make or change an agreement
    without the roles for it. An agreement that stays as it is needs none: nothing is done with it.

    A changed agreement is taken from those whom it was between as well as given to others, so that both
    sides are asked for. So is whoever decides on it, also while that is still to come: what an owner has read
    is what an approval is of, and is not exchanged for other terms meanwhile.

    Raises:
        ProblemError: `role-required`, with each place that needs more in `errors`, of an agreement that
            stands already with each term that would change.
    """
    if actor.is_operator:
        return
    needs = [Need(*one) for one in x_road_clients(actor, plan)]
    for change in plan.changes:
        if change.kind is ResourceKind.AGREEMENT and change.action != UNCHANGED:
            needs += _of_changed(change) if change.before is not None else _of_new(change)
    _refuse(actor, needs)


def foreign_names(actor: Actor, plan: ApplyPlan) -> Iterator[Violation]:
    """Yield each new agreement whose id is not in the name space of its calling system.

    Other names are given by those who act for the whole platform: else a person could take, or guess and
    block, the name of another system's agreement.
    """
    for change in _asked_for(actor, plan):
        own = str(change.spec["consumer"]).replace("/", ".")
        if change.id.rpartition(".")[0] != own:
            yield Violation(
                (*change.spec_path[:-1], "metadata", "id"),
                BilingualText(
                    f"the id of an agreement that this system asks for begins with '{own}.'",
                    f"mã thoả thuận do hệ thống này đề nghị phải bắt đầu bằng '{own}.'",
                ),
            )


def approved_alone(actor: Actor, plan: ApplyPlan) -> Iterator[Violation]:
    """Yield each agreement on personal data that somebody would approve by a file, and so alone.

    The operator's client brings in what was agreed before there was the platform, as it was agreed.
    """
    if actor.is_operator:
        return
    for change in plan.changes:
        if change.personal and change.before is None and change.decision is not None:
            yield Violation(
                (*change.spec_path, "status"),
                BilingualText(
                    "the data are personal, so two people of the providing agency approve it; leave 'status' "
                    "out to request it",
                    "dữ liệu cá nhân do hai người của cơ quan cung cấp cùng duyệt; bỏ 'status' để đề nghị",
                ),
            )


def registered(actor: Actor, plan: ApplyPlan) -> Mapping[str, int]:
    """How many new systems count towards what an agency may have, by the agency.

    Who registers systems for the whole platform is not held to it: whoever may raise the number may go past
    it, and an installation is set up from files of any size.
    """
    if may(actor, Action.MANAGE_SYSTEMS):
        return {}
    new = (one for one in plan.changes if one.kind is ResourceKind.SYSTEM and one.before is None)
    return Counter(agency_of(one.id) for one in new)


def asked_for(actor: Actor, plan: ApplyPlan) -> Mapping[str, Sequence[PlannedChange]]:
    """The new agreements that count towards what a system may ask for, by the calling system."""
    found: dict[str, list[PlannedChange]] = {}
    for change in _asked_for(actor, plan):
        found.setdefault(str(change.spec["consumer"]), []).append(change)
    return found


def _asked_for(actor: Actor, plan: ApplyPlan) -> Iterator[PlannedChange]:
    """The new agreements of whoever does not act for the whole platform."""
    if may(actor, Action.REQUEST_AGREEMENTS):
        return
    for change in plan.changes:
        if change.kind is ResourceKind.AGREEMENT and change.before is None:
            yield change


def _refuse(actor: Actor, needs: Iterable[Need]) -> None:
    missing = [need for need in needs if not may(actor, need.action, need.agency)]
    if not missing:
        return
    errors = []
    for need in missing:
        text = role_required(need.action, need.agency).detail
        if need.of is not None:
            text = BilingualText(f"{need.of.en}: {text.en}", f"{need.of.vi}: {text.vi}")
        errors.append({"pointer": pointer(need.path), "detail": text.en, "detail_vi": text.vi})
    raise role_required(missing[0].action, missing[0].agency, errors)


def _needs(draft: Draft) -> Iterator[Need]:
    path = draft.id_path
    match draft.kind:
        case ResourceKind.AGENCY:
            yield Need(path, Action.MANAGE_AGENCIES, draft.id)
            successor = (draft.spec or {}).get("replacedBy")
            if successor:
                yield Need((*draft.spec_path, "replacedBy"), Action.MANAGE_AGENCIES, str(successor))
        case ResourceKind.SYSTEM:
            yield Need(path, Action.MANAGE_SYSTEMS, agency_of(draft.id))
        case ResourceKind.SERVICE:
            # No published service becomes a draft again, so that nothing that others see is changed so. Of
            # one with mistakes nothing is applied.
            hidden = draft.spec is None or _stage(draft.spec) in HIDDEN
            action = Action.DRAFT_SERVICES if hidden else Action.MANAGE_SERVICES
            yield Need(path, action, agency_of(draft.id))
        case ResourceKind.EVENT_TYPE:
            yield Need(path, Action.MANAGE_SERVICES, agency_of(draft.id))
        case ResourceKind.AGREEMENT:
            pass


def _stage(spec: JsonObject) -> object:
    """The stage that a manifest names; None where it names none."""
    return spec.get("lifecycle", {}).get("stage")


def _of_new(change: PlannedChange) -> Iterator[Need]:
    """What it takes to ask for an agreement, and to decide on it where it is applied as approved."""
    request, decide = _parties(change.spec)
    yield Need((*change.spec_path, "consumer"), *request)
    if change.decision is not None:
        yield Need((*change.spec_path, "status"), *decide)


def _of_changed(change: PlannedChange) -> Iterator[Need]:
    """What it takes to change an agreement, at each term that changes."""
    before = {} if change.before is None else change.before.spec
    for action, agency in dict.fromkeys((*_parties(before), *_parties(change.spec))):
        for member in change.changes:
            term = dotted_path(member.path[1:])
            of = BilingualText(f"agreement '{change.id}', {term}", f"thoả thuận '{change.id}', {term}")
            yield Need((*change.spec_path, *member.path[1:]), action, agency, of)


def _parties(spec: JsonObject) -> tuple[tuple[Action, str], tuple[Action, str]]:
    """Who asks for an agreement, and who decides on it: the actions, each with the agency."""
    name = "service" if "service" in spec else "eventType"
    return (
        (Action.REQUEST_AGREEMENTS, agency_of(str(spec["consumer"]))),
        (Action.DECIDE_AGREEMENTS, agency_of(str(spec[name]))),
    )
