"""The library of providers, installed once for a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lienthong.relying import fetching
from tests.integration.identity.upstream.harness import Place, a_place, node_modules

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture(scope="session")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return node_modules(tmp_path_factory.mktemp("node"))


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let providers on a busy machine answer later than people would wait."""
    monkeypatch.setattr(fetching, "WHOLE_S", 60.0)
    monkeypatch.setattr(fetching, "CONNECT_S", 60.0)


@pytest.fixture
async def place(tmp_path: Path, database_url: str, modules: Path) -> AsyncIterator[Place]:
    async with a_place(tmp_path, database_url, modules) as opened:
        yield opened
