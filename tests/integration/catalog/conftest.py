"""Fixtures of the catalog's integration tests."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from lienthong.kit.ids import uuid7
from tests.integration.catalog.province import Province
from tests.integration.catalog.running import Catalog, Identity, running_catalog
from tests.support.databases import create_database, drop_database
from tests.support.nats import NatsServer
from tests.support.ports import take_free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_codes = (f"{letter}{number:02}" for letter, number in itertools.product("HGK", range(100)))


@pytest.fixture(scope="session")
def identity() -> Iterator[Identity]:
    """The one identity of all tests."""
    with Identity() as identity:
        yield identity


@pytest.fixture
def place() -> Province:
    """A province that no other test has."""
    return Province(next(_codes))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def catalog(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    identity: Identity,
) -> Iterator[Catalog]:
    """A running catalog with a NATS of its own; each test that takes it runs on SQLite and on PostgreSQL.

    The tests of a module share it: each uses a `place` of its own.
    """
    folder = tmp_path_factory.mktemp("catalog")
    cluster_url, database = "", f"catalog_{uuid7().replace('-', '')}"
    database_url = f"sqlite+aiosqlite:///{folder}/catalog.db"
    if request.param == "postgresql":
        cluster_url = request.getfixturevalue("postgres_url")
        database_url = create_database(cluster_url, database)
    nats = NatsServer(folder / "nats", take_free_port()).start()
    try:
        with running_catalog(
            folder / "home", identity, database_url=database_url, nats_url=nats.url
        ) as catalog:
            yield catalog
    finally:
        nats.kill()
        if cluster_url:
            drop_database(cluster_url, database)


@pytest.fixture
def own_catalog(
    tmp_path: Path, identity: Identity, database_url: str, own_nats_server: NatsServer
) -> Iterator[Catalog]:
    """A running catalog of the test's own, on `own_nats_server`, which it may kill."""
    with running_catalog(
        tmp_path / "home", identity, database_url=database_url, nats_url=own_nats_server.url
    ) as catalog:
        yield catalog
