"""Queries on agreements and the decisions on them."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
import structlog
from sqlalchemy import Boolean, Text, case, cast, func, insert, literal_column, or_, select, update

from lienthong.catalog.agreements.domain.agreement import AgreementResource, AgreementStep
from lienthong.catalog.agreements.domain.amendment import Amendment
from lienthong.catalog.agreements.domain.lifecycle import AgreementAction, AgreementStatus
from lienthong.catalog.agreements.domain.operations import OpenAgreement, ServiceUse
from lienthong.catalog.agreements.domain.reminders import first_look
from lienthong.catalog.agreements.domain.watched import WATCHED_STATUSES, Terms, WatchedAgreement
from lienthong.catalog.agreements.models import WAITS, AgreementRow, AgreementStepRow, AmendmentRow
from lienthong.catalog.domain.resources import ResourceKind
from lienthong.catalog.repository import ResourceRepository, common_members
from lienthong.catalog.systems.domain.system import Suspender

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from sqlalchemy import Select

    from lienthong.catalog.domain.resources import WatchScope
    from lienthong.catalog.repository import Filters, Rows


_log = structlog.get_logger(__name__)
# Written out, not a parameter: SQLite takes a partial index only for a condition that it can read.
_WAITING = literal_column(f"agreements.{WAITS}", Boolean)
_AMENDMENT_WAITS = literal_column(f"amendments.{WAITS}", Boolean)
_TURNS = {
    "owner": (AgreementStatus.REQUESTED.value, AgreementStatus.ENDORSED.value),
    "consumer": (AgreementStatus.DRAFT.value, AgreementStatus.INFORMATION_NEEDED.value),
}
"""Whose turn it is with an agreement, or an amendment, of which status."""
# Of the table, not of the mapped class.
_COLUMNS = AgreementRow.__table__.c

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
        `consumer_agency` those whose systems call, `drafts_of` those whose drafts are among them, and
        `waiting_for` whose turn it is with the agreement or an amendment of it."""
        others = {name: values for name, values in filters.items() if name not in _OWN_FILTERS}
        if (agencies := filters.get("consumer_agency")) is not None:
            called = AgreementRow.consumer_id
            query = query.where(or_(*(called.startswith(f"{one}/", autoescape=True) for one in agencies)))
        for side in filters.get("waiting_for", ()):
            amended = select(AmendmentRow.agreement_id).where(
                _AMENDMENT_WAITS, AmendmentRow.status.in_(_TURNS[side])
            )
            query = query.where(or_(AgreementRow.status.in_(_TURNS[side]), AgreementRow.id.in_(amended)))
        if (seen := filters.get("drafts_of")) is not None:
            own = [AgreementRow.consumer_id.startswith(f"{one}/", autoescape=True) for one in seen]
            query = query.where(or_(AgreementRow.status != AgreementStatus.DRAFT.value, *own))
        if (agencies := filters.get("provider")) is not None:
            provided = func.coalesce(AgreementRow.service_id, AgreementRow.event_type_id)
            query = query.where(or_(*(provided.startswith(f"{one}/", autoescape=True) for one in agencies)))
        return super()._where(query, others)

    async def watched_page(
        self, after: str, limit: int, scope: WatchScope
    ) -> tuple[list[WatchedAgreement], str | None]:
        """Return what watches are sent of up to `limit` rows after the id `after`, and of `PAGE_TEXT`."""
        query = _watched(scope).where(_COLUMNS.id > after).order_by(_COLUMNS.id).limit(limit)
        found: list[WatchedAgreement] = []
        read, text, last = 0, 0, ""
        async with aclosing(self._portions(query)) as portions:
            async for rows in portions:
                found += _watched_agreements(rows)
                read, last = read + len(rows), rows[-1].id
                text += sum(len(row[-1] or "") for row in rows)
                if text > PAGE_TEXT:
                    return found, last
        return found, last if read == limit else None

    async def watched(self, ids: Collection[str], scope: WatchScope) -> list[WatchedAgreement]:
        """Return those of these agreements that watches are sent."""
        if not ids:
            return []
        query = _watched(scope).where(_COLUMNS.id.in_(ids))
        return [one async for rows in self._portions(query) for one in _watched_agreements(rows)]

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
        await self._session.execute(
            insert(AgreementStepRow).values(
                version=version,
                agreement_id=agreement_id,
                action=step.action.value,
                status=step.status.value,
                by=step.by,
                at=step.at,
                legal_ground=step.legal_ground,
                reason=step.reason,
                amendment=step.amendment,
                changes=list(step.changes),
            )
        )

    async def last_step(self, agreement_id: str, amendment: int = 0) -> AgreementStep | None:
        """Return what was done last with an agreement itself, or with an amendment of it."""
        query = select(AgreementStepRow).where(
            AgreementStepRow.agreement_id == agreement_id, AgreementStepRow.amendment == amendment
        )
        newest = query.order_by(AgreementStepRow.version.desc()).limit(1)
        found = (await self._session.execute(newest)).scalar_one_or_none()
        return None if found is None else _step(found)

    async def steps(self, agreement_id: str, after: int, limit: int) -> list[AgreementStep]:
        """Return up to `limit` steps of an agreement in their order, those after a version."""
        query = select(AgreementStepRow).where(
            AgreementStepRow.agreement_id == agreement_id, AgreementStepRow.version > after
        )
        found = await self._session.execute(query.order_by(AgreementStepRow.version).limit(limit))
        return [_step(row) for row in found.scalars()]

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
        return None if found is None else _amendment(found)

    async def amendments_waiting_since_before(self, moment: datetime, limit: int) -> list[str]:
        """Return the agreements whose amendments have waited longest, since before a moment."""
        query = select(AmendmentRow.agreement_id).where(_AMENDMENT_WAITS, AmendmentRow.updated_at < moment)
        found = await self._session.execute(query.order_by(AmendmentRow.updated_at).limit(limit))
        return list(found.scalars())

    async def write_amendment(self, agreement_id: str, amendment: Amendment, at: datetime) -> None:
        """Write an amendment, a new one or as it is after a step."""
        values: dict[str, Any] = {
            "status": amendment.status.value,
            "spec": amendment.spec,
            "reason": amendment.reason,
            "requested_by": amendment.requested_by,
            "requested_at": amendment.requested_at,
            "asked_at": amendment.asked_at,
            "first_approval": amendment.first_approval,
            "updated_at": at,
        }
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
        return {row.agreement_id: _amendment(row) for row in found}

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
            found.setdefault(row.agreement_id, []).append(_step(row))
        return found


