"""All queries of the catalog. A repository lives as long as one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import undefer

from lienthong.catalog import agreements
from lienthong.catalog.agreements import Decision
from lienthong.catalog.kinds import WRITE_ORDER, Kind
from lienthong.catalog.models import (
    AgencyRow,
    AgreementRow,
    ChangeRow,
    DecisionRow,
    EventTypeRow,
    Head,
    Kept,
    ServiceRow,
    SystemRow,
)
from lienthong.catalog.openapi import Operation
from lienthong.catalog.planning import State
from lienthong.catalog.resources import ACTIVE, Resource, agency_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Select
    from sqlalchemy.ext.asyncio import AsyncSession

    from lienthong.catalog.kinds import Key

    Rows = Select[*tuple[Any, ...]]

_ROWS: dict[Kind, type[Kept]] = {
    Kind.AGENCY: AgencyRow,
    Kind.SYSTEM: SystemRow,
    Kind.SERVICE: ServiceRow,
    Kind.EVENT_TYPE: EventTypeRow,
    Kind.AGREEMENT: AgreementRow,
}


class Repository:
    """Reads and writes resources within one session."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def head(self) -> int:
        """Return the version of the catalog."""
        return (await self._session.execute(select(Head.version))).scalar_one()

    async def lock_head(self) -> int:
        """Return the version and keep every other writer waiting until this transaction ends."""
        return (await self._session.execute(select(Head.version).with_for_update())).scalar_one()

    async def set_head(self, version: int) -> None:
        """Set the version of the catalog."""
        await self._session.execute(update(Head).values(version=version))

    async def get(self, key: Key) -> Resource | None:
        """Return one resource, a service with its OpenAPI document."""
        kind, identity = key
        return (await self.load(kind, [identity], documents=True, decisions=True)).get(key)

    async def load(
        self, kind: Kind, ids: Collection[str], *, documents: bool = False, decisions: bool = False
    ) -> dict[Key, Resource]:
        """Return those of the ids that exist, if wanted with OpenAPI documents and decisions."""
        if not ids:
            return {}
        query = _select(kind, documents).where(_ROWS[kind].id.in_(ids))
        return {resource.key: resource for resource in await self._read(kind, query, documents, decisions)}

    async def page(self, kind: Kind, after: str, limit: int) -> list[Resource]:
        """Return up to `limit` resources of a kind, in the order of their ids, from after an id on."""
        row = _ROWS[kind]
        query = _select(kind).where(row.id > after).order_by(row.id).limit(limit)
        return await self._read(kind, query, decided=True)

    async def every(self, kinds: Iterable[Kind]) -> list[Resource]:
        """Return everything of some kinds, without OpenAPI documents and decisions."""
        return [resource for kind in kinds for resource in await self._read(kind, _select(kind))]

    async def openapi(self, identity: str) -> dict[str, Any] | None:
        """Return the OpenAPI document of a service."""
        query = select(ServiceRow.openapi).where(ServiceRow.id == identity)
        return (await self._session.execute(query)).scalar_one_or_none()

    async def state(self, named: Collection[Key], referred: Collection[Key]) -> State:
        """Return what planning needs to know about the resources a request names and refers to."""
        resources: dict[Key, Resource] = {}
        for kind in WRITE_ORDER:
            ids = {identity for of, identity in named if of is kind}
            others = {identity for of, identity in referred if of is kind} - ids
            resources |= await self.load(kind, ids, documents=True)
            resources |= await self.load(kind, others)
        heirs = [
            str(resource.spec["replacedBy"])
            for resource in resources.values()
            if "replacedBy" in resource.spec
        ]
        resources |= await self.load(
            Kind.AGENCY, [code for code in heirs if (Kind.AGENCY, code) not in resources]
        )
        return State(
            resources,
            await self._agreements_in_force({identity for kind, identity in named if kind is Kind.SERVICE}),
            await self._systems({identity for kind, identity in named if kind is Kind.AGENCY}),
        )

    async def offers(self, system: str) -> list[Key]:
        """Return the services and event types of a system."""
        keys: list[Key] = []
        for kind, row in ((Kind.SERVICE, ServiceRow), (Kind.EVENT_TYPE, EventTypeRow)):
            query = select(row.id).where(row.system_id == system).order_by(row.id)
            keys += [(kind, identity) for identity in (await self._session.execute(query)).scalars()]
        return keys

    async def create(self, resources: Sequence[Resource]) -> None:
        """Add new resources, each after what it refers to."""
        for kind in WRITE_ORDER:
            rows = [_values(resource) for resource in resources if resource.kind is kind]
            if rows:
                await self._session.execute(insert(_ROWS[kind]), rows)

    async def update(self, resources: Sequence[Resource]) -> None:
        """Write resources that exist. A service that came without its document keeps the one it has."""
        for resource in resources:
            values = _values(resource)
            if resource.kind is Kind.SERVICE and resource.openapi is None:
                del values["openapi"]
            row = _ROWS[resource.kind]
            await self._session.execute(update(row).where(row.id == resource.id).values(values))

    async def add_decision(self, agreement: str, decision: Decision, version: int) -> None:
        """Record a decision."""
        await self._session.execute(
            insert(DecisionRow).values(
                version=version,
                agreement_id=agreement,
                status=decision.status.value,
                by=decision.by,
                at=decision.at,
                legal_ground=decision.legal_ground,
                reason=decision.reason,
            )
        )

    async def add_changes(
        self, versions: Mapping[Key, int], actor: str, transaction_id: str, at: datetime
    ) -> None:
        """Add rows to the change log."""
        rows = [
            {
                "version": version,
                "kind": kind.value,
                "resource_id": identity,
                "actor": actor,
                "transaction_id": transaction_id,
                "at": at,
            }
            for (kind, identity), version in versions.items()
        ]
        if rows:
            await self._session.execute(insert(ChangeRow), rows)

    async def changed_since(self, version: int, kinds: Sequence[Kind], limit: int) -> list[Key]:
        """Return up to `limit` resources of some kinds that changed after a version."""
        query = (
            select(ChangeRow.kind, ChangeRow.resource_id)
            .where(ChangeRow.version > version, ChangeRow.kind.in_([kind.value for kind in kinds]))
            .distinct()
            .limit(limit)
        )
        return [(Kind(kind), identity) for kind, identity in await self._session.execute(query)]

    async def _agreements_in_force(self, services: Collection[str]) -> dict[str, list[Resource]]:
        if not services:
            return {}
        in_force = [status.value for status in agreements.Status if status.in_force]
        query = _select(Kind.AGREEMENT).where(
            AgreementRow.service_id.in_(services), AgreementRow.status.in_(in_force)
        )
        found: dict[str, list[Resource]] = {}
        for resource in await self._read(Kind.AGREEMENT, query):
            found.setdefault(resource.provider, []).append(resource)
        return found

    async def _systems(self, agencies: Collection[str]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        if agencies:
            query = select(SystemRow.agency_id, SystemRow.id).where(SystemRow.agency_id.in_(agencies))
            for agency, identity in await self._session.execute(query.order_by(SystemRow.id)):
                found.setdefault(agency, []).append(identity)
        return found

    async def _read(
        self, kind: Kind, query: Rows, documents: bool = False, decided: bool = False
    ) -> list[Resource]:
        rows = (await self._session.execute(query)).all()
        decisions: dict[str, list[Decision]] = {}
        if kind is Kind.AGREEMENT and decided and rows:
            decisions = await self._decisions([row[0].id for row in rows])
        return [_resource(kind, row, decisions.get(row[0].id, []), documents) for row in rows]

    async def _decisions(self, ids: Collection[str]) -> dict[str, list[Decision]]:
        found: dict[str, list[Decision]] = {}
        query = select(DecisionRow).where(DecisionRow.agreement_id.in_(ids)).order_by(DecisionRow.version)
        for row in (await self._session.execute(query)).scalars():
            status = agreements.Status(row.status)
            found.setdefault(row.agreement_id, []).append(
                Decision(status, row.by, row.at, row.legal_ground, row.reason)
            )
        return found


def _select(kind: Kind, documents: bool = False) -> Rows:
    """Select the rows of a kind, beside each what it inherits from its owner."""
    match kind:
        case Kind.SYSTEM:
            return select(SystemRow, AgencyRow.member_class).join(
                AgencyRow, AgencyRow.id == SystemRow.agency_id
            )
        case Kind.SERVICE:
            query = select(ServiceRow, SystemRow.status).join(SystemRow, SystemRow.id == ServiceRow.system_id)
            return query.options(undefer(ServiceRow.openapi)) if documents else query
        case Kind.EVENT_TYPE:
            return select(EventTypeRow, SystemRow.status).join(
                SystemRow, SystemRow.id == EventTypeRow.system_id
            )
        case _:
            return select(_ROWS[kind])


def _resource(kind: Kind, found: Any, decisions: list[Decision], documents: bool) -> Resource:  # noqa: ANN401
    row, inherited = found[0], found[1] if len(found) > 1 else ""
    status, member_class = ACTIVE, ""
    match kind:
        case Kind.AGENCY:
            member_class = row.member_class
        case Kind.SYSTEM:
            status, member_class = row.status, inherited
        case Kind.SERVICE | Kind.EVENT_TYPE:
            status = inherited
        case Kind.AGREEMENT:
            status = row.status
    service = kind is Kind.SERVICE
    return Resource(
        kind,
        row.id,
        row.spec,
        status,
        row.version,
        row.created_at,
        row.updated_at,
        member_class,
        row.openapi if service and documents else None,
        tuple(Operation(**operation) for operation in row.operations) if service else (),
        tuple(decisions),
    )


def _values(resource: Resource) -> dict[str, Any]:
    values: dict[str, Any] = {
        "id": resource.id,
        "spec": resource.spec,
        "version": resource.version,
        "created_at": resource.created_at,
        "updated_at": resource.updated_at,
    }
    match resource.kind:
        case Kind.AGENCY:
            values |= {"member_class": resource.spec["class"]}
        case Kind.SYSTEM:
            values |= {"agency_id": agency_of(resource.id), "status": resource.status}
        case Kind.SERVICE:
            values |= {
                "system_id": resource.id.rpartition("/")[0],
                "openapi": resource.openapi,
                "operations": [operation.document() for operation in resource.operations],
            }
        case Kind.EVENT_TYPE:
            values |= {"system_id": resource.id.rpartition("/")[0]}
        case Kind.AGREEMENT:
            values |= {
                "consumer_id": resource.spec["consumer"],
                "service_id": resource.spec.get("service"),
                "event_type_id": resource.spec.get("eventType"),
                "status": resource.status,
            }
    return values
