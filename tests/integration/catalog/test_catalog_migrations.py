"""The tables that the migrations make are those that the code expects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from lienthong.catalog.bootstrap import PACKAGE, SCHEMA
from lienthong.catalog.models import CatalogBase
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
            opts={"compare_type": True, "include_name": lambda name, kind, _: not _is_alembics(name, kind)},
        )
        return list(compare_metadata(context, CatalogBase.metadata))

    engine = create_engine(database_url, schema=SCHEMA)
    try:
        async with engine.connect() as connection:
            assert await connection.run_sync(differences) == []
    finally:
        await engine.dispose()


def _is_alembics(name: str | None, kind: str) -> bool:
    return kind == "table" and name == "alembic_version"
