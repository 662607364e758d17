"""Versions of the catalog: the time, so that none comes again after an older copy of the database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import pytest

from lienthong.catalog.bootstrap import PACKAGE, SCHEMA
from lienthong.catalog.domain.resources import ResourceKind
from lienthong.catalog.repository import ChangeLogRepository
from lienthong.catalog.service.unit_of_work import UnitOfWork
from lienthong.kit.actors import Actor
from lienthong.kit.database import Database, migrate

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 29, 17, tzinfo=UTC)
MILLISECONDS = 1_795_971_600_000


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        pytest.param(42, MILLISECONDS, id="counted by an older release, or an older copy"),
        pytest.param(MILLISECONDS, MILLISECONDS + 1, id="within the same millisecond"),
        pytest.param(MILLISECONDS + 60_000, MILLISECONDS + 60_001, id="the clock was set back"),
    ],
)
def test_a_version_is_the_time_and_above_the_one_before(known: int, expected: int) -> None:
    none = cast("Any", None)
    work = UnitOfWork(none, {}, known, NOW, Actor("test", transaction_id="transaction"), none, none)
    assert [work.next_version(), work.next_version()] == [expected, expected + 1]


async def test_how_far_a_watch_is_behind_is_counted_in_changes_not_in_versions(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/catalog.db"
    await migrate(url, SCHEMA, PACKAGE)
    db = Database.open(url, schema=SCHEMA)
    versions = [1, 2, MILLISECONDS, MILLISECONDS + 500]
    async with db.transaction() as session:
        changes = {(ResourceKind.AGENCY, f"H99.{version}"): version for version in versions}
        await ChangeLogRepository(session).add(changes, "test", "transaction", NOW)
    async with db.reading() as session:
        log = ChangeLogRepository(session)
        found = [[await log.has_more_changes(version, most) for version in versions] for most in (1, 3)]
    await db.close()
    assert found == [[True, True, False, False], [False, False, False, False]]
