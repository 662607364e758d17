"""Fixtures of identity's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lienthong.kit.ids import uuid7
from tests.support.databases import create_database, drop_database

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[str]:
    """A fresh PostgreSQL database, for what only several processes on one database can show."""
    name = f"test_{uuid7().replace('-', '')}"
    yield create_database(postgres_url, name)
    drop_database(postgres_url, name)
