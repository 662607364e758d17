"""Requests for agreements: reading them, and how many of them a system may make."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from lienthong.catalog import errors
from lienthong.catalog.agencies.domain.succession import ended
from lienthong.catalog.agreements.domain.lifecycle import AgreementStatus, DecisionConflictError, reapply
from lienthong.catalog.agreements.domain.offered import not_offered
from lienthong.catalog.agreements.domain.operations import unknown_operations
from lienthong.catalog.agreements.domain.terms import PARTIES
from lienthong.catalog.agreements.repository.agreements import AgreementRepository
from lienthong.catalog.agreements.schemas import AgreementSpec, AmendmentRequest
from lienthong.catalog.domain.drafts import missing_references
from lienthong.catalog.domain.identifiers import SystemId, requested_agreement_id
from lienthong.catalog.domain.resources import ResourceKind, agency_of
from lienthong.catalog.errors import InvalidValueError, Violation, raise_for
from lienthong.catalog.schemas.specs import read_id, read_spec, unportable, validate
from lienthong.catalog.services.domain.service import ServiceResource
from lienthong.kit.policy import Action
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lienthong.catalog.agreements.domain.agreement import AgreementResource
    from lienthong.catalog.domain.drafts import Draft
    from lienthong.catalog.domain.resources import Resource, ResourceKey
    from lienthong.catalog.service.unit_of_work import CatalogView
    from lienthong.kit.actors import Actor
    from lienthong.kit.ids import NewId
    from lienthong.kit.json_text import Json, JsonObject
    from lienthong.kit.rates import TokenBuckets

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """How many requests of one system may wait for a decision, and for how many days each does.

    `per_day` is how many may be made within 24 hours, whatever becomes of them.
    """

    open_per_system: int
    lapse_after_days: int
    per_day: int
    decide_within_days: int
    """Until when an owner should decide, counted from when the owner is asked."""


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """What could be read of a request, and every violation; `is_draft` asks nobody yet."""

    draft: Draft
    violations: list[Violation]
    is_draft: bool


@dataclass(frozen=True, slots=True)
class AgreementRates:
    """How often each client may ask for agreements, and decide on them."""

    requests: TokenBuckets
    decisions: TokenBuckets


def read_request(body: Json, actor: Actor, new_id: NewId) -> ReadRequest:
    """Read the body of a request: what could be read of it, and every violation.

    Raises:
        ProblemError: `invalid-manifests`, the body is no object, or of characters that cannot be kept.
        ProblemError: `not-allowed`, a system requests an agreement for another one; `role-required`, a person
            for a system of an agency for which no role allows it.
    """
    raise_for(unportable(body))
    if not isinstance(body, dict):
        raise errors.invalid_manifests(
            [Violation((), BilingualText("must be an object", "phải là một đối tượng"))]
        )
    violations: list[Violation] = []
    spec = dict(body)
    given = spec.pop("id", None)
    is_draft = spec.get("status") == AgreementStatus.DRAFT
    if is_draft:
        del spec["status"]
    if actor.is_system:
        spec.setdefault("consumer", actor.name)
    agreement_id: str | None = new_id()
    if given is not None and not isinstance(given, str):
        agreement_id, violations = (
            None,
            [Violation(("id",), BilingualText("must be text", "phải là văn bản"))],
        )
    elif given is not None:
        agreement_id, violations = _read_id(given, actor, spec.get("consumer"))
    draft, wrong = read_spec(AgreementSpec, agreement_id, spec, spec_path=(), id_path=("id",))
    violations += wrong
    if spec.get("status") == AgreementStatus.APPROVED:
        violations.append(
            Violation(
                ("status",),
                BilingualText(
                    "a request cannot approve itself; leave 'status' out",
                    "bên đề nghị không tự duyệt; hãy bỏ trường 'status'",
                ),
            )
        )
    consumers = [key[1] for path, key in draft.references if path == ("consumer",)]
    if actor.is_person:
        # Whose system it is for, the role has to reach; where that cannot be read, nothing is requested.
        actor.demand_somewhere(Action.REQUEST_AGREEMENTS)
        for consumer in consumers:
            actor.demand(Action.REQUEST_AGREEMENTS, agency_of(consumer))
    elif actor.is_system and consumers and consumers != [actor.name]:
        raise errors.not_allowed(
            f"A system requests agreements for itself only; you are '{actor.name}'.",
            f"Hệ thống chỉ được đề nghị cho chính mình; bạn là '{actor.name}'.",
        )
    return ReadRequest(draft, violations, is_draft)


def read_change(body: Json, agreement: AgreementResource) -> tuple[Draft, list[Violation]]:
    """Read new terms of an agreement, whose parties they may leave out but not change.

    Raises:
        ProblemError: `invalid-manifests`, the body is no object, or of characters that cannot be kept.
    """
    raise_for(unportable(body))
    if not isinstance(body, dict):
        raise errors.invalid_manifests(
            [Violation((), BilingualText("must be an object", "phải là một đối tượng"))]
        )
    given = {name: value for name, value in body.items() if value is not None}
    parties = {name: agreement.spec[name] for name in PARTIES if name in agreement.spec}
    draft, violations = read_spec(
        AgreementSpec, agreement.id, {**parties, **given}, spec_path=(), id_path=("id",)
    )
    if draft.spec is not None:
        violations += [
            Violation((name,), _OTHER_PARTIES)
            for name in PARTIES
            if draft.spec.get(name) != agreement.spec.get(name)
        ]
    if "status" in given:
        violations.append(Violation(("status",), _NO_STATUS))
    return draft, violations


def read_amendment(body: Json, agreement: AgreementResource) -> tuple[JsonObject, str, list[Violation]]:
    """Read the body of a request for an amendment: all terms as they would be, and why.

    `terms` names those that change; one that is null is taken out (RFC 7396).

    Raises:
        ProblemError: `invalid-manifests`, the body is of characters that cannot be kept.
    """
    raise_for(unportable(body))
    parsed, violations = validate(AmendmentRequest, body, ())
    if parsed is None:
        return {}, "", violations
    terms = {**agreement.spec, **parsed.terms}
    return {name: value for name, value in terms.items() if value is not None}, parsed.reason, violations


_OTHER_PARTIES = BilingualText(
    "is what the agreement is about, and stays; make a new request for another one",
    "là đối tượng của thoả thuận, không đổi được; hãy lập đề nghị mới",
)
_NO_STATUS = BilingualText(
    "changes by a step of its own, such as 'submit'; leave it out",
    "chỉ đổi bằng thao tác riêng, ví dụ 'submit'; hãy bỏ trống",
)


def _read_id(given: str, actor: Actor, consumer: Json) -> tuple[str | None, list[Violation]]:
    """Return the id that a request asks for, in the name space of the system that it is for."""
    if actor.is_operator:
        return read_id(AgreementSpec, given, ("id",))
    try:
        system = actor.name if actor.is_system else str(SystemId.parse(str(consumer)))
    except InvalidValueError:
        # The violation stands at the consumer.
        return None, []
    try:
        return requested_agreement_id(system, given), []
    except InvalidValueError as reason:
        return None, [Violation(("id",), reason.text)]


async def check_references(draft: Draft, violations: Sequence[Violation], view: CatalogView) -> None:
    """Check a request against the catalog.

    Raises:
        ProblemError: `invalid-manifests`, there are violations, these or more.
    """
    existing: dict[ResourceKey, Resource] = {}
    for _, (kind, resource_id) in draft.references:
        existing |= {
            resource.key: resource for resource in (await view.resources(kind).load([resource_id])).values()
        }
    services = {one.id: one for one in existing.values() if isinstance(one, ServiceResource)}
    for service in services.values():
        if not service.lifecycle.stage.is_shown:
            # Who asks is told what anyone is told of a service that is not there.
            del existing[service.key]
    lifecycles = {name: one.lifecycle for name, one in services.items() if one.key in existing}
    raise_for(
        [
            *violations,
            *missing_references([draft], existing),
            *not_offered([draft], lifecycles, view.now),
            *unknown_operations([draft], {name: services[name].operations for name in lifecycles}),
        ]
    )


async def check_agencies(draft: Draft, view: CatalogView) -> None:
    """Check that the agencies of both sides of a new agreement have not ended.

    Raises:
        ProblemError: `conflict`, one has; it names its successor.
    """
    found: list[Violation] = []
    for path, (kind, resource_id) in draft.references:
        resource: Resource = await view.get((kind, resource_id))
        agency = await view.get((ResourceKind.AGENCY, resource.agency))
        found += ended(path, agency.id, agency.spec, view.now)
    raise_for(found)


async def check_limits(
    limits: RequestLimits, system: str, view: CatalogView, *, new: int = 1, waiting: int = 1
) -> None:
    """Check that a system may make so many new agreements, of which so many wait for a decision.

    Raises:
        ProblemError: `too-many-open-requests`; `rate-limited`, it has made too many within a day.
    """
    agreements = AgreementRepository(view.session)
    if waiting and await agreements.count_waiting(system) + waiting > limits.open_per_system:
        raise errors.too_many_open_requests(system, limits.open_per_system, limits.lapse_after_days)
    if new > limits.per_day:
        raise errors.too_many_requests_in_a_day(system, limits.per_day, _DAY)
    # Decisions make room among those that wait; every request is kept for ever all the same.
    made = await agreements.created_after(system, view.now - _DAY, limits.per_day - new + 1)
    if made is not None:
        raise errors.too_many_requests_in_a_day(system, limits.per_day, made + _DAY - view.now)


def check_same_request(before: AgreementResource, draft: Draft) -> None:
    """Check that a request is the one that an agreement was made of.

    Raises:
        ProblemError: `conflict`, another agreement has its id, or this one is decided for good.
    """
    if before.spec | {"status": AgreementStatus.REQUESTED.value} != draft.spec:
        raise errors.conflict(
            [
                Violation(
                    ("id",),
                    BilingualText(
                        f"another agreement has the id '{draft.id}'; use a new one",
                        f"mã '{draft.id}' đã thuộc về thoả thuận khác; hãy dùng mã mới",
                    ),
                    conflict=True,
                )
            ]
        )
    try:
        reapply(AgreementStatus(before.status), AgreementStatus.REQUESTED, terms_changed=False)
    except DecisionConflictError as conflict:
        raise errors.conflict([Violation(("id",), conflict.text, conflict=True)]) from None
