"""The process itself: killed at any moment it loses nothing and repeats nothing; damaged, it does not run."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import httpx
import pytest
from sqlalchemy import text

from lienthong.kit.bus import Bus
from lienthong.kit.database import Database
from lienthong.kit.journal import journal_stream
from lienthong.kit.settings import Settings
from lienthong.ledger.bootstrap import SCHEMA
from lienthong.tlog import VerifierKey, open_checkpoint
from tests.integration.ledger.support import (
    checkpoint,
    full_check,
    leaves,
    messages,
    opened,
    publish,
    records_of,
)
from tests.support.fork_server import ForkedProcess, start_module
from tests.support.ports import take_free_offset
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from lienthong.ledger.settings import LedgerSettings
    from tests.support.nats import NatsServer

RECORDS, MESSAGES, KILLS = 5_000, 250, 5


@contextmanager
def running(settings: LedgerSettings, nats_url: str, log: Path) -> Iterator[ForkedProcess]:
    """`python -m lienthong.ledger` with two messages a transaction, killed at the end."""
    environment = {
        **os.environ,
        "LIENTHONG_HOME": str(settings.home),
        "LIENTHONG_PORT_OFFSET": str(settings.port_offset),
        "LIENTHONG_NATS_URL": nats_url,
        "LIENTHONG_LEDGER_DATABASE_URL": settings.ledger_database_url,
        "LIENTHONG_LEDGER_BATCH_MESSAGES": "2",
    }
    with log.open("ab") as file:
        process = start_module("lienthong.ledger", environment, file.fileno())
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


@pytest.fixture
def own_ports(settings: LedgerSettings) -> LedgerSettings:
    """The settings with ports that are free."""
    return settings.model_copy(update={"port_offset": take_free_offset()})


class Running:
    """What a running ledger says of itself."""

    def __init__(self, settings: LedgerSettings, http: httpx.AsyncClient) -> None:
        self._audit = f"http://127.0.0.1:{settings.port('ledger')}/audit"
        self._health = f"http://127.0.0.1:{settings.health_port('ledger')}/health"
        self._http = http

    async def size(self) -> int:
        """How many entries it signs for; -1 while it does not answer."""
        try:
            answer = await self._http.get(f"{self._audit}/checkpoint")
            key = VerifierKey.parse((await self._http.get(f"{self._audit}/key")).text.strip())
        except httpx.TransportError:
            return -1
        return open_checkpoint(answer.content, key).size

    async def has(self, size: int) -> bool:
        """Whether it signs for at least so many entries."""
        return await self.size() >= size

    async def health(self, what: str) -> httpx.Response | None:
        """The answer to a health check; None while there is none."""
        try:
            return await self._http.get(f"{self._health}/{what}")
        except httpx.TransportError:
            return None

    async def is_ready(self, status: int) -> bool:
        """Whether the readiness check answers with this status."""
        answer = await self.health("ready")
        return answer is not None and answer.status_code == status


@pytest.fixture
async def ledger(own_ports: LedgerSettings) -> AsyncIterator[Running]:
    """The ledger on its ports, whenever it runs."""
    async with httpx.AsyncClient() as http:
        yield Running(own_ports, http)


async def test_killed_between_fetch_and_acknowledgement_nothing_is_missing_and_nothing_double(
    own_ports: LedgerSettings, own_nats_server: NatsServer, ledger: Running, tmp_path: Path
) -> None:
    batch = messages(MESSAGES, each=RECORDS // MESSAGES)
    bus = await Bus.connect(own_nats_server.url, "test", wait=True)
    await bus.ensure_stream(journal_stream(Settings()))
    await publish(bus, batch)
    log = tmp_path / "ledger.log"
    moments = random.Random(5)  # noqa: S311 - moments to kill at, not secrets
    sizes = [0]

    for _ in range(KILLS):
        with running(own_ports, own_nats_server.url, log) as process:
            more = min(sizes[-1] + 1, RECORDS)
            await eventually(partial(ledger.has, more), within=60)
            await asyncio.sleep(moments.random() * 0.1)
            sizes.append(await ledger.size())
            process.send_signal(signal.SIGKILL)
    # It was killed in the midst of the work, or this test proves nothing.
    assert 0 < sizes[1] < RECORDS
    assert sizes == sorted(sizes)

    with running(own_ports, own_nats_server.url, log) as process:
        await eventually(lambda: ledger.has(RECORDS), within=120)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, 30) == 0
    await bus.close()

    async with opened(own_ports) as core:
        assert (await checkpoint(core)).size == RECORDS
        assert await leaves(core) == records_of(batch)
        assert (await full_check(core)).sound


async def test_it_is_ready_when_the_database_answers_and_the_lag_is_known(
    own_ports: LedgerSettings, own_nats_server: NatsServer, ledger: Running, tmp_path: Path
) -> None:
    own_nats_server.kill()
    with running(own_ports, own_nats_server.url, tmp_path / "ledger.log"):
        await eventually(lambda: ledger.is_ready(503), within=60)
        ready, live = await ledger.health("ready"), await ledger.health("live")
        assert ready is not None
        assert live is not None
        assert live.status_code == 200
        assert ready.json()["checks"] == {"running": True, "database": True, "journal-lag-known": False}
        # Reads are answered all the same.
        assert await ledger.size() == 0
        own_nats_server.start()
        await eventually(lambda: ledger.is_ready(200), within=60)


async def test_it_does_not_run_on_a_log_that_was_changed_and_says_why(
    own_ports: LedgerSettings, own_nats_server: NatsServer, tmp_path: Path
) -> None:
    async with opened(own_ports) as core:
        await core.integrator.integrate("stream", messages(2, each=10))
    database = Database.open(own_ports.ledger_database_url, schema=SCHEMA)
    async with database.transaction() as session:
        await session.execute(text("DELETE FROM entry WHERE leaf_index = 19"))
    await database.close()
    log = tmp_path / "ledger.log"
    with running(own_ports, own_nats_server.url, log) as process:
        assert await asyncio.to_thread(process.wait, 60) == 1
    assert "the table `entry` has lost its rows 19 to 19, which are signed" in log.read_text()
