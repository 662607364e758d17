"""What was answered is in the ledger, although the disks of the bus and the ledger went back in time."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from lienthong.kit.lost_records import ask_every_s
from tests.faults.checker import WITHIN_S, assert_each_recorded_once
from tests.faults.conftest import kill
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.faults.calls import Calls
    from tests.support.platform import Platform

pytestmark = pytest.mark.faults


@contextmanager
def stopped(platform: Platform, *names: str) -> Iterator[None]:
    """Without these processes for a while."""
    supervisor = platform.installation.supervisor
    for name in names:
        supervisor.stop(name)
    yield
    for name in reversed(names):
        supervisor.start(name)


def journal_store(platform: Platform) -> Path:
    """Where NATS keeps its streams."""
    (store,) = (platform.home / "nats").rglob("jetstream")
    return store


def copy(folder: Path) -> Path:
    """A copy beside a folder."""
    older = folder.with_name(f"{folder.name}.older")
    shutil.copytree(folder, older)
    return older


def put_back(older: Path, folder: Path) -> None:
    """Replace a folder by its copy."""
    shutil.rmtree(folder)
    older.rename(folder)


def retained(platform: Platform) -> dict[str, Any]:
    """What the gateway says of its retained records."""
    url = f"http://127.0.0.1:{platform.settings.health_port('gateway')}/health/ready"
    found: dict[str, Any] = httpx.get(url, trust_env=False).json()
    assert found["checks"]["retained"], "it is never a reason to stop"
    return dict(found.get("conditions", {}).get("retained", {"state": "ok"}))


async def test_a_journal_that_is_rolled_back_before_the_ledger_has_read_it_loses_nothing(
    platform: Platform, calls: Calls
) -> None:
    store = journal_store(platform)
    with stopped(platform, "ledger"):
        with stopped(platform, "nats"):
            older = copy(store)
        await calls.make(300)
        with stopped(platform, "nats"):
            put_back(older, store)
        await calls.make(50)
    assert_each_recorded_once(calls)
    assert retained(platform)["state"] == "ok"


async def test_a_journal_that_is_lost_and_a_gateway_that_is_killed_lose_nothing(
    platform: Platform, calls: Calls
) -> None:
    store = journal_store(platform)
    with stopped(platform, "ledger"):
        await calls.make(300, {200: lambda: kill(platform, "gateway")})
        kill(platform, "gateway")
        with stopped(platform, "nats"):
            shutil.rmtree(store)
    assert_each_recorded_once(calls)


async def test_ledger_and_journal_replaced_by_older_copies_get_everything_again(
    platform: Platform, calls: Calls
) -> None:
    store, database = journal_store(platform), platform.home / "ledger"
    await calls.make(100)
    assert_each_recorded_once(calls)
    with stopped(platform, "nats", "ledger"):
        copies = [copy(store), copy(database)]
    await calls.make(200)
    assert_each_recorded_once(calls)
    await asyncio.sleep(ask_every_s(platform.settings.lost_after) + 5)
    with stopped(platform, "nats", "ledger"):
        put_back(copies[0], store)
        put_back(copies[1], database)
    await calls.make(50)
    assert_each_recorded_once(calls)
    wait_until(lambda: retained(platform)["state"] == "degraded", lambda: str(retained(platform)))
    assert "log" in retained(platform)["reason"]
    # The operator, who knows why, accepts the log as it is now.
    (platform.home / "gateway" / "ledger.checkpoint").unlink()
    wait_until(lambda: retained(platform)["state"] == "ok", lambda: str(retained(platform)), within=60)


async def test_records_of_administrative_acts_come_into_the_log_although_the_bus_lost_them(
    platform: Platform,
) -> None:
    store = journal_store(platform)
    agencies = [f"H99.{number:02}" for number in range(1, 21)]
    with stopped(platform, "ledger"):
        with stopped(platform, "nats"):
            older = copy(store)
        with platform.operator() as operator:
            for agency in agencies:
                operator.apply([agency_manifest(agency)])
        wait_until(lambda: not waiting_in_outbox(platform), lambda: "the outbox is not empty")
        with stopped(platform, "nats"):
            put_back(older, store)
    expected = {f"Agency/{agency}" for agency in agencies}
    wait_until(
        lambda: expected <= acts(platform).keys(),
        lambda: f"missing: {sorted(expected - acts(platform).keys())}",
        within=WITHIN_S,
        every=0.5,
    )
    assert {name: acts(platform)[name] for name in expected} == dict.fromkeys(expected, 1)


def agency_manifest(identifier: str) -> dict[str, Any]:
    """An agency as the operator applies it."""
    return {
        "apiVersion": "lienthong/v1",
        "kind": "Agency",
        "metadata": {"id": identifier},
        "spec": {"name": {"vi": "Cơ quan", "en": "Agency"}, "class": "GOV"},
    }


def waiting_in_outbox(platform: Platform) -> int:
    """How many messages of the catalog the bus has not acknowledged."""
    with sqlite3.connect(f"file:{platform.home}/catalog/catalog.db?mode=ro", uri=True) as database:
        (found,) = database.execute("SELECT count(*) FROM outbox").fetchone()
        return int(found)


def acts(platform: Platform) -> Counter[str]:
    """How many records of administrative acts the ledger's own file has of each object."""
    with sqlite3.connect(f"file:{platform.home}/ledger/ledger.db?mode=ro", uri=True) as database:
        records = database.execute("SELECT data FROM entry WHERE kind = 'admin'").fetchall()
    return Counter(json.loads(data)["object"] for (data,) in records)
