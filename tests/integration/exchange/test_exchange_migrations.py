"""Migrations make the tables that the models describe, and keep the rows of older databases."""

from __future__ import annotations

import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from lienthong.exchange import migrations
from lienthong.exchange.models import ExchangeBase, Subscription
from lienthong.kit.database import Database, Json, UtcDateTime, migrate
from lienthong.kit.engines import create_engine

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

NOW = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
UNTIL = datetime(2026, 11, 23, 6, 30, 30, 123456, tzinfo=UTC)

SUBSCRIPTIONS_0001 = sa.table(
    "subscriptions",
    sa.column("id", sa.String),
    sa.column("owner", sa.String),
    sa.column("name", sa.String),
    sa.column("event_type", sa.String),
    sa.column("ordered", sa.Boolean),
    sa.column("start_sequence", sa.BigInteger),
    sa.column("created_at", UtcDateTime()),
    sa.column("turn", sa.String),
    sa.column("turn_until", UtcDateTime()),
    sa.column("turn_events", Json),
)
ACKNOWLEDGEMENTS_0001 = sa.table(
    "acknowledgements",
    sa.column("subscription_id", sa.String),
    sa.column("message_id", sa.String),
    sa.column("sequence", sa.BigInteger),
    sa.column("acknowledged_at", UtcDateTime()),
)


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


@pytest.fixture
def first_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package with the first revision of the exchange alone, as it was installed before."""
    folder = tmp_path / "exchange_before" / "migrations" / "versions"
    folder.mkdir(parents=True)
    (tmp_path / "exchange_before" / "__init__.py").touch()
    [source] = Path(migrations.__path__[0]).glob("versions/0001_*.py")
    shutil.copy(source, folder)
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("exchange_before", None)
    return "exchange_before"


def row(name: str, **lease: object) -> dict[str, object]:
    """A subscription as the first revision stores it."""
    return {
        "id": f"id-of-{name}",
        "owner": "H11.01/one-stop",
        "name": name,
        "event_type": "H11.05/land/parcel-changed-v1",
        "ordered": True,
        "start_sequence": 7,
        "created_at": NOW,
        "turn": None,
        "turn_until": None,
        "turn_events": None,
        **lease,
    }


async def test_leases_and_acknowledgements_of_an_older_database_are_kept(
    database_url: str, first_revision: str
) -> None:
    await migrate(database_url, "exchange", first_revision)
    database = Database.open(database_url, schema="exchange")
    async with database.transaction() as session:
        await session.execute(
            sa.insert(SUBSCRIPTIONS_0001),
            [row("held", turn="pull-1", turn_until=UNTIL, turn_events=["m-1", "m-2"]), row("free")],
        )
        await session.execute(
            sa.insert(ACKNOWLEDGEMENTS_0001),
            [
                {
                    "subscription_id": "id-of-held",
                    "message_id": "m-1",
                    "sequence": 8,
                    "acknowledged_at": NOW,
                }
            ],
        )
    await database.close()

    await migrate(database_url, "exchange", "lienthong.exchange")
    database = Database.open(database_url, schema="exchange")
    async with database.reading() as session:
        free, held = await session.scalars(sa.select(Subscription).order_by(Subscription.name))
        acknowledged = (await session.scalars(sa.select(ACKNOWLEDGEMENTS_0001.c.message_id))).all()
    await database.close()
    assert (held.lease, held.lease_until, held.lease_events) == ("pull-1", UNTIL, ["m-1", "m-2"])
    assert (free.lease, free.lease_until, free.lease_events) == (None, None, None)
    assert {(one.owner, one.event_type, one.start_sequence, one.created_at) for one in (free, held)} == {
        ("H11.01/one-stop", "H11.05/land/parcel-changed-v1", 7, NOW)
    }
    assert acknowledged == ["m-1"]
