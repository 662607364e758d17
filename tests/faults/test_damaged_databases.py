"""Bytes are flipped and files cut off in the SQLite databases of catalog, identity and exchange.

Who works on a damaged file says so, and one command puts the copy back that was made when it was sound; what
that lacks of acknowledged changes is named, by comparison with the ledger's own tables.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from lienthong.kit.soundness import copy_of
from tests.faults.checker import assert_each_recorded_once
from tests.faults.test_lost_stores import agency_manifest, stopped
from tests.faults.test_rolled_back_databases import (
    SERVICES,
    acts_of,
    change,
    event_manifests,
    lienthong,
)
from tests.support.damage import cut_in_the_middle, cut_to_nothing
from tests.support.stopping import standing_still
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.calls import Calls
    from tests.support.platform import Platform

pytestmark = pytest.mark.faults


def flip_in_a_page(path: Path) -> None:
    """Turn a bit of what says where the cells of the schema's page lie."""
    _flip(path, 100 + 3)


def flip_in_an_index(path: Path) -> None:
    """Turn a bit of a key that an index has: the file can be read all the same."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = database.execute("PRAGMA page_size").fetchone()[0]
        # The primary keys of all tables are texts or numbers of their own: any leaf page of an index will do.
        roots = database.execute(
            "SELECT rootpage FROM sqlite_master WHERE type = 'index' ORDER BY rootpage"
        ).fetchall()
    content = path.read_bytes()
    for (root,) in roots:
        begin = (root - 1) * size
        cells = int.from_bytes(content[begin + 3 : begin + 5], "big")
        if content[begin] == 10 and cells:
            _flip(path, begin + size - 3)
            return
    raise AssertionError("no index has a key")


def _flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 0x10
    path.write_bytes(content)


def cut_while_it_is_used(path: Path) -> None:
    """Cut off the second half, which is not in the write-ahead log either."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    cut_in_the_middle(path)


DAMAGES: Final[tuple[tuple[Callable[[Path], None], ...], ...]] = (
    (flip_in_an_index, flip_in_a_page, cut_in_the_middle),
    (cut_while_it_is_used, cut_while_it_is_used, cut_while_it_is_used),
    (flip_in_a_page, cut_in_the_middle, cut_to_nothing),
    (Path.unlink, cut_to_nothing, flip_in_an_index),
)
"""For each round what happens to the databases of catalog, identity and exchange."""


def database_of(platform: Platform, service: str) -> Path:
    """The file."""
    return platform.home / service / f"{service}.db"


def databases(platform: Platform) -> list[dict[str, Any]]:
    """What `lienthong doctor` says of the databases."""
    said = lienthong(platform, "doctor", "--json")
    return [check for check in json.loads(said.stdout)["checks"] if check["name"] == "databases"]


