"""Processes that look into documents and parameters; none is started before the first are to be looked at."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, TypeVar, TypeVarTuple

from lienthong.gateway.shaping.look import look, look_at_packed
from lienthong.kit.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable

    from lienthong.gateway.parameter_checks import ParameterChecks, StatedParameters
    from lienthong.kit.field_paths import FieldTree
    from lienthong.kit.schema_mismatches import SchemaMismatch

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")

_PROCESSES: Final = 2
_BUDGET_S: Final = 0.5
_BUDGET_S_PER_MIB: Final = 1.0
"""Some times what ordinary documents take; a schema may be compiled first."""


class Looking:
    """Looks into documents and parameters for others, in turns that are fair."""

    def __init__(self) -> None:
        self._workers: Workers | None = None
        self._starting = asyncio.Lock()

    async def look(
        self, sender: str, document: bytes, schema: str, tree: FieldTree | None
    ) -> tuple[list[SchemaMismatch], list[bytes] | None]:
        """What `look` says of a document of `sender`.

        Raises:
            TooCostlyError: it took too long.
            ProblemError: rate-limited or busy, too much of the sender, or of all, waits.
            OSError: no process starts.
        """
        return await self._run(sender, len(document), look, document, schema, tree)

    async def look_at_parameters(
        self, sender: str, stated: StatedParameters, checks: ParameterChecks
    ) -> list[SchemaMismatch]:
        """What `look_at_packed` says of a request of `sender`.

        Raises:
            TooCostlyError, ProblemError, OSError: as `look`.
        """
        return await self._run(sender, stated.size, look_at_packed, stated, checks.packed, checks.schema)

    async def _run(
        self, sender: str, size: int, function: Callable[[*Arguments], T], *arguments: *Arguments
    ) -> T:
        workers = self._workers or await self._started()
        seconds = _BUDGET_S + _BUDGET_S_PER_MIB * size / (1024 * 1024)
        return await workers.run(sender, seconds, function, *arguments)

    async def _started(self) -> Workers:
        async with self._starting:
            if self._workers is None:
                workers = Workers(_PROCESSES, [look.__module__])
                await workers.start()
                self._workers = workers
            return self._workers

    async def close(self) -> None:
        """End the processes."""
        if self._workers is not None:
            await self._workers.close()
