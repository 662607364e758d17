"""What the exchange knows of the catalog: an immutable view, and how the next one follows from an update."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from lienthong.contracts.catalog.v1 import routes_pb2 as contract

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Key = tuple[int, str]

KINDS = (
    contract.RESOURCE_KIND_SYSTEM,
    contract.RESOURCE_KIND_AGREEMENT,
    contract.RESOURCE_KIND_EVENT_TYPE,
)


class MissedUpdateError(Exception):
    """A delta does not start where this view stands; watch again to get a snapshot."""


@dataclass(frozen=True, slots=True)
class System:
    """A system, as far as the exchange asks."""

    id: str
    active: bool


@dataclass(frozen=True, slots=True)
class EventType:
    """An event type; `schema` is the JSON Schema of the payload, as JSON text."""

    id: str
    system_id: str
    active: bool
    schema: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """An approved agreement on an event type; without `valid_to` it is open-ended."""

    id: str
    valid_from: datetime | None
    valid_to: datetime | None

    def valid_at(self, moment: datetime) -> bool:
        """Whether the agreement is in force at `moment`."""
        started = self.valid_from is None or self.valid_from <= moment
        return started and (self.valid_to is None or moment < self.valid_to)


@dataclass(frozen=True, slots=True)
class CatalogView:
    """Systems, event types and approved agreements on them, at one version of the catalog."""

    version: int
    resources: Mapping[Key, contract.Resource]
    systems: Mapping[str, System] = field(default_factory=dict)
    event_types: Mapping[str, EventType] = field(default_factory=dict)
    agreements: Mapping[tuple[str, str], tuple[Agreement, ...]] = field(default_factory=dict)
    """By consumer and event type."""

    @staticmethod
    def of(version: int, resources: Iterable[contract.Resource]) -> CatalogView:
        """Build the view of one version from the catalog's resources; kinds not needed here are left out."""
        kept = {key_of(resource.key): resource for resource in resources if resource.key.kind in KINDS}
        agreements: dict[tuple[str, str], tuple[Agreement, ...]] = defaultdict(tuple)
        systems: dict[str, System] = {}
        event_types: dict[str, EventType] = {}
        for resource in kept.values():
            match resource.WhichOneof("body"):
                case "system":
                    systems[resource.system.id] = _system(resource.system)
                case "event_type":
                    event_types[resource.event_type.id] = _event_type(resource.event_type)
                case "agreement" if resource.agreement.status == contract.AGREEMENT_STATUS_APPROVED:
                    parties = (resource.agreement.consumer_id, resource.agreement.event_type_id)
                    agreements[parties] += (_agreement(resource.agreement),)
        return CatalogView(
            version=version,
            resources=MappingProxyType(kept),
            systems=MappingProxyType(systems),
            event_types=MappingProxyType(event_types),
            agreements=MappingProxyType(dict(agreements)),
        )

    def after(self, delta: contract.Delta) -> CatalogView:
        """The view that follows from this one by `delta`.

        Raises:
            MissedUpdateError: the delta starts at another version than this view's.
        """
        if delta.from_version != self.version:
            raise MissedUpdateError(f"at version {self.version}, got a delta from {delta.from_version}")
        resources = dict(self.resources)
        for removed in delta.removals:
            resources.pop(key_of(removed), None)
        resources.update((key_of(resource.key), resource) for resource in delta.upserts)
        return CatalogView.of(delta.to_version, resources.values())

    def snapshot(self) -> contract.Snapshot:
        """The view as the message it came from, for the copy on disk."""
        return contract.Snapshot(version=self.version, resources=self.resources.values())


def key_of(key: contract.ResourceKey) -> Key:
    """A resource's key as a value that can be looked up."""
    return (int(key.kind), key.id)


def _system(message: contract.System) -> System:
    return System(id=message.id, active=message.status == contract.STATUS_ACTIVE)


def _event_type(message: contract.EventType) -> EventType:
    return EventType(
        id=message.id,
        system_id=message.system_id,
        active=message.status == contract.STATUS_ACTIVE,
        schema=message.data_schema,
    )


def _agreement(message: contract.Agreement) -> Agreement:
    return Agreement(
        id=message.id,
        valid_from=message.valid_from.ToDatetime(UTC) if message.HasField("valid_from") else None,
        valid_to=message.valid_to.ToDatetime(UTC) if message.HasField("valid_to") else None,
    )
