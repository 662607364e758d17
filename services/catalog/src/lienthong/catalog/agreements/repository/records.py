"""All that was done with agreements: read as a whole for an export, and written as a whole by a restore."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from lienthong.catalog.agreements.domain.lifecycle import AgreementAction
from lienthong.catalog.agreements.domain.record import AgreementRecord, RecordedAmendment
from lienthong.catalog.agreements.models import AgreementStepRow, AmendmentRow
from lienthong.catalog.agreements.repository.rows import (
    amendment_values,
    read_amendment,
    read_step,
    step_values,
)
from lienthong.kit.bulk import execute_many

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sqlalchemy.ext.asyncio import AsyncSession

    from lienthong.catalog.agreements.domain.agreement import AgreementStep


async def records(session: AsyncSession, ids: Collection[str]) -> dict[str, AgreementRecord]:
    """Return all that was done with these agreements and their amendments, as it is exported."""
    if not ids:
        return {}
    steps: dict[str, list[AgreementStep]] = {one: [] for one in ids}
    done = select(AgreementStepRow).where(
        AgreementStepRow.agreement_id.in_(ids), AgreementStepRow.action != AgreementAction.RESTORE.value
    )
    for row in (await session.execute(done.order_by(AgreementStepRow.version))).scalars():
        steps[row.agreement_id].append(read_step(row))
    amendments: dict[str, list[RecordedAmendment]] = {one: [] for one in ids}
    asked = select(AmendmentRow).where(AmendmentRow.agreement_id.in_(ids)).order_by(AmendmentRow.number)
    for amended in (await session.execute(asked)).scalars():
        amendments[amended.agreement_id].append(
            RecordedAmendment(read_amendment(amended), amended.updated_at)
        )
    return {one: AgreementRecord(tuple(steps[one]), tuple(amendments[one])) for one in ids}


async def restore(
    session: AsyncSession, agreement_id: str, record: AgreementRecord, versions: Iterable[int]
) -> None:
    """Write all that was done with an agreement, each step at a version, and its amendments."""
    steps = [
        step_values(agreement_id, step, version) for step, version in zip(record.steps, versions, strict=True)
    ]
    await execute_many(session, insert(AgreementStepRow), steps)
    amendments = [
        {
            "agreement_id": agreement_id,
            "number": one.amendment.number,
            **amendment_values(one.amendment, one.updated_at),
        }
        for one in record.amendments
    ]
    await execute_many(session, insert(AmendmentRow), amendments)
