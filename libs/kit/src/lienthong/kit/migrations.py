"""Bring a database to the newest schema: Alembic run from code, one process at a time."""

from __future__ import annotations

import asyncio
import importlib.util
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from lienthong.kit.engines import MIGRATING, advisory_key, create_engine

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_PATIENCE = 60.0
# Alembic's `op` is a global: two upgrades in one process would write into each other.
_one_at_a_time = threading.Lock()


async def migrate(url: str, schema: str, package: str) -> None:
    """Upgrade the database at `url` to the head of `<package>/migrations`.

    The revisions are the modules in `migrations/versions` (or in `migrations` itself); no `env.py` is needed.
    On PostgreSQL `schema` is created when missing and an advisory lock keeps replicas apart; on SQLite the
    write lock does: each waits a minute for others, then the upgrade fails. Everything happens in one
    transaction: either all of it or nothing.
    """
    revisions = _revisions(package)
    await asyncio.to_thread(_in_thread, url, schema, revisions)


def _in_thread(url: str, schema: str, revisions: Path) -> None:
    with _one_at_a_time:
        asyncio.run(_upgrade(url, schema, revisions))


async def _upgrade(url: str, schema: str, revisions: Path) -> None:
    engine = create_engine(url, schema=schema, busy_timeout=_PATIENCE, limits=MIGRATING)
    try:
        async with engine.execution_options(sqlite_begin="BEGIN IMMEDIATE").begin() as connection:
            if engine.dialect.name == "postgresql":
                await connection.execute(
                    text("SELECT pg_advisory_xact_lock(:key)"), {"key": advisory_key(schema, "migrations")}
                )
                # Looked up first: where an operator has created the schema, this role may lack the right to.
                there = await connection.execute(
                    text("SELECT 1 FROM pg_namespace WHERE nspname = :schema"), {"schema": schema}
                )
                if there.first() is None:
                    await connection.execute(text(f'CREATE SCHEMA "{schema}"'))
            await connection.run_sync(_run, revisions)
    finally:
        await engine.dispose()


def _run(connection: Connection, revisions: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(revisions.parent).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(revisions).replace("%", "%%"))
    script = ScriptDirectory.from_config(config)

    def to_head(revision: Any, _: Any) -> Any:  # noqa: ANN401 - Alembic's own types are private
        return script._upgrade_revs("head", revision)  # noqa: SLF001 - what alembic.command.upgrade calls

    with EnvironmentContext(config, script, fn=to_head, destination_rev="head") as environment:
        environment.configure(connection=connection, transactional_ddl=True)
        environment.run_migrations()


def _revisions(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ValueError(f"{package} is not a package: migrations lie in a folder of that name inside one")
    migrations = Path(spec.submodule_search_locations[0]) / "migrations"
    versions = migrations / "versions"
    folder = versions if versions.is_dir() else migrations
    if not folder.is_dir():
        raise ValueError(f"{package} has no folder {folder.name}: {folder} does not exist")
    return folder
