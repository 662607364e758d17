"""Comparing RSA keys that are being registered with all that are registered."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from lienthong.catalog.errors import too_costly
from lienthong.catalog.systems.domain.shared_factors import (
    MOST_COMPARISONS,
    comparison_seconds,
    rsa_keys,
    shared_factors,
    too_many,
)
from lienthong.catalog.systems.repository import SystemRepository
from lienthong.kit.workers import TooCostlyError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lienthong.catalog.errors import Violation
    from lienthong.catalog.service.unit_of_work import UnitsOfWork
    from lienthong.catalog.systems.domain.shared_factors import RsaKey
    from lienthong.kit.workers import Workers


class KeyComparison:
    """Finds new RSA keys that share a prime with another one."""

    def __init__(self, units: UnitsOfWork, workers: Workers) -> None:
        self._units = units
        self._workers = workers

    async def violations(self, given: Sequence[RsaKey], owner: str) -> list[Violation]:
        """What is wrong with new keys beside all that are registered; `owner` is whose processor time it is.

        Raises:
            ProblemError: `too-costly`.
        """
        if not given:
            return []
        registered = await self._registered_moduli()
        new = [key for key in given if key.modulus not in registered]
        if not new:
            return []
        if len(new) * (len(new) + len(registered)) > MOST_COMPARISONS:
            return [too_many(new)]
        known = list(registered)
        try:
            return await self._workers.run(owner, comparison_seconds(new, known), shared_factors, new, known)
        except TooCostlyError:
            raise too_costly() from None

    async def _registered_moduli(self) -> set[int]:
        """The moduli of all RSA keys that are registered; read and decoded some systems at a time."""
        found = set[int]()
        async with self._units.view() as view:
            async for some in SystemRepository(view.session).key_sets():
                found |= {key.modulus for jwks in some for key in rsa_keys(jwks)}
                await asyncio.sleep(0)
        return found
