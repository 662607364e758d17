"""Settings of a ledger of the test's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lienthong.ledger.settings import LedgerSettings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> LedgerSettings:
    """Settings over a fresh database, on SQLite and on PostgreSQL."""
    return LedgerSettings(home=tmp_path / "home", ledger_database_url=database_url)
