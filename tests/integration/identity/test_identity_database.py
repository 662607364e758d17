"""The database: migrations make what the models say, and its absence is survived and told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from joserfc.jwk import ECKey

from lienthong.identity.bootstrap import SCHEMA
from lienthong.identity.models import metadata
from lienthong.identity.repository import assertion_digest
from lienthong.identity.service.used_assertions import UsedAssertions
from lienthong.kit.clock import ManualClock, SystemClock
from lienthong.kit.database import Database, migrate
from tests.integration.identity.harness import SYSTEM, running, settings_for, watching
from tests.support.databases import drop_database
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from sqlalchemy.orm import Session

EC = ECKey.generate_key("P-256")


async def test_migrations_make_what_the_models_say(database_url: str) -> None:
    for _ in range(2):
        await migrate(database_url, SCHEMA, "lienthong.identity")
    database = Database.open(database_url, schema=SCHEMA)

    def differences(session: Session) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(session.connection()), metadata))

    async with database.reading() as session:
        found = await session.run_sync(differences)
    await database.close()
    assert found == []


async def test_without_its_database_it_issues_nothing_and_verifiers_go_on(
    tmp_path: Path, postgres_database: str, postgres_url: str
) -> None:
    async with (
        running(settings_for(tmp_path, postgres_database)) as process,
        watching(process) as states,
    ):
        await process.register(EC)
        assert (await process.ask(process.assertion(EC))).status_code == 200
        await asyncio.to_thread(drop_database, postgres_url, postgres_database.rpartition("/")[2])
        known = await process.ask(process.assertion(EC))
        unknown = await process.ask(process.assertion(EC, "H99.99/nobody"))
        for answer in (known, unknown):
            assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
            assert answer.headers["retry-after"] == "1"
            assert answer.headers["cache-control"] == "no-store"
        sent = len(states)
        await eventually(lambda: len(states) > sent + 1)
        assert states[-1] == states[-2]
        assert (await process.http.get("/oauth2/jwks")).status_code == 200


def digest(number: int) -> bytes:
    return assertion_digest(SYSTEM, f"id-{number}")


async def test_uses_that_come_together_are_each_decided_once(database_url: str) -> None:
    await migrate(database_url, SCHEMA, "lienthong.identity")
    database = Database.open(database_url, schema=SCHEMA)
    here, there = (UsedAssertions(database, SystemClock()) for _ in range(2))

    async def use(used: UsedAssertions, number: int) -> tuple[int, bool]:
        return number, await used.use(digest(number), forget_at=2**40)

    outcomes = await asyncio.gather(
        *(use(used, number) for number in range(100) for used in (here, there, here))
    )
    first = [number for number, was_first in outcomes if was_first]
    assert sorted(first) == list(range(100))
    again = await asyncio.gather(*(use(here, number) for number in range(100)))
    assert not any(was_first for _, was_first in again)
    await database.close()


async def test_a_caller_that_leaves_spoils_nothing_for_the_others(database_url: str) -> None:
    await migrate(database_url, SCHEMA, "lienthong.identity")
    database = Database.open(database_url, schema=SCHEMA)
    used = UsedAssertions(database, SystemClock())
    leaving, *staying = (
        asyncio.create_task(used.use(digest(number), forget_at=2**40)) for number in range(5)
    )
    await asyncio.sleep(0)
    leaving.cancel()
    assert await asyncio.gather(*staying) == [True] * 4
    assert not await used.use(digest(0), forget_at=2**40)
    await database.close()


async def test_an_assertion_that_was_used_lately_is_refused_without_the_database(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrate(database_url, SCHEMA, "lienthong.identity")
    database = Database.open(database_url, schema=SCHEMA)
    clock = ManualClock()
    until = int(clock.now().timestamp()) + 60
    here, there = UsedAssertions(database, clock), UsedAssertions(database, clock)
    asked_for: list[object] = []
    write = database.write

    async def counted(work: Any) -> Any:  # noqa: ANN401
        asked_for.append(work)
        return await write(work)

    monkeypatch.setattr(database, "write", counted)
    assert await here.use(digest(0), forget_at=until)
    assert not await there.use(digest(0), forget_at=until)
    asked = len(asked_for)
    for used in (here, there):
        for _ in range(5):
            assert not await used.use(digest(0), forget_at=until)
    assert len(asked_for) == asked
    clock.advance(61)
    assert not await here.use(digest(0), forget_at=until + 120), "only the database forgets"
    assert len(asked_for) > asked
    await database.close()
