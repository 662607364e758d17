"""What the exchange knows of the catalog: an immutable view of its resources."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeVar

from lienthong.contracts.catalog.v1 import routes_pb2 as contract
from lienthong.kit.problems.not_in_force import Expired, NotYetValid, Pending, Revoked, Suspended

if TYPE_CHECKING:
    from lienthong.kit.catalog import CatalogState
    from lienthong.kit.problems.not_in_force import NotInForce

KINDS = (
    contract.RESOURCE_KIND_SYSTEM,
    contract.RESOURCE_KIND_AGREEMENT,
    contract.RESOURCE_KIND_EVENT_TYPE,
)
"""The kinds of resources that the exchange asks the catalog for."""
_MOST_KEPT: Final = 256
"""Systems, and event types with their schemas, that are kept as they were read."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Participant:
    """A system that publishes or receives events."""

    id: str
    active: bool


@dataclass(frozen=True, slots=True)
class EventType:
    """A kind of event; `schema` is the JSON Schema of the payload, as JSON text."""

    id: str
    system_id: str
    active: bool
    schema: str


@dataclass(frozen=True, slots=True)
class EventAgreement:
    """An agreement on an event type; without `valid_to` it is open-ended. Of rejected ones none is heard."""

    id: str
    status: contract.AgreementStatus.ValueType
    valid_from: datetime | None
    valid_to: datetime | None

    def not_in_force(self, moment: datetime) -> NotInForce | None:
        """Why the agreement permits nothing at `moment`; None if it is in force.

        An approved agreement is in force from `valid_from` to before `valid_to`.
        """
        if self.status != contract.AGREEMENT_STATUS_APPROVED:
            if self.status == contract.AGREEMENT_STATUS_SUSPENDED:
                return Suspended(self.id)
            revoked = self.status == contract.AGREEMENT_STATUS_REVOKED
            return Revoked(self.id) if revoked else Pending(self.id)
        if self.valid_to is not None and self.valid_to <= moment:
            return Expired(self.id, self.valid_to)
        if self.valid_from is not None and moment < self.valid_from:
            return NotYetValid(self.id, self.valid_from)
        return None


class EventCatalog:
    """Systems, event types and the agreements on them, at one version of the catalog.

    Some that were asked for are kept as they were read: the same ones are asked for again and again.
    """

    __slots__ = ("_event_types", "_state", "_systems")

    def __init__(self, state: CatalogState) -> None:
        self._state = state
        self._systems: dict[str, Participant] = {}
        self._event_types: dict[str, EventType] = {}

    def is_of(self, state: CatalogState) -> bool:
        """Whether this is what that state says."""
        return self._state is state

    def system(self, system_id: str) -> Participant | None:
        """A system; None where the catalog has none of this id."""
        found = self._systems.get(system_id)
        if found is None:
            message = self._state.get(contract.RESOURCE_KIND_SYSTEM, system_id.encode())
            if message is None:
                return None
            found = _participant(contract.System.FromString(message))
            _keep(self._systems, system_id, found)
        return found

    def event_type(self, event_type_id: str) -> EventType | None:
        """An event type; None where the catalog has none of this id."""
        found = self._event_types.get(event_type_id)
        if found is None:
            message = self._state.get(contract.RESOURCE_KIND_EVENT_TYPE, event_type_id.encode())
            if message is None:
                return None
            found = _event_type(contract.EventType.FromString(message))
            _keep(self._event_types, event_type_id, found)
        return found

    def agreements(self, consumer_id: str, event_type_id: str) -> list[EventAgreement]:
        """The agreements of a consumer on an event type, by id; the catalog sends no rejected ones."""
        found = (
            (agreement_id, contract.Agreement.FromString(message))
            for agreement_id, message in self._state.agreements_between(consumer_id, event_type_id)
        )
        return [_agreement(agreement_id, message) for agreement_id, message in found if message.event_type_id]


def _keep(kept: dict[str, T], key: str, value: T) -> None:
    if len(kept) >= _MOST_KEPT:
        kept.clear()
    kept[key] = value


def _participant(message: contract.System) -> Participant:
    return Participant(id=message.id, active=message.status == contract.STATUS_ACTIVE)


def _event_type(message: contract.EventType) -> EventType:
    return EventType(
        id=message.id,
        system_id=message.system_id,
        active=message.status == contract.STATUS_ACTIVE,
        schema=message.data_schema,
    )


def _agreement(agreement_id: str, message: contract.Agreement) -> EventAgreement:
    return EventAgreement(
        id=agreement_id,
        status=message.status,
        valid_from=message.valid_from.ToDatetime(UTC) if message.HasField("valid_from") else None,
        valid_to=message.valid_to.ToDatetime(UTC) if message.HasField("valid_to") else None,
    )
