"""One exchange on SQLite and one on PostgreSQL for each test module."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lienthong.kit.ids import uuid7
from lienthong.kit.journal import journal_stream
from lienthong.kit.settings import Settings
from tests.integration.exchange.world import Party, World
from tests.support.databases import create_database, drop_database
from tests.support.nats import NatsServer
from tests.support.ports import take_free_port

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A running exchange between real neighbours."""
    folder = tmp_path_factory.mktemp("exchange")
    name = f"test_{uuid7().replace('-', '')}"
    cluster = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    url = create_database(cluster, name) if cluster else f"sqlite+aiosqlite:///{folder}/exchange.db"
    nats = NatsServer(folder / "nats", take_free_port()).start().create(journal_stream(Settings()))
    running = World(folder / "home", url, nats)
    try:
        running.start()
        yield running
    finally:
        running.close()
        nats.kill()
        if cluster:
            drop_database(cluster, name)


@pytest.fixture
def party(world: World) -> Party:
    """A provider and a subscriber of an event type of the test's own."""
    return Party(world)
