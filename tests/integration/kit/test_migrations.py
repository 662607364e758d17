"""Bringing a database to its newest schema, from code."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from lienthong.kit.database import Database, migrate

if TYPE_CHECKING:
    from pathlib import Path

FIRST = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "0001", None

def upgrade():
    op.create_table("steps", sa.Column("name", sa.Text, primary_key=True))
    op.execute("INSERT INTO steps VALUES ('first')")
"""
SECOND = """
from alembic import op

revision, down_revision = "0002", "0001"

def upgrade():
    op.execute("INSERT INTO steps VALUES ('second')")
"""
BROKEN = """
from alembic import op

revision, down_revision = "0003", "0002"

def upgrade():
    op.execute("INSERT INTO steps VALUES ('third')")
    raise RuntimeError("half way")
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package with one migration."""
    versions = tmp_path / "with_migrations" / "migrations" / "versions"
    versions.mkdir(parents=True)
    (tmp_path / "with_migrations" / "__init__.py").touch()
    (versions / "0001_first.py").write_text(FIRST)
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("with_migrations", None)
    return "with_migrations"


def add(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "with_migrations" / "migrations" / "versions" / name).write_text(text)


async def steps(url: str) -> list[str]:
    opened = Database.open(url, schema="stepping")
    async with opened.reading() as session:
        found = list((await session.execute(sa.text("SELECT name FROM steps ORDER BY name"))).scalars())
    await opened.close()
    return found


async def test_each_revision_runs_once_however_often_it_is_asked_for(
    database_url: str, package: str, tmp_path: Path
) -> None:
    await migrate(database_url, "stepping", package)
    await migrate(database_url, "stepping", package)
    assert await steps(database_url) == ["first"]
    add(tmp_path, "0002_second.py", SECOND)
    await migrate(database_url, "stepping", package)
    assert await steps(database_url) == ["first", "second"]


async def test_replicas_that_start_together_migrate_once(
    database_url: str, package: str, tmp_path: Path
) -> None:
    """Other processes, because in one process a lock of Python would already keep them apart."""
    script = (
        f"import asyncio, sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from lienthong.kit.database import migrate\n"
        f"asyncio.run(migrate({database_url!r}, 'stepping', {package!r}))\n"
    )
    started = [
        await asyncio.create_subprocess_exec(sys.executable, "-W", "error", "-c", script) for _ in range(3)
    ]
    assert await asyncio.gather(*(process.wait() for process in started)) == [0, 0, 0]
    assert await steps(database_url) == ["first"]


async def test_a_migration_that_fails_changes_nothing(
    database_url: str, package: str, tmp_path: Path
) -> None:
    await migrate(database_url, "stepping", package)
    add(tmp_path, "0002_second.py", SECOND)
    add(tmp_path, "0003_broken.py", BROKEN)
    with pytest.raises(RuntimeError, match="half way"):
        await migrate(database_url, "stepping", package)
    assert await steps(database_url) == ["first"]


async def test_a_package_without_migrations_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"lienthong\.kit has no folder migrations"):
        await migrate(f"sqlite:///{tmp_path}/x.db", "kit", "lienthong.kit")
