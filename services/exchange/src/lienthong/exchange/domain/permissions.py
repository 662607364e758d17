"""Who may publish and who may receive: decisions on plain values, denied by default."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from lienthong.exchange import errors
from lienthong.exchange.domain.catalog import AgreementState, EventAgreement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lienthong.exchange.domain.catalog import EventCatalog, EventType
    from lienthong.kit.problems import ProblemError


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
        agreements = {
            agreement.state_at(now): agreement
            for agreement in catalog.agreements.get((client_id, event_type_id), ())
        }
        if AgreementState.IN_FORCE not in agreements:
            raise _refusal(event_type_id, agreements)
    _refuse_suspended(catalog, event_type)
    return event_type


def _refusal(event_type_id: str, agreements: Mapping[AgreementState, EventAgreement]) -> ProblemError:
    """The problem that tells a client why none of its agreements on an event type is in force.

    Of several agreements it names the one that is closest to being in force: one that begins later, else one
    that awaits a decision, else one that has to be requested anew.
    """
    match agreements:
        case {AgreementState.NOT_YET_VALID: EventAgreement(id=name, valid_from=datetime() as valid_from)}:
            return errors.agreement_not_yet_valid(name, event_type_id, valid_from)
        case {AgreementState.PENDING: EventAgreement(id=name)}:
            return errors.agreement_pending(name, event_type_id)
        case {AgreementState.EXPIRED: EventAgreement(id=name, valid_to=datetime() as valid_to)}:
            return errors.agreement_expired(name, event_type_id, valid_to)
        case {AgreementState.REVOKED: EventAgreement(id=name)}:
            return errors.agreement_revoked(name, event_type_id)
        case _:
            return errors.no_agreement(event_type_id)


def _known(catalog: EventCatalog, client_id: str, event_type_id: str) -> EventType:
    client = catalog.systems.get(client_id)
    if client is None or not client.active:
        raise errors.client_suspended(client_id)
    event_type = catalog.event_types.get(event_type_id)
    if event_type is None:
        raise errors.unknown_event_type(event_type_id)
    return event_type


def _refuse_suspended(catalog: EventCatalog, event_type: EventType) -> None:
    provider = catalog.systems.get(event_type.system_id)
    if provider is None or not provider.active or not event_type.active:
        raise errors.provider_suspended(event_type.id)
