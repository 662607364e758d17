"""How many systems an agency may have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.catalog import errors
from lienthong.catalog.systems.repository import SystemRepository

if TYPE_CHECKING:
    from lienthong.catalog.service.unit_of_work import CatalogView


async def check_quota(most: int, agency: str, view: CatalogView, *, new: int) -> None:
    """Check that an agency may have so many new systems; in a unit of work nobody adds any meanwhile.

    Raises:
        ProblemError: `too-many-systems`, with them it would have more than `most`.
    """
    held = await SystemRepository(view.session).count_of(agency)
    if held + new > most:
        raise errors.too_many_systems(agency, most, held, new)
