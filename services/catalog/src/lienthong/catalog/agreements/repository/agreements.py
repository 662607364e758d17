"""Queries on agreements and the decisions on them."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import Boolean, func, insert, literal_column, or_, select, update

from lienthong.catalog.agreements.domain.agreement import AgreementResource, AgreementStep
from lienthong.catalog.agreements.domain.lifecycle import AgreementAction, AgreementStatus
from lienthong.catalog.agreements.domain.operations import OpenAgreement, ServiceUse
from lienthong.catalog.agreements.domain.reminders import first_look
from lienthong.catalog.agreements.models import WAITS, AgreementRow, AgreementStepRow, AmendmentRow
from lienthong.catalog.agreements.repository.rows import (
    amendment_values,
    marked,
    read_amendment,
    read_step,
    step_values,
)
from lienthong.catalog.agreements.repository.watched import COLUMNS, watched, watched_agreements
from lienthong.catalog.event_types.models import EventTypeRow
from lienthong.catalog.repository import ResourceRepository, common_members
from lienthong.catalog.services.models import ServiceRow
from lienthong.catalog.systems.domain.system import Suspender
from lienthong.catalog.systems.models import SystemRow

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from datetime import datetime

    from sqlalchemy import ColumnElement, Select

    from lienthong.catalog.agreements.domain.amendment import Amendment
    from lienthong.catalog.agreements.domain.watched import WatchedAgreement
    from lienthong.catalog.domain.resources import WatchScope
    from lienthong.catalog.repository import Filters, Rows


# Written out, not a parameter: SQLite takes a partial index only for a condition that it can read.
_WAITING = literal_column(f"agreements.{WAITS}", Boolean)
_AMENDMENT_WAITS = literal_column(f"amendments.{WAITS}", Boolean)
_TURNS = {
    "owner": (AgreementStatus.REQUESTED.value, AgreementStatus.ENDORSED.value),
    "consumer": (AgreementStatus.DRAFT.value, AgreementStatus.INFORMATION_NEEDED.value),
}
"""Whose turn it is with an agreement, or an amendment, of which status."""


def _systems_of(agencies: Collection[str]) -> Select[str]:
    """The systems that agencies have now."""
    return select(SystemRow.id).where(SystemRow.agency_id.in_(agencies))


def _called_by(agencies: Collection[str]) -> ColumnElement[bool]:
    return AgreementRow.consumer_id.in_(_systems_of(agencies))


def _provided_by(agencies: Collection[str]) -> ColumnElement[bool]:
    of = _systems_of(agencies)
    services = select(ServiceRow.id).where(ServiceRow.system_id.in_(of))
    event_types = select(EventTypeRow.id).where(EventTypeRow.system_id.in_(of))
    return or_(AgreementRow.service_id.in_(services), AgreementRow.event_type_id.in_(event_types))


_SIDES: Mapping[str, tuple[Callable[[Collection[str]], ColumnElement[bool]], ...]] = {
    "consumer_agency": (_called_by,),
    "provider": (_provided_by,),
    "concerns": (_called_by, _provided_by),
}
"""Filters by agencies, each with whose systems do what."""

MOST_DECISIONS = 50
"""The newest ones, which a manifest shows; the history has all."""
PAGE_TEXT = 4 * 1024 * 1024
"""Letters of the specs of agreements that are read at once, give or take a portion of rows."""


class AgreementRepository(ResourceRepository[AgreementResource]):
    """Reads and writes agreements."""

    row: ClassVar = AgreementRow
    filter_columns: ClassVar = {
        "status": AgreementRow.status,
        "consumer": AgreementRow.consumer_id,
        "service": AgreementRow.service_id,
        "event_type": AgreementRow.event_type_id,
    }

    def _where(self, query: Rows, filters: Filters) -> Rows:
        """As for all resources; `provider` names agencies whose systems provide what the agreement is on,
        `consumer_agency` those whose systems call, `concerns` those whose systems do either, `drafts_of`
        those whose drafts are among them, and `waiting_for` whose turn it is with the agreement or an
        amendment of it."""
        others = {name: values for name, values in filters.items() if name not in _OWN_FILTERS}
        for name, of in _SIDES.items():
            if (agencies := filters.get(name)) is not None:
                query = query.where(or_(*(side(agencies) for side in of)))
        for side in filters.get("waiting_for", ()):
            amended = select(AmendmentRow.agreement_id).where(
                _AMENDMENT_WAITS, AmendmentRow.status.in_(_TURNS[side])
            )
            query = query.where(or_(AgreementRow.status.in_(_TURNS[side]), AgreementRow.id.in_(amended)))
        if (seen := filters.get("drafts_of")) is not None:
            own = [AgreementRow.consumer_id.startswith(f"{one}/", autoescape=True) for one in seen]
            query = query.where(or_(AgreementRow.status != AgreementStatus.DRAFT.value, *own))
        return super()._where(query, others)

    async def watched_page(
        self, after: str, limit: int, scope: WatchScope
    ) -> tuple[list[WatchedAgreement], str | None]:
        """Return what watches are sent of up to `limit` rows after the id `after`, and of `PAGE_TEXT`."""
        query = watched(scope).where(COLUMNS.id > after).order_by(COLUMNS.id).limit(limit)
        found: list[WatchedAgreement] = []
        read, text, last = 0, 0, ""
        async with aclosing(self._portions(query)) as portions:
            async for rows in portions:
                found += watched_agreements(rows)
                read, last = read + len(rows), rows[-1].id
                text += sum(len(row[-1] or "") for row in rows)
                if text > PAGE_TEXT:
                    return found, last
        return found, last if read == limit else None

    async def watched(self, ids: Collection[str], scope: WatchScope) -> list[WatchedAgreement]:
        """Return those of these agreements that watches are sent."""
        if not ids:
            return []
        query = watched(scope).where(COLUMNS.id.in_(ids))
        return [one async for rows in self._portions(query) for one in watched_agreements(rows)]

    async def count_waiting(self, consumer: str) -> int:
        """Return how many agreements of a system wait to be submitted, answered or decided."""
        query = select(func.count()).where(_WAITING, AgreementRow.consumer_id == consumer)
        return (await self._session.execute(query)).scalar_one()

    async def created_after(self, consumer: str, moment: datetime, number: int) -> datetime | None:
        """Return when the agreement was made that is the `number`th newest of a system.

        None where it was at `moment` or earlier, or there are not so many.
        """
        of_system = select(AgreementRow.created_at).where(AgreementRow.consumer_id == consumer)
        query = of_system.where(AgreementRow.created_at > moment).order_by(AgreementRow.created_at.desc())
        return (await self._session.execute(query.offset(number - 1).limit(1))).scalar_one_or_none()

    async def naming(self, service: str, operations: Collection[str]) -> list[OpenAgreement]:
        """Return the open agreements that name one of these operations of a service, in the order of ids.

        All open agreements on the service are looked at, some at a time.
        """
        query = select(AgreementRow.id, AgreementRow.spec["operations"]).where(
            AgreementRow.service_id == service,
            AgreementRow.status.in_([status.value for status in AgreementStatus if status.is_open]),
        )
        found = []
        async for some in self._portions(query):
            for agreement_id, named in some:
                if named and not set(named).isdisjoint(operations):
                    found.append(OpenAgreement(agreement_id, tuple(named)))
        return sorted(found, key=attrgetter("id"))

    async def use_of(self, service: str) -> ServiceUse | None:
        """Return what the open agreements on a service allow; None where there are none.

        All of them are looked at, some at a time.
        """
        query = select(AgreementRow.id, AgreementRow.spec["operations"]).where(
            AgreementRow.service_id == service,
            AgreementRow.status.in_([status.value for status in AgreementStatus if status.is_open]),
        )
        ids, operations, everything = [], set[str](), False
        async for some in self._portions(query):
            for agreement_id, named in some:
                ids.append(agreement_id)
                operations.update(named or ())
                everything = everything or not named
        return ServiceUse(len(ids), min(ids), None if everything else frozenset(operations)) if ids else None

    async def consumers_of(self, service: str) -> list[str]:
        """Return the systems with open agreements on a service, in their order."""
        query = (
            select(AgreementRow.consumer_id)
            .where(
                AgreementRow.service_id == service,
                AgreementRow.status.in_([status.value for status in AgreementStatus if status.is_open]),
            )
            .distinct()
            .order_by(AgreementRow.consumer_id)
        )
        return list((await self._session.execute(query)).scalars())

    async def waiting_since_before(self, moment: datetime, limit: int) -> list[AgreementResource]:
        """Return what has waited longest, since before a moment."""
        query = self._select().where(_WAITING, AgreementRow.updated_at < moment)
        found = await self._read(query.order_by(AgreementRow.updated_at).limit(limit))
        return await self._completed(found)

    async def to_look_at(self, now: datetime, limit: int) -> list[AgreementResource]:
        """Return agreements of which somebody may have to be told something by now, the longest first."""
        query = self._select().where(AgreementRow.remind_at <= now)
        return await self._read(query.order_by(AgreementRow.remind_at).limit(limit))

    async def looked_at(self, agreement_id: str, told: datetime | None, again: datetime | None) -> None:
        """Keep what was told of an agreement, and when to look at it again. It gets no new version: nothing
        of it has changed."""
        values = {"remind_at": again} | ({} if told is None else {"told_at": told})
        query = update(AgreementRow).where(AgreementRow.id == agreement_id).values(values)
        await self._session.execute(query)

    async def add_step(self, agreement_id: str, step: AgreementStep, version: int) -> None:
        """Add what was done with an agreement, at a version of the catalog."""
        values = step_values(agreement_id, step, version)
        await self._session.execute(insert(AgreementStepRow).values(values))

    async def last_step(self, agreement_id: str, amendment: int = 0) -> AgreementStep | None:
        """Return what was done last with an agreement itself, or with an amendment of it."""
        query = select(AgreementStepRow).where(
            AgreementStepRow.agreement_id == agreement_id, AgreementStepRow.amendment == amendment
        )
        newest = query.order_by(AgreementStepRow.version.desc()).limit(1)
        found = (await self._session.execute(newest)).scalar_one_or_none()
        return None if found is None else read_step(found)

    async def steps(self, agreement_id: str, after: int, limit: int) -> list[AgreementStep]:
        """Return up to `limit` steps of an agreement in their order, those after a version."""
        query = select(AgreementStepRow).where(
            AgreementStepRow.agreement_id == agreement_id, AgreementStepRow.version > after
        )
        found = await self._session.execute(query.order_by(AgreementStepRow.version).limit(limit))
        restored = select(AgreementStepRow.version).where(
            AgreementStepRow.agreement_id == agreement_id,
            AgreementStepRow.action == AgreementAction.RESTORE.value,
        )
        restored_at = (await self._session.execute(restored)).scalar_one_or_none() or 0
        return marked([read_step(row) for row in found.scalars()], restored_at)

    def _resource(self, found: Any, *, documents: bool) -> AgreementResource:  # noqa: ANN401 - a row of `_select`
        del documents
        row = found[0]
        return AgreementResource(
            **common_members(row),
            status=row.status,
            asked_at=row.asked_at,
            told_at=row.told_at,
            suspended_by=None if row.suspended_by is None else Suspender(row.suspended_by),
        )

    def _values(self, resource: AgreementResource) -> dict[str, Any]:
        return super()._values(resource) | {
            "consumer_id": resource.spec["consumer"],
            "service_id": resource.spec.get("service"),
            "event_type_id": resource.spec.get("eventType"),
            "status": resource.status,
            "asked_at": resource.asked_at,
            "remind_at": first_look(resource),
            "told_at": resource.told_at,
            "suspended_by": resource.suspended_by and resource.suspended_by.value,
        }

    async def _completed(self, resources: list[AgreementResource]) -> list[AgreementResource]:
        ids = [resource.id for resource in resources]
        decisions, amendments = await self._decisions(ids), await self._open_amendments(ids)
        return [
            replace(
                resource,
                decisions=tuple(decisions.get(resource.id, ())),
                amendment=amendments.get(resource.id),
            )
            for resource in resources
        ]

    async def last_amendment(self, agreement_id: str) -> Amendment | None:
        """Return the newest amendment of an agreement, whatever became of it."""
        query = select(AmendmentRow).where(AmendmentRow.agreement_id == agreement_id)
        newest = query.order_by(AmendmentRow.number.desc()).limit(1)
        found = (await self._session.execute(newest)).scalar_one_or_none()
        return None if found is None else read_amendment(found)

    async def amendments_waiting_since_before(self, moment: datetime, limit: int) -> list[str]:
        """Return the agreements whose amendments have waited longest, since before a moment."""
        query = select(AmendmentRow.agreement_id).where(_AMENDMENT_WAITS, AmendmentRow.updated_at < moment)
        found = await self._session.execute(query.order_by(AmendmentRow.updated_at).limit(limit))
        return list(found.scalars())

    async def write_amendment(self, agreement_id: str, amendment: Amendment, at: datetime) -> None:
        """Write an amendment, a new one or as it is after a step."""
        values = amendment_values(amendment, at)
        of = (AmendmentRow.agreement_id == agreement_id, AmendmentRow.number == amendment.number)
        if (await self._session.execute(select(AmendmentRow.number).where(*of))).one_or_none() is None:
            values |= {"agreement_id": agreement_id, "number": amendment.number}
            await self._session.execute(insert(AmendmentRow).values(values))
        else:
            await self._session.execute(update(AmendmentRow).where(*of).values(values))

    async def _open_amendments(self, ids: Collection[str]) -> dict[str, Amendment]:
        if not ids:
            return {}
        query = select(AmendmentRow).where(AmendmentRow.agreement_id.in_(ids), _AMENDMENT_WAITS)
        found = (await self._session.execute(query)).scalars()
        return {row.agreement_id: read_amendment(row) for row in found}

    async def _decisions(self, ids: Collection[str]) -> dict[str, list[AgreementStep]]:
        """Return the newest decisions on these agreements, the oldest of them first."""
        found: dict[str, list[AgreementStep]] = {}
        if not ids:
            return found
        age = func.row_number().over(
            partition_by=AgreementStepRow.agreement_id, order_by=AgreementStepRow.version.desc()
        )
        decided = AgreementStepRow.action.in_(_DECISIONS)
        ages = select(AgreementStepRow.version, age.label("age")).where(
            AgreementStepRow.agreement_id.in_(ids), AgreementStepRow.amendment == 0, decided
        )
        newest = ages.subquery()
        query = (
            select(AgreementStepRow)
            .join(newest, newest.c.version == AgreementStepRow.version)
            .where(newest.c.age <= MOST_DECISIONS)
            .order_by(AgreementStepRow.version)
        )
        for row in (await self._session.execute(query)).scalars():
            found.setdefault(row.agreement_id, []).append(read_step(row))
        # Where it is none of the newest, no decision of before it is one either.
        return {one: marked(steps, _restored_at(steps)) for one, steps in found.items()}


_OWN_FILTERS = frozenset(("provider", "consumer_agency", "concerns", "drafts_of", "waiting_for"))
_DECISIONS = ("", *(action.value for action in AgreementAction if action.is_decision))


def _restored_at(steps: Iterable[AgreementStep]) -> int:
    """Return at which version an agreement with these steps was restored; 0 where none of them says so."""
    return next((one.version for one in steps if one.action is AgreementAction.RESTORE), 0)
