"""The tables that the migrations make are those that the code expects."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from lienthong.catalog import migrations
from lienthong.catalog.bootstrap import PACKAGE, SCHEMA
from lienthong.catalog.models import CatalogBase
from lienthong.catalog.systems.domain.system import Suspender
from lienthong.catalog.systems.repository import SystemRepository
from lienthong.kit.database import Database
from lienthong.kit.engines import create_engine
from lienthong.kit.migrations import migrate

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


async def test_the_migrated_database_has_the_tables_of_the_models(database_url: str) -> None:
    await migrate(database_url, SCHEMA, PACKAGE)
    await migrate(database_url, SCHEMA, PACKAGE)

    def differences(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(
            connection,
            opts={"compare_type": True, "include_name": lambda name, kind, _: _is_ours(name, kind)},
        )
        return list(compare_metadata(context, CatalogBase.metadata))

    engine = create_engine(database_url, schema=SCHEMA)
    try:
        async with engine.connect() as connection:
            assert await connection.run_sync(differences) == []
    finally:
        await engine.dispose()


def _is_ours(name: str | None, kind: str) -> bool:
    """Whether a model describes it: Alembic has a table, and each database its own way to look terms up."""
    return (kind, name) not in {("table", "alembic_version"), *LOOKED_UP_BY}


@pytest.fixture
def first_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package with the first revision of the catalog alone, as it was installed before."""
    folder = tmp_path / "catalog_before" / "migrations" / "versions"
    folder.mkdir(parents=True)
    (tmp_path / "catalog_before" / "__init__.py").touch()
    [source] = Path(migrations.__path__[0]).glob("versions/0001_*.py")
    shutil.copy(source, folder)
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("catalog_before", None)
    return "catalog_before"


async def test_agreements_of_the_first_revision_stay_and_may_lapse(
    database_url: str, first_revision: str
) -> None:
    await migrate(database_url, SCHEMA, first_revision)
    database = Database.open(database_url, schema=SCHEMA)
    at = NOW if database.dialect == "postgresql" else NOW.replace(tzinfo=None)
    try:
        async with database.transaction() as session:
            for statement in ROWS:
                await session.execute(text(statement), {"at": at})
        await migrate(database_url, SCHEMA, PACKAGE)
        async with database.transaction() as session:
            assert (await session.execute(text("SELECT id, status FROM agreements"))).all() == [
                ("x", "requested")
            ]
            await session.execute(text("UPDATE agreements SET status = 'lapsed'"))
        for forbidden in (
            "UPDATE agreements SET status = 'forgotten'",
            "DELETE FROM agreements",
        ):
            with pytest.raises(IntegrityError):
                async with database.transaction() as session:
                    await session.execute(text(forbidden))
    finally:
        await database.close()


async def test_systems_that_were_suspended_before_count_as_suspended_by_the_platform(
    database_url: str, first_revision: str
) -> None:
    await migrate(database_url, SCHEMA, first_revision)
    database = Database.open(database_url, schema=SCHEMA)
    at = NOW if database.dialect == "postgresql" else NOW.replace(tzinfo=None)
    try:
        async with database.transaction() as session:
            for statement in (*ROWS[:2], SUSPENDED):
                await session.execute(text(statement), {"at": at})
        await migrate(database_url, SCHEMA, PACKAGE)
        async with database.transaction() as session:
            found = await session.execute(text("SELECT id, suspended_by FROM systems ORDER BY id"))
            assert found.all() == [("A/a", None), ("A/b", "platform")]
        # What a catalog of before the column suspends meanwhile does not say by whom.
        async with database.transaction() as session:
            await session.execute(text("UPDATE systems SET status = 'suspended' WHERE id = 'A/a'"))
        async with database.reading() as session:
            (system,) = (await SystemRepository(session).load(["A/a"])).values()
        assert system.suspended_by is Suspender.PLATFORM
        with pytest.raises(IntegrityError):
            async with database.transaction() as session:
                await session.execute(text("UPDATE systems SET suspended_by = 'nobody'"))
    finally:
        await database.close()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_constraint_that_is_not_as_expected_is_told_and_left(
    database_url: str, first_revision: str
) -> None:
    """Spaces are enough: SQLite keeps the text of the statement that made the table."""
    await migrate(database_url, SCHEMA, first_revision)
    path = database_url.partition("///")[2]
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_schema SET sql = replace(sql, 'status IN (', 'status IN  (')")
        connection.commit()
        before = connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall()
    for _ in range(2):
        with pytest.raises(
            RuntimeError, match="the constraint on the status of agreements is not the expect"
        ):
            await migrate(database_url, SCHEMA, PACKAGE)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall() == before


