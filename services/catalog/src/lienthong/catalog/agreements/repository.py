"""Queries on agreements and the decisions on them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import insert, select

from lienthong.catalog.agreements.domain.agreement import AgreementDecision, AgreementResource
from lienthong.catalog.agreements.domain.lifecycle import AgreementStatus
from lienthong.catalog.agreements.models import AgreementRow, DecisionRow
from lienthong.catalog.repository import ResourceRepository, common_members

if TYPE_CHECKING:
    from collections.abc import Collection


class AgreementRepository(ResourceRepository[AgreementResource]):
    """Reads and writes agreements."""

    row: ClassVar = AgreementRow
    filter_columns: ClassVar = {
        "status": AgreementRow.status,
        "consumer": AgreementRow.consumer_id,
        "service": AgreementRow.service_id,
        "event_type": AgreementRow.event_type_id,
    }

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
