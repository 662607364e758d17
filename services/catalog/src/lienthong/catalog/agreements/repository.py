"""Queries on agreements and the decisions on them."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
import structlog
from sqlalchemy import Text, case, cast, func, insert, literal_column, or_, select

from lienthong.catalog.agreements.domain.agreement import AgreementDecision, AgreementResource
from lienthong.catalog.agreements.domain.lifecycle import AgreementStatus
from lienthong.catalog.agreements.domain.operations import OpenAgreement, ServiceUse
from lienthong.catalog.agreements.domain.watched import WATCHED_STATUSES, Terms, WatchedAgreement
from lienthong.catalog.agreements.models import AgreementRow, DecisionRow
from lienthong.catalog.domain.resources import ResourceKind
from lienthong.catalog.repository import ResourceRepository, common_members

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from sqlalchemy import Select

    from lienthong.catalog.domain.resources import WatchScope
    from lienthong.catalog.repository import Filters, Rows


_log = structlog.get_logger(__name__)
# Written out, not a parameter: SQLite takes a partial index only for a condition that it can read.
_REQUESTED = AgreementRow.status == literal_column(f"'{AgreementStatus.REQUESTED.value}'")
# Of the table, not of the mapped class.
_COLUMNS = AgreementRow.__table__.c

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
        """As for all resources; `provider` names agencies whose systems provide what the agreement is on."""
        others = {name: values for name, values in filters.items() if name != "provider"}
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

    async def count_requested(self, consumer: str) -> int:
        """Return how many requests of a system wait for a decision."""
        query = select(func.count()).where(_REQUESTED, AgreementRow.consumer_id == consumer)
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

    async def requested_before(self, moment: datetime, limit: int) -> list[AgreementResource]:
        """Return the requests that have waited longest, since before a moment."""
        query = self._select().where(_REQUESTED, AgreementRow.updated_at < moment)
        found = await self._read(query.order_by(AgreementRow.updated_at).limit(limit))
        return await self._completed(found)

    async def add_decision(self, agreement_id: str, decision: AgreementDecision, version: int) -> None:
        """Add a decision, made at a version of the catalog."""
        await self._session.execute(
            insert(DecisionRow).values(
                version=version,
                agreement_id=agreement_id,
                status=decision.status.value,
                by=decision.by,
                at=decision.at,
                legal_ground=decision.legal_ground,
                reason=decision.reason,
            )
        )

    def _resource(self, found: Any, *, documents: bool) -> AgreementResource:  # noqa: ANN401 - a row of `_select`
        del documents
        row = found[0]
        return AgreementResource(**common_members(row), status=row.status)

    def _values(self, resource: AgreementResource) -> dict[str, Any]:
        return super()._values(resource) | {
            "consumer_id": resource.spec["consumer"],
            "service_id": resource.spec.get("service"),
            "event_type_id": resource.spec.get("eventType"),
            "status": resource.status,
        }

    async def _completed(self, resources: list[AgreementResource]) -> list[AgreementResource]:
        decisions = await self._decisions([resource.id for resource in resources])
        return [replace(resource, decisions=tuple(decisions.get(resource.id, ()))) for resource in resources]

    async def _decisions(self, ids: Collection[str]) -> dict[str, list[AgreementDecision]]:
        found: dict[str, list[AgreementDecision]] = {}
        if not ids:
            return found
        query = select(DecisionRow).where(DecisionRow.agreement_id.in_(ids)).order_by(DecisionRow.version)
        for row in (await self._session.execute(query)).scalars():
            decision = AgreementDecision(
                AgreementStatus(row.status), row.by, row.at, row.legal_ground, row.reason
            )
            found.setdefault(row.agreement_id, []).append(decision)
        return found


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
