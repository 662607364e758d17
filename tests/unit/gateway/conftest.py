"""A gateway's journal with a ledger in memory, for what is retained until that has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.gateway.retaining import Journal, MemoryLedger, Node

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from lienthong.kit.clock import ManualClock


@pytest.fixture
def ledger() -> MemoryLedger:
    """A ledger that has nothing yet."""
    return MemoryLedger()


@pytest.fixture
async def node(tmp_path: Path, ledger: MemoryLedger, clock: ManualClock) -> AsyncIterator[Node]:
    """A gateway that asks it; the clock stands still until the test moves it."""
    made = Node(tmp_path, ledger, clock, Journal(clock))
    yield made
    await made.journal.close()
