"""What a person needs a role for who applies manifests: each part is asked for by its own action.

All or nothing: one part that no role allows refuses the whole, and the answer names every such part.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from lienthong.catalog.agreements.domain.lifecycle import AgreementStatus
from lienthong.catalog.apply.domain.destinations import x_road_clients
from lienthong.catalog.apply.domain.planning import UNCHANGED
from lienthong.catalog.domain.resources import ResourceKind, agency_of
from lienthong.catalog.errors import Violation
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

    Need = tuple[JsonPath, Action, str]
    """Where in the request, what has to be allowed, and on things of which agency."""

APPLYING = (
    Action.MANAGE_AGENCIES,
    Action.MANAGE_SYSTEMS,
    Action.MANAGE_SERVICES,
    Action.REQUEST_AGREEMENTS,
    Action.DECIDE_AGREEMENTS,
)
"""Who may do none of these anywhere has nothing to apply."""


def demand_somewhere(actor: Actor) -> None:
    """Refuse a person who may apply nothing, before the request is read.

    Raises:
        ProblemError: `role-required`.
    """
    if actor.is_person and not any(actor.may_somewhere(action) for action in APPLYING):
        raise role_required(Action.MANAGE_SYSTEMS, None)


def demand_rights(actor: Actor, drafts: Sequence[Draft]) -> None:
    """Refuse a person who may not apply one of these manifests, before anything is looked up.

    A manifest with mistakes is asked for by what can be read of it.

    Raises:
        ProblemError: `role-required`, with each place that needs more in `errors`.
    """
    if actor.is_person:
        _refuse(actor, (need for draft in drafts for need in _needs(draft)))


def demand_rights_before(actor: Actor, plan: ApplyPlan) -> None:
    """Refuse a person who would have the gateway be another member of X-Road, or change an agreement between
    other parties: a changed agreement is taken from
    those whom it was between as well as given to others, so that both sides are asked for.

    So is whoever decides on it, also while that is still to come: what an owner has read is what an approval
    is of, and is not exchanged for other terms meanwhile.

    Raises:
        ProblemError: `role-required`.
    """
    if not actor.is_person:
        return
    needs: list[Need] = list(x_road_clients(actor, plan))
    for index, change in enumerate(plan.changes):
        if change.kind is ResourceKind.AGREEMENT and change.before is not None and change.action != UNCHANGED:
            path = ("manifests", index, "spec")
            needs += _of_agreement(path, change.before.spec, decided=True)
            needs += _of_agreement(path, change.spec, decided=True)
    _refuse(actor, needs)


def foreign_names(actor: Actor, plan: ApplyPlan) -> Iterator[Violation]:
    """Yield each new agreement whose id is not in the name space of its calling system.

    Other names are given by those who act for the whole platform: else a person could take, or guess and
    block, the name of another system's agreement.
    """
    for index, change in _asked_for(actor, plan):
        own = str(change.spec["consumer"]).replace("/", ".")
        if change.id.rpartition(".")[0] != own:
            yield Violation(
                ("manifests", index, "metadata", "id"),
                BilingualText(
                    f"the id of an agreement that this system asks for begins with '{own}.'",
                    f"mã thoả thuận do hệ thống này đề nghị phải bắt đầu bằng '{own}.'",
                ),
            )


def registered(actor: Actor, plan: ApplyPlan) -> Mapping[str, int]:
    """How many new systems count towards what an agency may have, by the agency.

    Who registers systems for the whole platform is not held to it: whoever may raise the number may go past
    it, and an installation is set up from files of any size.
    """
    if actor.may(Action.MANAGE_SYSTEMS):
        return {}
    new = (one for one in plan.changes if one.kind is ResourceKind.SYSTEM and one.before is None)
    return Counter(agency_of(one.id) for one in new)


def asked_for(actor: Actor, plan: ApplyPlan) -> Mapping[str, Sequence[PlannedChange]]:
    """The new agreements that count towards what a system may ask for, by the calling system."""
    found: dict[str, list[PlannedChange]] = {}
    for _, change in _asked_for(actor, plan):
        found.setdefault(str(change.spec["consumer"]), []).append(change)
    return found


def _asked_for(actor: Actor, plan: ApplyPlan) -> Iterator[tuple[int, PlannedChange]]:
    """The new agreements of a person who does not act for the whole platform, with their places."""
    if not actor.is_person or actor.may(Action.REQUEST_AGREEMENTS):
        return
    for index, change in enumerate(plan.changes):
        if change.kind is ResourceKind.AGREEMENT and change.before is None:
            yield index, change


def _refuse(actor: Actor, needs: Iterable[Need]) -> None:
    missing = [need for need in needs if not actor.may(need[1], need[2])]
    if not missing:
        return
    _, action, agency = missing[0]
    errors = []
    for path, needed, where in missing:
        text = role_required(needed, where).detail
        errors.append({"pointer": pointer(path), "detail": text.en, "detail_vi": text.vi})
    raise role_required(action, agency, errors)


def _needs(draft: Draft) -> Iterator[Need]:
    path = draft.id_path
    match draft.kind:
        case ResourceKind.AGENCY:
            yield path, Action.MANAGE_AGENCIES, draft.id
            successor = (draft.spec or {}).get("replacedBy")
            if successor:
                yield (*draft.spec_path, "replacedBy"), Action.MANAGE_AGENCIES, str(successor)
        case ResourceKind.SYSTEM:
            yield path, Action.MANAGE_SYSTEMS, agency_of(draft.id)
        case ResourceKind.SERVICE | ResourceKind.EVENT_TYPE:
            yield path, Action.MANAGE_SERVICES, agency_of(draft.id)
        case ResourceKind.AGREEMENT if draft.spec is not None:
            approved = draft.spec["status"] == AgreementStatus.APPROVED
            yield from _of_agreement(draft.spec_path, draft.spec, decided=approved)
        case ResourceKind.AGREEMENT:
            # With mistakes in it, it is not applied: that the person may ask for some is enough to be told.
            pass


def _of_agreement(path: JsonPath, spec: JsonObject, *, decided: bool) -> Iterator[Need]:
    yield (*path, "consumer"), Action.REQUEST_AGREEMENTS, agency_of(str(spec["consumer"]))
    if decided:
        name = "service" if "service" in spec else "eventType"
        yield (*path, "status"), Action.DECIDE_AGREEMENTS, agency_of(str(spec[name]))
