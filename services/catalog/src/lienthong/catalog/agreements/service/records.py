"""All that was done with agreements, as a whole, for exports and restores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.catalog.agreements.repository import records

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from lienthong.catalog.agreements.domain.record import AgreementRecord
    from lienthong.catalog.service.unit_of_work import CatalogView, UnitOfWork


async def records_of(view: CatalogView, ids: Collection[str]) -> dict[str, AgreementRecord]:
    """Return all that was done with these agreements."""
    return await records.records(view.session, ids)


async def add_record(
    work: UnitOfWork, agreement_id: str, record: AgreementRecord, versions: Iterable[int]
) -> None:
    """Write all that was done with an agreement that is new here, each step at a version."""
    await records.restore(work.session, agreement_id, record, versions)
