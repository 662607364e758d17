"""Which notices of logout are taken: an application that does not answer holds up no other, and a database
that fails leaves none behind."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from lienthong.identity.openid.models import logout_notices
from lienthong.identity.openid.repository import notices
from lienthong.identity.openid.repository.notices import Notice
from lienthong.identity.openid.service.posting import NotPostedError, Poster
from lienthong.identity.settings import IdentitySettings
from lienthong.kit.addresses import ProviderAddresses
from lienthong.kit.ids import uuid7
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy.ext.asyncio import AsyncSession

    from tests.integration.identity.openid.harness import Place


class Applications:
    """What is posted, and to whom; `dead` ones do not answer."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.answering = asyncio.Event()

    async def post(self, address: str, _: dict[str, str]) -> None:
        self.told.append(address)
        if "dead" in address:
            await self.answering.wait()
            raise NotPostedError("no answer")

    def count(self, name: str) -> int:
        return sum(name in address for address in self.told)


@pytest.fixture
def applications(place: Place, monkeypatch: pytest.MonkeyPatch) -> Applications:
    made = Applications()
    monkeypatch.setattr(place.process.core.openid.notices._poster, "post", made.post)
    return made


async def add(
    place: Place, client: str, many: int, *, old: timedelta = timedelta(0), attempts: int = 0
) -> None:
    now = place.clock.now()
    made = [
        Notice(
            str(uuid7()), client, f"https://{client}.example/", "p", f"{client}-{n}", attempts, now, now - old
        )
        for n in range(many)
    ]
    async with place.process.core.database.transaction() as session:
        await notices.add(session, made)


async def attempts_of(place: Place, client: str) -> list[int]:
    query = select(logout_notices.c.attempts).where(logout_notices.c.client_id == client)
    async with place.process.core.database.reading() as session:
        return sorted(await session.scalars(query))


async def test_one_that_does_not_answer_holds_up_no_other(place: Place, applications: Applications) -> None:
    await add(place, "dead", 300)
    await eventually(lambda: applications.count("dead") == 5)
    await add(place, "alive", 12)
    await eventually(lambda: applications.count("alive") == 12)
    # Counted is what was posted.
    assert applications.count("dead") == 5
    assert await attempts_of(place, "dead") == [0] * 295 + [1] * 5


async def test_many_that_do_not_answer_leave_the_next_place_to_who_has_none(
    place: Place, applications: Applications
) -> None:
    for n in range(10):
        await add(place, f"dead-{n}", 50)
    await eventually(lambda: applications.count("dead") == 50)
    await add(place, "alive", 1)
    await asyncio.sleep(0.6)
    applications.answering.set()
    await eventually(lambda: applications.count("alive") == 1)
    before = applications.told[: applications.told.index("https://alive.example/")]
    assert len(before) < 60


async def test_a_commit_that_fails_leaves_no_application_untold(
    place: Place, applications: Applications, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = place.process.core.openid.notices
    database = held._database
    failures = 0

    class Failing:
        def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the database has
            return getattr(database, name)

        @asynccontextmanager
        async def transaction(self) -> AsyncIterator[AsyncSession]:
            nonlocal failures
            async with database.transaction() as session:
                yield session
                failures += 1
                raise OperationalError("COMMIT", {}, Exception("server closed the connection"))

    monkeypatch.setattr(held, "_database", Failing())
    await add(place, "alive", 8)
    await eventually(lambda: failures >= 2)
    assert applications.told == []
    monkeypatch.setattr(held, "_database", database)
    await eventually(lambda: applications.count("alive") == 8)
    await asyncio.sleep(0.2)
    assert applications.count("alive") == 8


async def test_what_has_missed_its_last_turn_is_given_up_without_another(
    place: Place, applications: Applications
) -> None:
    await add(place, "dead", 1, old=timedelta(hours=2), attempts=3)
    # Nobody was up to try this one.
    await add(place, "alive", 1, old=timedelta(hours=2))
    await eventually(lambda: applications.count("alive") == 1)
    assert applications.count("dead") == 0
    (record,) = await place.records("application.logout-not-taken")
    assert record["detail"] == {"session": "dead-0", "attempts": 3, "why": "its time is over"}


async def test_names_that_are_not_found_for_long_hold_up_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real, answered, asked = socket.getaddrinfo, threading.Event(), []

    def look_up(host: Any, *rest: Any, **more: Any) -> Any:  # noqa: ANN401 - as it is called
        if "slow" in str(host):
            asked.append(host)
            answered.wait(30)
            raise socket.gaierror(socket.EAI_AGAIN, "try again")
        return real(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    poster = Poster(ProviderAddresses.of(IdentitySettings()))

    async def refused(address: str) -> str:
        with pytest.raises(NotPostedError) as refusal:
            await poster.post(address, {})
        return str(refusal.value)

    waiting = [asyncio.create_task(refused(f"https://slow-{n % 2}.example/")) for n in range(40)]
    try:
        await eventually(lambda: len(set(asked)) == 2)
        async with asyncio.timeout(15):
            await asyncio.get_running_loop().getaddrinfo("localhost", 5432)
            assert "leads to" in await refused("https://127.0.0.1/")
            # An address that has to be looked up, and is the machine itself.
            assert "leads to" in await refused("https://2130706433/")
        assert len(asked) == 2
    finally:
        answered.set()
        assert set(await asyncio.gather(*waiting)) == {"gaierror"}
        await poster.close()