_OWN_FILTERS = frozenset(("provider", "consumer_agency", "drafts_of", "waiting_for"))
_DECISIONS = ("", *(action.value for action in AgreementAction if action.is_decision))
_ACTIONS_OF_BEFORE = {
    "approved": AgreementAction.APPROVE,
    "rejected": AgreementAction.REJECT,
    "revoked": AgreementAction.REVOKE,
    "lapsed": AgreementAction.LAPSE,
}


def _amendment(row: AmendmentRow) -> Amendment:
    return Amendment(
        row.number,
        AgreementStatus(row.status),
        row.spec,
        row.reason,
        row.requested_by,
        row.requested_at,
        row.asked_at,
        row.first_approval,
    )


def _step(row: AgreementStepRow) -> AgreementStep:
    action = AgreementAction(row.action) if row.action else _ACTIONS_OF_BEFORE[row.status]
    return AgreementStep(
        action,
        AgreementStatus(row.status),
        row.by,
        row.at,
        row.legal_ground,
        row.reason,
        row.amendment,
        tuple(row.changes),
        row.version,
    )


_STATUSES = {status.value: status for status in AgreementStatus}
_read_terms = msgspec.json.Decoder(Terms).decode


def _watched_agreements(rows: Iterable[Any]) -> list[WatchedAgreement]:
    found = []
    for agreement_id, consumer, service, event_type, status, spec in rows:
        try:
            terms = None if spec is None else _read_terms(spec)
        except msgspec.MsgspecError as error:
            # What it allows is denied, and the others go on.
            _log.error("an agreement cannot be read", agreement=agreement_id, error=str(error))
            continue
        found.append(WatchedAgreement(agreement_id, consumer, service, event_type, _STATUSES[status], terms))
    return found


def _watched(scope: WatchScope) -> Select[Any]:
    """Select the agreements that decide something in processes that follow the catalog.

    Of columns of the table alone, and the spec as the text that it is: a snapshot reads all of them, and one
    mapped attribute, in a condition too, makes each row pass the mapper.
    """
    approved = _COLUMNS.status == AgreementStatus.APPROVED.value
    query = select(
        _COLUMNS.id,
        _COLUMNS.consumer_id,
        _COLUMNS.service_id,
        _COLUMNS.event_type_id,
        _COLUMNS.status,
        case((approved, cast(_COLUMNS.spec, Text))),
    ).where(_COLUMNS.status.in_([status.value for status in WATCHED_STATUSES]))
    # An expression, not the column: SQLite would take the column's index, and sort all that it finds anew
    # for each page, instead of going on in the order of the ids.
    if ResourceKind.SERVICE not in scope.agreements_on:
        query = query.where(func.coalesce(_COLUMNS.service_id, "") == "")
    if ResourceKind.EVENT_TYPE not in scope.agreements_on:
        query = query.where(func.coalesce(_COLUMNS.event_type_id, "") == "")
    return query
