"""What the exchange knows of the catalog: an immutable value, and how an update leads to the next one."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from lienthong.contracts.catalog.v1 import routes_pb2 as contract
from lienthong.kit.problems.not_in_force import Expired, NotYetValid, Pending, Revoked
from lienthong.kit.replica import VersionGapError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lienthong.kit.problems.not_in_force import NotInForce

ResourceId = tuple[int, str]
"""A resource's kind and id."""

KINDS = (
    contract.RESOURCE_KIND_SYSTEM,
    contract.RESOURCE_KIND_AGREEMENT,
    contract.RESOURCE_KIND_EVENT_TYPE,
)
"""The kinds of resources that the exchange asks the catalog for."""


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
    """An agreement on an event type that is not rejected; without `valid_to` it is open-ended."""

    id: str
    status: contract.AgreementStatus.ValueType
    valid_from: datetime | None
    valid_to: datetime | None

    def not_in_force(self, moment: datetime) -> NotInForce | None:
        """Why the agreement permits nothing at `moment`; None if it is in force.

        An approved agreement is in force from `valid_from` to before `valid_to`.
        """
        if self.status != contract.AGREEMENT_STATUS_APPROVED:
            revoked = self.status == contract.AGREEMENT_STATUS_REVOKED
            return Revoked(self.id) if revoked else Pending(self.id)
        if self.valid_to is not None and self.valid_to <= moment:
            return Expired(self.id, self.valid_to)
        if self.valid_from is not None and moment < self.valid_from:
            return NotYetValid(self.id, self.valid_from)
        return None


@dataclass(frozen=True, slots=True)
class EventCatalog:
    """Systems, event types and the agreements on them, at one version of the catalog."""

    version: int
    resources: Mapping[ResourceId, contract.Resource]
    systems: Mapping[str, Participant] = field(default_factory=dict)
    event_types: Mapping[str, EventType] = field(default_factory=dict)
    agreements: Mapping[tuple[str, str], tuple[EventAgreement, ...]] = field(default_factory=dict)
    """By consumer and event type."""

    @staticmethod
    def of(version: int, resources: Iterable[contract.Resource]) -> EventCatalog:
        """The value that the catalog's resources at one version give; kinds not needed here are left out."""
        kept = {id_of(resource.key): resource for resource in resources if resource.key.kind in KINDS}
        agreements: dict[tuple[str, str], tuple[EventAgreement, ...]] = defaultdict(tuple)
        systems: dict[str, Participant] = {}
        event_types: dict[str, EventType] = {}
        for resource in kept.values():
            match resource.WhichOneof("body"):
                case "system":
                    systems[resource.system.id] = _participant(resource.system)
                case "event_type":
                    event_types[resource.event_type.id] = _event_type(resource.event_type)
                case "agreement" if resource.agreement.event_type_id and _may_permit(resource.agreement):
                    parties = (resource.agreement.consumer_id, resource.agreement.event_type_id)
                    agreements[parties] += (_agreement(resource.agreement),)
        return EventCatalog(
            version=version,
            resources=MappingProxyType(kept),
            systems=MappingProxyType(systems),
            event_types=MappingProxyType(event_types),
            agreements=MappingProxyType(dict(agreements)),
        )

    def snapshot(self) -> contract.Snapshot:
        """The message that gives this value again; what the copy on disk holds."""
        return contract.Snapshot(version=self.version, resources=self.resources.values())


def fold(catalog: EventCatalog | None, update: contract.WatchResponse) -> EventCatalog:
    """What is known after `update`, when `catalog` was known before it (None: nothing yet).

    A heartbeat that confirms the known version gives `catalog` itself.

    Raises:
        VersionGapError: a delta or heartbeat is about another version than the one known.
    """
    match update.WhichOneof("update"):
        case "snapshot":
            return EventCatalog.of(update.snapshot.version, update.snapshot.resources)
        case "delta" if catalog is not None and update.delta.from_version == catalog.version:
            return _after(catalog, update.delta)
        case "heartbeat" if catalog is not None and update.heartbeat.version == catalog.version:
            return catalog
        case kind:
            known = "nothing" if catalog is None else f"version {catalog.version}"
            raise VersionGapError(f"{kind or 'an empty update'} does not continue from {known}")


def id_of(key: contract.ResourceKey) -> ResourceId:
    """A resource's key as a value that can be a dictionary's key."""
    return (int(key.kind), key.id)


def _after(catalog: EventCatalog, delta: contract.Delta) -> EventCatalog:
    resources = dict(catalog.resources)
    for removed in delta.removals:
        resources.pop(id_of(removed), None)
    resources.update((id_of(resource.key), resource) for resource in delta.upserts)
    return EventCatalog.of(delta.to_version, resources.values())


def _participant(message: contract.System) -> Participant:
    return Participant(id=message.id, active=message.status == contract.STATUS_ACTIVE)


def _event_type(message: contract.EventType) -> EventType:
    return EventType(
        id=message.id,
        system_id=message.system_id,
        active=message.status == contract.STATUS_ACTIVE,
        schema=message.data_schema,
    )


def _may_permit(message: contract.Agreement) -> bool:
    """Whether the agreement permits events at some time or is worth reporting: all but the rejected ones."""
    return message.status in {
        contract.AGREEMENT_STATUS_REQUESTED,
        contract.AGREEMENT_STATUS_APPROVED,
        contract.AGREEMENT_STATUS_REVOKED,
    }


def _agreement(message: contract.Agreement) -> EventAgreement:
    return EventAgreement(
        id=message.id,
        status=message.status,
        valid_from=message.valid_from.ToDatetime(UTC) if message.HasField("valid_from") else None,
        valid_to=message.valid_to.ToDatetime(UTC) if message.HasField("valid_to") else None,
    )
