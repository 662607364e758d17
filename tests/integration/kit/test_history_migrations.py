"""A database that was in use before it was compared with the ledger is compared from its upgrade on."""

from __future__ import annotations

import importlib
import shutil
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from lienthong.kit.database import Database, migrate

BEFORE = {
    "catalog": "INSERT INTO changes (version, kind, resource_id, actor, transaction_id, at)"
    " VALUES (1, 'Agency', 'H11', 'operator', '1', '2026-11-23')",
    "identity": "INSERT INTO client (client_id, jwks, scopes, status, catalog_version, changed_at)"
    " VALUES ('H11/a', '{}', '', 'active', 1, '2026-11-23')",
    "exchange": "INSERT INTO event_streams (name, generation, created, spans)"
    " VALUES ('EVENTS', 0, 'now', '[]')",
}


@pytest.mark.parametrize("service", BEFORE)
async def test_only_a_new_database_is_compared_from_the_beginning(
    database_url: str, service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = f"lienthong.{service}"
    await migrate(database_url, service, _earlier(package, tmp_path, monkeypatch))
    database = Database.open(database_url, schema=service)
    try:
        async with database.transaction() as session:
            await session.execute(text(BEFORE[service]))
        await migrate(database_url, service, package)
        async with database.reading() as session:
            found = (await session.execute(text("SELECT log, compared_through, missing FROM history"))).all()
        assert found == [(None, None, 0)]
    finally:
        await database.close()


@pytest.mark.parametrize("service", BEFORE)
async def test_a_new_database_has_nothing_to_begin_with(database_url: str, service: str) -> None:
    await migrate(database_url, service, f"lienthong.{service}")
    database = Database.open(database_url, schema=service)
    try:
        async with database.reading() as session:
            assert (await session.execute(text("SELECT * FROM history"))).all() == []
    finally:
        await database.close()


def _earlier(package: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package with the revisions before."""
    name = f"before_{package.rpartition('.')[2]}"
    versions = folder / name / "migrations" / "versions"
    versions.mkdir(parents=True)
    (folder / name / "__init__.py").touch()
    migrations = Path(importlib.import_module(f"{package}.migrations").__path__[0])
    for source in sorted(migrations.glob("versions/0*.py")):
        if source.stem.endswith("_history"):
            break
        shutil.copy(source, versions)
    monkeypatch.syspath_prepend(str(folder))
    sys.modules.pop(name, None)
    return name
