"""A database that ends, or does not answer, while a request is handled is told as such, not as a defect."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
import pytest
import sqlalchemy as sa
from fastapi import APIRouter

from lienthong.kit.database import Database
from lienthong.kit.engines import Limits, create_engine
from lienthong.kit.rest import StrictRoute, create_rest_app
from tests.support.ports import take_free_port

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sqlalchemy.ext.asyncio import AsyncSession

SCHEMA = "away_test"


def served(database: Database, work: Callable[[AsyncSession], Awaitable[None]]) -> httpx.AsyncClient:
    """A service that does something in a transaction, whether it is asked to read or to change."""
    app = create_rest_app("Test", summary="Test.", openapi_path="/openapi.json")
    router = APIRouter(route_class=StrictRoute)

    @router.api_route("/work", methods=["GET", "POST"])
    async def handle() -> dict[str, str]:
        async with database.transaction() as session:
            await work(session)
        return {}

    app.include_router(router)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service.test")


def assert_told(answer: httpx.Response, *, changing: bool) -> None:
    """It is a problem that names the database, and says so where a change may have been made."""
    assert (answer.status_code, answer.headers["LGSP-Error"]) == (503, "platform-unavailable"), answer.text
    assert answer.headers["Retry-After"] == "5"
    detail = answer.json()["detail"]
    assert "database of this service does not answer" in detail
    assert ("Whether the change was made is not known" in detail) == changing


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_connection_that_ends_before_the_commit(postgres_database: str, method: str) -> None:
    database = Database.open(postgres_database, schema=SCHEMA)

    async def broken_off(session: AsyncSession) -> None:
        pid = (await session.execute(sa.text("SELECT pg_backend_pid()"))).scalar_one()
        async with database.reading() as other:
            await other.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})

    async with served(database, broken_off) as service:
        assert_told(await service.request(method, "/work"), changing=method == "POST")
    await database.close()


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_server_that_is_not_there(method: str) -> None:
    url = f"postgresql+asyncpg://nobody@127.0.0.1:{take_free_port()}/none"
    database = Database.open(url, schema=SCHEMA)

    async def anything(session: AsyncSession) -> None:
        await session.execute(sa.text("SELECT 1"))

    async with served(database, anything) as service:
        assert_told(await service.request(method, "/work"), changing=method == "POST")
    await database.close()


async def test_a_server_that_does_not_answer_in_time(postgres_database: str) -> None:
    engine = create_engine(postgres_database, schema=SCHEMA, limits=Limits(command=0.3, lock=None))
    database = Database(engine, schema=SCHEMA)

    async def slow(session: AsyncSession) -> None:
        await session.execute(sa.text("SELECT pg_sleep(60)"))

    async with served(database, slow) as service, asyncio.timeout(20):
        assert_told(await service.post("/work"), changing=True)
    await database.close()


async def test_any_other_error_of_the_database_is_a_defect(database_url: str) -> None:
    database = Database.open(database_url, schema=SCHEMA)

    async def nonsense(session: AsyncSession) -> None:
        await session.execute(sa.text("SELECT * FROM no_such_table"))

    async with served(database, nonsense) as service:
        answer = await service.post("/work")
    assert (answer.status_code, answer.headers["LGSP-Error"]) == (500, "internal-error")
    await database.close()
