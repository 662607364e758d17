"""A real process is killed between people's sign-outs and what it has to tell applications of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from sqlalchemy import func, select, update

from lienthong.identity.bootstrap import SCHEMA
from lienthong.identity.openid.models import logout_notices
from lienthong.kit.clock import SystemClock
from lienthong.kit.database import Database
from lienthong.kit.policy import Grant, Role
from tests.integration.identity.harness import ISSUER
from tests.integration.identity.openid.harness import a_place
from tests.integration.identity.openid.test_back_channel_logout import LOOPBACK, Listener, listening
from tests.integration.identity.pages.harness import PEOPLE
from tests.integration.identity.people.harness import LAND
from tests.integration.identity.test_identity_process import environment, started
from tests.support.ports import give_back_offset, take_free_offset, take_free_port
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lienthong.kit.clock import ManualClock

OWNER = Grant(Role.DATA_OWNER, LAND)
ENDED, GOING_ON = 4, 2


@pytest.fixture
def offset() -> Iterator[int]:
    taken = take_free_offset()
    yield taken
    give_back_offset(taken)


async def signed_in(folder: Path, database_url: str, logout: str) -> dict[str, str]:
    """Somebody signs in to an application in several browsers; gives the ID token of each session."""
    clock = cast("ManualClock", SystemClock())
    async with a_place(folder, database_url, clock=clock) as place:
        application = await place.application(logout=logout)
        person = await place.office.person("an", OWNER)
        found = {}
        for _ in range(ENDED + GOING_ON):
            session = await place.signed_in(person)
            found[session.session.id] = str((await application.tokens(session))["id_token"])
    return found


async def sessions_told_of(listener: Listener, api: str) -> set[str]:
    """The sessions that an application was told of, by tokens that identity has signed."""
    async with httpx.AsyncClient(trust_env=False) as http:
        keys = KeySet.import_key_set((await http.get(f"{api}/oauth2/jwks")).json())
    told = [form["logout_token"][0] for form in listener.forms]
    return {str(jwt.decode(token, keys, algorithms=["ES256"]).claims["sid"]) for token in told}


@pytest.mark.parametrize("before", ["nobody listens", "no answer comes"])
async def test_an_application_is_told_after_the_restart_of_exactly_the_sessions_that_ended(
    tmp_path: Path, database_url: str, offset: int, before: str
) -> None:
    port = take_free_port()
    silent = Listener(port, answer=None)
    tokens = await signed_in(tmp_path, database_url, silent.address)
    ended = sorted(tokens)[:ENDED]
    variables = environment(tmp_path, offset, database_url) | {
        "LIENTHONG_PUBLIC_URL": ISSUER,
        "LIENTHONG_PEOPLE_URL": PEOPLE,
        "LIENTHONG_PROVIDER_NETWORKS": LOOPBACK,
    }
    pages = f"http://127.0.0.1:{8091 + offset}"
    with started(variables) as process:
        async with httpx.AsyncClient(base_url=pages, trust_env=False) as http:

            async def sign_out(session: str) -> None:
                answer = await http.get("/end-session", params={"id_token_hint": tokens[session]})
                assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?done=signed-out")

            if before == "nobody listens":
                for one in ended:
                    await sign_out(one)
                process.kill()
            else:
                async with listening(silent):
                    for one in ended:
                        await sign_out(one)
                    await eventually(lambda: bool(silent.forms), "the application is told")
                    process.kill()
        process.wait(10)
    database = Database.open(database_url, schema=SCHEMA)
    try:

        async def none_waits() -> bool:
            async with database.reading() as session:
                return (await session.scalars(select(func.count()).select_from(logout_notices))).one() == 0

        async with database.transaction() as session:
            kept = (await session.scalars(select(logout_notices.c.session_id))).all()
            # What the killed process had taken is due again after half a minute, which passes here.
            await session.execute(update(logout_notices).values(due_at=logout_notices.c.created_at))
        assert sorted(kept) == ended
        async with listening(Listener(port)) as listener:
            with started(variables):
                await eventually(none_waits, "every notice is taken")
                told = await sessions_told_of(listener, f"http://127.0.0.1:{8102 + offset}")
        assert sorted(told) == ended
    finally:
        await database.close()
