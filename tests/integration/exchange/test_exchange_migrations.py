"""Migrations make the tables that the models describe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from lienthong.exchange.models import ExchangeBase
from lienthong.kit.database import migrate
from lienthong.kit.engines import create_engine

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


async def test_the_newest_schema_is_what_the_models_say(database_url: str) -> None:
    await migrate(database_url, "exchange", "lienthong.exchange")
    await migrate(database_url, "exchange", "lienthong.exchange")

    def differences(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, ExchangeBase.metadata))

    engine = create_engine(database_url, schema="exchange")
    try:
        async with engine.connect() as connection:
            assert await connection.run_sync(differences) == []
    finally:
        await engine.dispose()