@pytest.fixture(autouse=True)
def checked_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are checked, and copied, every second instead of every hour."""
    monkeypatch.setenv("LIENTHONG_DATABASE_CHECKED_EVERY_S", "1")


@pytest.mark.parametrize(
    "rounds", [1, pytest.param(len(DAMAGES), marks=pytest.mark.long)], ids=["short", "long"]
)
async def test_damaged_databases_are_told_and_their_copies_put_back_by_one_command(
    platform: Platform, calls: Calls, rounds: int
) -> None:
    """Each time other damage to each file, before the services start or while they run; calls go on."""
    with platform.operator() as operator:
        operator.apply(event_manifests())
    for number in range(rounds):
        async with calls.going_on(concurrency=1):
            await asyncio.to_thread(damage_and_mend, platform, number)
    assert_each_recorded_once(calls)


def damage_and_mend(platform: Platform, number: int) -> None:
    """Change something, let a copy be made, change more, damage the files, and do what `doctor` says."""
    known = copied(platform, change(platform, 2 * number + 1))
    copies = {name: copy_of(database_of(platform, name)).read_bytes() for name in SERVICES}
    later = change(platform, 2 * number + 2)
    wait_until(lambda: all(later[name] <= set(acts_of(platform, name)) for name in SERVICES), within=60)

    def damage() -> None:
        for name, happens in zip(SERVICES, DAMAGES[number], strict=True):
            happens(database_of(platform, name))
            copy_of(database_of(platform, name)).write_bytes(copies[name])

    if cut_while_it_is_used in DAMAGES[number]:
        damage()
    else:
        with stopped(platform, *SERVICES):
            damage()
    lost = {name: acts_of(platform, name)[known[name] :] for name in SERVICES}
    for name in SERVICES:
        assert later[name] <= set(lost[name])
        wait_until(
            lambda name=name: (
                platform.condition(name, "storage").get("reason", "").startswith("database-damaged")
            ),  # type: ignore[misc]
            lambda name=name: f"{name} says {platform.condition(name, 'storage')}",  # type: ignore[misc]
        )
    told = databases(platform)
    assert [check["state"] for check in told] == ["fail"] * len(SERVICES)
    for name, check in zip(SERVICES, told, strict=True):
        assert check["detail"].startswith(f"{name}: database-damaged")
        command = f"python -m lienthong.{name} put-copy-back"
        assert command in check["advice"]
        assert command in check["advice_vi"]
        done = lienthong(platform, "put-copy-back", module=f"lienthong.{name}")
        assert (done.returncode, done.stderr) == (0, "")
    for name in SERVICES:
        wait_until(
            lambda name=name: platform.condition(name, "history").get("missing") == len(lost[name]),  # type: ignore[misc]
            lambda name=name: f"{name} lacks {lost[name]} and says {platform.condition(name, 'history')}",  # type: ignore[misc]
        )
        assert platform.condition(name, "storage")["state"] == "ok"
    for name in SERVICES:
        reason = ("--reason", "đĩa hỏng")
        accepted = lienthong(platform, "accept-rolled-back", *reason, module=f"lienthong.{name}")
        assert f"{len(lost[name])} changes" in accepted.stdout, accepted
    accepted_is_well(platform)


def accepted_is_well(platform: Platform) -> None:
    """Wait until nothing is wrong any more; `doctor` says so too."""
    for name in SERVICES:
        wait_until(lambda name=name: platform.condition(name, "history")["state"] == "ok", within=30)  # type: ignore[misc]
    assert [check["state"] for check in databases(platform)] == ["ok"]


def copied(platform: Platform, acts: dict[str, set[str]]) -> dict[str, int]:
    """Wait until these acts are in the log, and copies of the databases were made since; gives how many acts
    of each service the log has then."""
    wait_until(lambda: all(acts[name] <= set(acts_of(platform, name)) for name in SERVICES), within=60)
    known = {name: len(acts_of(platform, name)) for name in SERVICES}
    now = time.time()
    for name in SERVICES:
        copy = copy_of(database_of(platform, name))
        wait_until(lambda copy=copy: copy.exists() and copy.stat().st_mtime > now, f"{name} makes no copy")  # type: ignore[misc]
    assert known == {name: len(acts_of(platform, name)) for name in SERVICES}
    return known


def test_what_a_flipped_byte_takes_from_the_log_of_sqlite_is_missed(platform: Platform) -> None:
    """SQLite reads its write-ahead log up to the first frame that does not fit: what was committed after that
    is gone without a word from it. The catalog compares itself with the ledger."""
    supervisor = platform.installation.supervisor
    before = set(acts_of(platform, "catalog"))
    with platform.operator() as operator:
        for number in range(1, 6):
            operator.apply([agency_manifest(f"H98.{number:02}")])
    agencies = {f"Agency/H98.{number:02}" for number in range(1, 6)}
    wait_until(lambda: agencies <= set(acts_of(platform, "catalog")), within=60)
    database = database_of(platform, "catalog")
    frozen = platform.home / "frozen"
    with standing_still(supervisor.pid("catalog")):
        shutil.copytree(database.parent, frozen)
    log = frozen / "catalog.db-wal"
    with stopped(platform, "catalog"):
        # The page that says it is the first of the five, in its last place in the log.
        content = log.read_bytes()
        _flip(log, content.index(b"H98.01"))
        shutil.rmtree(database.parent)
        frozen.rename(database.parent)
    lost = [act for act in acts_of(platform, "catalog") if act not in before]
    wait_until(
        lambda: platform.condition("catalog", "history").get("missing") == len(lost),
        lambda: f"the catalog lacks {lost} and says {platform.condition('catalog', 'history')}",
    )
    with platform.operator() as operator:
        there = {f"Agency/{one['metadata']['id']}" for one in operator.manifests("agencies")}
    assert not agencies & there
    (told,) = databases(platform)
    assert told["detail"].startswith("catalog: database-rolled-back")
    reason = ("--reason", "đĩa hỏng")
    accepted = lienthong(platform, "accept-rolled-back", *reason, module="lienthong.catalog")
    assert f"{len(lost)} changes" in accepted.stdout, accepted
    accepted_is_well(platform)
