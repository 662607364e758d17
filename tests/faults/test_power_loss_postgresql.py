"""PostgreSQL, as we connect to it, has on disk what it says is committed, before it says so."""

from __future__ import annotations

import asyncio
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from lienthong.kit.engines import create_engine
from tests.support.databases import skip_or_fail
from tests.support.forgetful_disk import ForgetfulDisk
from tests.support.ports import take_free_port
from tests.support.postgres import PostgresCluster, PostgresMissingError
from tests.support.syscalls import calls, tracing, wait_for_end

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.faults

_MARK = re.compile(rb"<record-\d+>")
_COMMITTED = b"C\0\0\0\x0bCOMMIT\0"
"""CommandComplete of the protocol (PostgreSQL 15, chapter 55.7)."""


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not pytest's own: that one is closed to the user that PostgreSQL runs as."""
    made = Path(tempfile.mkdtemp(prefix="lienthong-postgres-"))
    made.chmod(0o755)
    for server in ("before", "after"):
        (made / server).mkdir()
    yield made
    shutil.rmtree(made)


def cluster(folder: Path) -> PostgresCluster:
    """A cluster in a folder; without PostgreSQL the test is skipped, on CI it fails."""
    try:
        return PostgresCluster(folder, take_free_port())
    except PostgresMissingError as missing:
        skip_or_fail(str(missing))
        raise


async def insert(url: str, first: int) -> list[str]:
    """Commit a record in each of ten transactions; gives those that the server confirmed."""
    engine = create_engine(url, schema="public")
    confirmed = []
    for number in range(first, first + 10):
        # More than once: the log's pages have headers, of which one may stand in the middle of it.
        record = f"<record-{number}>" * 3
        async with engine.begin() as connection:
            query = text("INSERT INTO record VALUES (:record) RETURNING record")
            await connection.execute(query, {"record": record})
        confirmed.append(record)
    await engine.dispose()
    return confirmed


async def records(url: str) -> list[str]:
    """What the table holds."""
    engine = create_engine(url, schema="public")
    async with engine.begin() as connection:
        found = (await connection.execute(text("SELECT record FROM record"))).scalars().all()
    await engine.dispose()
    return list(found)


async def make_table(url: str) -> None:
    engine = create_engine(url, schema="public")
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE record (record text NOT NULL)"))
    await engine.dispose()


async def test_a_power_failure_takes_nothing_that_postgresql_has_committed(folder: Path) -> None:
    """Four connections commit at once; a server that starts on what is left has all of it."""
    server, copy = cluster(folder / "before").start(), folder / "copy"
    # Where the user that it runs as may write.
    trace = folder / "before" / "trace"
    await make_table(server.url)
    server.stop()
    shutil.copytree(server.data, copy)
    words = tracing(trace)
    try:
        server.start_again(words)
        confirmed = await asyncio.gather(*(insert(server.url, first) for first in (100, 200, 300, 400)))
    finally:
        server.kill()
    wait_for_end(trace)

    disk = ForgetfulDisk(server.data, copy)
    committed = synced_when_confirmed(disk, trace)
    expected = sorted(record for some in confirmed for record in some)
    assert len(committed) == len(expected) == 40
    after = cluster(folder / "after")
    disk.restore(after.data)
    try:
        after.start_again()
        assert sorted(await records(after.url)) == expected
    finally:
        after.stop()


def synced_when_confirmed(disk: ForgetfulDisk, trace: Path) -> set[bytes]:
    """The records whose transactions were confirmed, each while it was on the disk already.

    The disk stands where the last confirmation leaves.
    """
    on_disk: set[bytes] = set()
    told: dict[int, bytes] = {}
    committed: set[bytes] = set()
    for call in calls(trace):
        for data in disk.take(call):
            if "/pg_wal/" in call.path:
                on_disk.update(_MARK.findall(data))
        if call.ended or call.path or call.name not in {"sendto", "sendmsg"}:
            continue
        data = call.data
        if found := _MARK.search(data):
            told[call.thread] = found[0]
        if _COMMITTED in data and call.thread in told:
            record = told.pop(call.thread)
            assert record in on_disk, "a commit is confirmed before it is on disk"
            committed.add(record)
            if len(committed) == 40:
                break
    return committed
