"""Records are found by the persons that they name, as far as they have a hash of each."""

from __future__ import annotations

import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import delete, insert, select

from lienthong.kit.database import Database, migrate
from lienthong.kit.engines import create_engine
from lienthong.ledger import migrations
from lienthong.ledger.bootstrap import SCHEMA
from lienthong.ledger.domain.search import EntryQuery
from lienthong.ledger.domain.search_index import IndexDifference
from lienthong.ledger.models import metadata, persons, seals
from tests.integration.ledger.support import STREAM, message, opened, record

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from lienthong.ledger.bootstrap import LedgerCore
    from lienthong.ledger.settings import LedgerSettings

ONE, OTHER, NOBODY = (bytes([number]) * 32 for number in (1, 2, 3))


def naming(name: str, *found: bytes, **members: Any) -> bytes:  # noqa: ANN401 - any JSON
    return record(id=name, persons=[f"hmac-sha256:{person.hex()}" for person in found], **members)


RECORDS = [
    naming("first", ONE, kind="intent"),
    naming("both", ONE, OTHER, OTHER),
    record(id="without"),
    naming("refused", OTHER, status=403),
    record(id="wrong", persons=["hmac-sha256:00", 7, None]),
    record(id="many", person_count=200, person_commitment=f"hmac-sha256:{ONE.hex()}"),
    record(id="none", persons="hmac-sha256:" + ONE.hex()),
]


async def found(core: LedgerCore, *wanted: bytes, **filters: Any) -> list[int]:  # noqa: ANN401 - any filter
    page = await core.log.search(EntryQuery(limit=50, persons=wanted, **filters))
    return [item.index for item in page.items]


async def test_records_are_found_by_the_persons_in_them(settings: LedgerSettings) -> None:
    async with opened(settings) as core:
        await core.integrator.integrate(STREAM, [message(1, *RECORDS)])
        assert await found(core, ONE) == [1, 0]
        assert await found(core, OTHER) == [3, 1]
        assert await found(core, NOBODY) == []
        assert await found(core, NOBODY, ONE) == [1, 0]
        assert await found(core, OTHER, order="asc") == [1, 3]
        assert await found(core, OTHER, status=403) == [3]
        assert await found(core, ONE, kind="call") == [1]
        assert await found(core, OTHER, agency="H11.05") == [3, 1]
        assert await found(core, OTHER, after=3) == [1]


async def test_a_person_that_was_taken_out_of_the_index_or_put_in_is_named(settings: LedgerSettings) -> None:
    async with opened(settings) as core:
        await core.integrator.integrate(STREAM, [message(1, *RECORDS)])
        assert list((await core.index.portion(0)).differences) == []
        async with core.database.transaction() as session:
            await session.execute(delete(persons).where(persons.c.person == ONE, persons.c.leaf_index == 1))
            await session.execute(insert(persons).values(person=ONE, leaf_index=2))
        portion = await core.index.portion(0)
    both = ", ".join((ONE.hex(), OTHER.hex()))
    assert list(portion.differences) == [
        IndexDifference(1, "persons", OTHER.hex(), both),
        IndexDifference(2, "persons", ONE.hex(), None),
    ]


@pytest.fixture
def before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package with the revisions of the ledger before the one that brought persons."""
    folder = tmp_path / "ledger_before" / "migrations" / "versions"
    folder.mkdir(parents=True)
    (tmp_path / "ledger_before" / "__init__.py").touch()
    for source in Path(migrations.__path__[0]).glob("versions/r000[1-4]_*.py"):
        shutil.copy(source, folder)
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("ledger_before", None)
    return "ledger_before"


async def test_a_log_of_before_goes_on_and_new_records_are_found(
    settings: LedgerSettings, before: str
) -> None:
    await migrate(settings.ledger_database_url, SCHEMA, before)
    database = Database.open(settings.ledger_database_url, schema=SCHEMA)
    noted = {"journal_stream": "s", "journal_sequence": 7, "noted_at": datetime(2026, 11, 23, tzinfo=UTC)}
    async with database.transaction() as session:
        await session.execute(insert(seals).values(noted))
    await database.close()
    async with opened(settings) as core:
        await core.integrator.integrate(STREAM, [message(1, record(), naming("new", ONE))])
        assert await found(core, ONE) == [1]
        async with core.database.reading() as session:
            assert dict((await session.execute(select(seals))).mappings().one()) == noted


async def test_the_newest_schema_is_what_the_models_say(settings: LedgerSettings) -> None:
    await migrate(settings.ledger_database_url, SCHEMA, "lienthong.ledger")

    def differences(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))

    engine = create_engine(settings.ledger_database_url, schema=SCHEMA)
    try:
        async with engine.connect() as connection:
            assert await connection.run_sync(differences) == []
    finally:
        await engine.dispose()
