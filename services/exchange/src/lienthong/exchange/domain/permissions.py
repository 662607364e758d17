"""Who may publish and who may receive: decisions on plain values, denied by default."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.exchange import errors
from lienthong.kit.problems.not_in_force import nearest, refusal

if TYPE_CHECKING:
    from datetime import datetime

    from lienthong.exchange.domain.catalog import EventCatalog, EventType


def publishable(catalog: EventCatalog, client_id: str, event_type_id: str) -> EventType:
    """The event type, when `client_id` may publish to it: it is its own, and nothing is suspended.

    Raises:
        ProblemError: `unknown-event-type`, `client-suspended`, `not-the-provider` or `provider-suspended`.
    """
    event_type = _known(catalog, client_id, event_type_id)
    if event_type.system_id != client_id:
        raise errors.not_the_provider(event_type_id)
    _refuse_suspended(catalog, event_type)
    return event_type


def receivable(catalog: EventCatalog, client_id: str, event_type_id: str, now: datetime) -> EventType:
    """The event type, when `client_id` may receive it: its own, or by an agreement in force at `now`.

    Raises:
        ProblemError: `unknown-event-type`, `client-suspended` or `provider-suspended`; without an agreement
            in force `agreement-not-yet-valid`, `agreement-pending`, `agreement-expired`, `agreement-revoked`
            or `no-agreement`.
    """
    event_type = _known(catalog, client_id, event_type_id)
    if event_type.system_id != client_id:
        _refuse_without_agreement(catalog, client_id, event_type_id, now)
    _refuse_suspended(catalog, event_type)
    return event_type


def _refuse_without_agreement(
    catalog: EventCatalog, client_id: str, event_type_id: str, now: datetime
) -> None:
    reasons = []
    for agreement in catalog.agreements(client_id, event_type_id):
        reason = agreement.not_in_force(now)
        if reason is None:
            return
        reasons.append(reason)
    reported = nearest(reasons)
    raise errors.no_agreement(event_type_id) if reported is None else refusal(reported, event_type_id)


def _known(catalog: EventCatalog, client_id: str, event_type_id: str) -> EventType:
    client = catalog.system(client_id)
    if client is None or not client.active:
        raise errors.client_suspended(client_id)
    event_type = catalog.event_type(event_type_id)
    if event_type is None:
        raise errors.unknown_event_type(event_type_id)
    return event_type


def _refuse_suspended(catalog: EventCatalog, event_type: EventType) -> None:
    provider = catalog.system(event_type.system_id)
    if provider is None or not provider.active or not event_type.active:
        raise errors.provider_suspended(event_type.id)
