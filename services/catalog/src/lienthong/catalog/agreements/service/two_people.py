"""Whether two people approve the terms of an agreement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.catalog.agreements.domain.personal import is_personal

if TYPE_CHECKING:
    from lienthong.catalog.agreements.domain.agreement import AgreementResource
    from lienthong.catalog.service.unit_of_work import CatalogView
    from lienthong.kit.json_text import JsonObject


async def needs_two_people(agreement: AgreementResource, spec: JsonObject, view: CatalogView) -> bool:
    """Tell whether what an agreement is about is personal data, of the operations that these terms name."""
    kind, target_id = agreement.target_key
    target = (await view.resources(kind).load([target_id]))[target_id]
    return is_personal(target, spec.get("operations"))
