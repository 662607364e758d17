"""Work on documents, which takes longer the larger they are."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeVar, TypeVarTuple

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")

INLINE_BYTES: Final = 64 * 1024
"""Larger documents are gone through beside the loop: calls of others go on meanwhile."""


class Beside:
    """A thread for large documents; small ones are gone through at once."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "shaping")

    async def run(self, document: bytes, function: Callable[[*Arguments], T], *arguments: *Arguments) -> T:
        """What a function makes of a document, which it goes through."""
        if len(document) <= INLINE_BYTES:
            return function(*arguments)
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)
