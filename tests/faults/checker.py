"""Compares what the caller noted, what the provider noted, and what lies in the ledger's tables.

Nothing here asks the platform whether all is well: the entries are read from the ledger's own database, and
the tree is computed again from what it serves, under its signed checkpoint.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import make_url, text

from lienthong.client.fsck import examine, read_checkpoint
from lienthong.client.operations import audit_file
from lienthong.kit.engines import create_engine
from lienthong.ledger.settings import LedgerSettings
from lienthong.tlog import VerifierKey
from tests.support.platform import SERVICE
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from tests.faults.calls import Calls
    from tests.support.platform import Platform

WITHIN_S: Final = 150.0
"""A batch counts as lost when the journal was read for half a minute without it."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What the comparison found; transaction ids, but for `untold`, which are paths."""

    answered: list[str]
    missing: list[str]
    """Answered, and not in the ledger."""
    double: list[str]
    """In the ledger more than once, or two calls were answered with it."""
    unserved: list[str]
    """Answered, and the provider served no such request, or several."""
    untold: list[str]
    """Served by the provider, without a record, and the caller was told of no failure."""

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.missing or self.double or self.unserved or self.untold)

    def __str__(self) -> str:
        parts = {
            "answered calls have no record": self.missing,
            "calls have several records or answers": self.double,
            "answered calls did not reach the provider once": self.unserved,
            "served requests have no record, and nobody was told": self.untold,
        }
        found = [f"{len(which)} {what}, such as {which[:3]}" for what, which in parts.items() if which]
        return f"of {len(self.answered)} answered calls: {'; '.join(found) or 'all is well'}"


def compare(calls: Calls) -> Tally:
    """Compare the three lists as they are now."""
    answered, records = Counter(calls.answered), recorded(calls.platform)
    served = calls.provider.requests()
    return Tally(
        answered=calls.answered,
        missing=[tx for tx in answered if not records[tx]],
        double=sorted({tx for found in (records, answered) for tx, number in found.items() if number > 1}),
        unserved=[tx for tx in answered if len(served.get(tx, ())) != 1],
        untold=[
            path
            for tx, paths in served.items()
            for path in paths
            if not records[tx] and not calls.failed[path]
        ],
    )


def assert_each_recorded_once(calls: Calls) -> None:
    """Every answered call reached the provider once and has one record; the ledger's tree is whole."""
    expected = set(calls.answered)
    wait_until(
        lambda: expected <= recorded(calls.platform).keys(),
        lambda: str(compare(calls)),
        within=WITHIN_S,
        every=0.5,
    )
    found = compare(calls)
    assert found.sound, found
    assert_tree_is_whole(calls.platform)


def assert_tree_is_whole(platform: Platform) -> None:
    """Every hash of the log follows from its entries, under its checkpoint."""
    key = VerifierKey.parse((platform.home / "ledger" / "ledger.vkey").read_text(encoding="ascii").strip())
    with platform.auditor() as auditor:
        note = auditor.perform(audit_file("checkpoint", public=True))
        assert examine(auditor, read_checkpoint(note, key)).report.sound


def recorded(platform: Platform) -> Counter[str]:
    """How many records of calls the ledger's database has of each transaction."""
    records = [json.loads(data) for data in entries(platform)]
    return Counter(
        record["tx"] for record in records if record["kind"] == "call" and record.get("service") == SERVICE
    )


def entries(platform: Platform) -> list[bytes]:
    """The entries, as they lie in the ledger's database."""
    url = LedgerSettings(home=platform.home).ledger_database_url
    name = make_url(url).database
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(f"file:{name}?mode=ro", uri=True)) as database:
            return [data for (data,) in database.execute("SELECT data FROM entry ORDER BY leaf_index")]
    # The test's own loop may be running in this thread.
    with ThreadPoolExecutor(1) as beside:
        return beside.submit(lambda: asyncio.run(_entries(url))).result()


async def _entries(url: str) -> list[bytes]:
    engine = create_engine(url, schema="ledger")
    try:
        async with engine.connect() as connection:
            found = await connection.execute(text("SELECT data FROM entry ORDER BY leaf_index"))
            return [data for (data,) in found]
    finally:
        await engine.dispose()
