"""The pages of an installation, on SQLite and on PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.identity.pages.harness import Browser, Desk, a_desk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def desk(tmp_path: Path, database_url: str) -> AsyncIterator[Desk]:
    async with a_desk(tmp_path, database_url) as opened:
        yield opened


@pytest.fixture
async def browser(desk: Desk) -> AsyncIterator[Browser]:
    async with desk.browser() as opened:
        yield opened
