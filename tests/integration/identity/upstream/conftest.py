"""The library of providers, installed once for a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.identity.upstream.harness import Place, a_place, node_modules

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture(scope="session")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return node_modules(tmp_path_factory.mktemp("node"))


@pytest.fixture
async def place(tmp_path: Path, database_url: str, modules: Path) -> AsyncIterator[Place]:
    async with a_place(tmp_path, database_url, modules) as opened:
        yield opened