async def test_services_of_before_are_published(database_url: str, first_revision: str) -> None:
    await migrate(database_url, SCHEMA, first_revision)
    database = Database.open(database_url, schema=SCHEMA)
    at = NOW if database.dialect == "postgresql" else NOW.replace(tzinfo=None)
    try:
        async with database.transaction() as session:
            for statement in ROWS[:3]:
                await session.execute(text(statement), {"at": at})
        await migrate(database_url, SCHEMA, PACKAGE)
        async with database.reading() as session:
            found = await session.execute(text("SELECT id, stage FROM services"))
            assert found.all() == [("A/a/s-v1", "published")]
        with pytest.raises(IntegrityError):
            async with database.transaction() as session:
                await session.execute(text("UPDATE services SET stage = 'forgotten'"))
    finally:
        await database.close()


async def test_of_what_was_there_nothing_is_merged_and_keys_with_an_end_are_looked_at(
    database_url: str, first_revision: str
) -> None:
    await migrate(database_url, SCHEMA, first_revision)
    database = Database.open(database_url, schema=SCHEMA)
    at = NOW if database.dialect == "postgresql" else NOW.replace(tzinfo=None)
    try:
        async with database.transaction() as session:
            for statement in ROWS[:2]:
                await session.execute(text(statement), {"at": at})
            ending = text("INSERT INTO systems VALUES ('A/e', :spec, 7, :at, :at, 'A', 'active')")
            spec = '{"jwks": {"keys": [{"kty": "OKP", "exp": 1830297600}]}}'
            # asyncpg takes text for JSON, SQLite's driver likewise.
            await session.execute(ending, {"spec": spec, "at": at})
        await migrate(database_url, SCHEMA, PACKAGE)
        async with database.reading() as session:
            agencies = await session.execute(text("SELECT parent_id, merged_into FROM agencies"))
            assert agencies.all() == [(None, None)]
            systems = await session.execute(
                text("SELECT id, remind_at IS NULL, told_at IS NULL FROM systems ORDER BY id")
            )
            assert [tuple(row) for row in systems] == [("A/a", True, True), ("A/e", False, True)]
    finally:
        await database.close()


LOOKED_UP_BY = {
    ("index", "ix_search_texts_terms"),
    ("table", "search_terms"),
    ("table", "search_terms_config"),
    ("table", "search_terms_data"),
    ("table", "search_terms_idx"),
}
NOW = datetime(2026, 11, 28, tzinfo=UTC)
ROWS = (
    "INSERT INTO agencies VALUES ('A', '{}', 1, :at, :at, 'GOV')",
    "INSERT INTO systems VALUES ('A/a', '{}', 2, :at, :at, 'A', 'active')",
    "INSERT INTO services VALUES ('A/a/s-v1', '{}', 3, :at, :at, 'A/a', '{}', '[]')",
    "INSERT INTO agreements VALUES ('x', '{}', 4, :at, :at, 'A/a', 'A/a/s-v1', NULL, 'requested')",
    "INSERT INTO decisions VALUES (5, 'x', 'approved', 'operator', :at, '', '')",
)
SUSPENDED = "INSERT INTO systems VALUES ('A/b', '{}', 6, :at, :at, 'A', 'suspended')"
