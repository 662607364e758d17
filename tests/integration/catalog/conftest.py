"""Fixtures of the catalog's integration tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.catalog.running import Catalog, Identity, running_catalog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.nats import NatsServer


@pytest.fixture(scope="session")
def identity() -> Iterator[Identity]:
    """The one identity of all tests."""
    with Identity() as identity:
        yield identity


@pytest.fixture
def catalog(
    tmp_path: Path, identity: Identity, database_url: str, own_nats_server: NatsServer
) -> Iterator[Catalog]:
    """A running catalog on a fresh database (once on SQLite, once on PostgreSQL) and a NATS of its own."""
    with running_catalog(
        tmp_path / "catalog", identity, database_url=database_url, nats_url=own_nats_server.url
    ) as catalog:
        yield catalog
