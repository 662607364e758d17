"""Applications are told of sessions that have ended, and nobody is told who must not be called."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from sqlalchemy import func, select

from lienthong.identity.openid.models import logout_notices
from lienthong.identity.openid.service.posting import NotPostedError, Poster
from lienthong.identity.settings import IdentitySettings
from lienthong.kit.addresses import ProviderAddresses
from lienthong.kit.clock import ManualClock
from lienthong.kit.policy import Grant, Role
from tests.integration.identity.harness import ISSUER
from tests.integration.identity.openid.harness import a_place
from tests.integration.identity.people.harness import LAND, OPERATOR
from tests.support.ports import take_free_port
from tests.support.promises import promptly
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.integration.identity.openid.harness import Place

OWNER = Grant(Role.DATA_OWNER, LAND)
LOOPBACK = "127.0.0.0/8"


@dataclass
class Listener:
    """An application's address, and what came there."""

    port: int
    answer: bytes | None = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    """None for none at all."""
    heads: list[bytes] = field(default_factory=list)
    forms: list[dict[str, list[str]]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/logout?app=1"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        body = await reader.readexactly(length)
        self.heads.append(head)
        self.forms.append(parse_qs(body.decode()))
        if self.answer is None:
            await reader.read()
        else:
            writer.write(self.answer)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def listening(listener: Listener | None = None) -> AsyncIterator[Listener]:
    listener = listener or Listener(take_free_port())
    server = await asyncio.start_server(listener.serve, "127.0.0.1", listener.port)
    try:
        yield listener
    finally:
        server.close()


async def waiting_notices(place: Place) -> int:
    async with place.process.core.database.reading() as session:
        return int((await session.execute(select(func.count()).select_from(logout_notices))).scalar_one())


async def none_waits(place: Place) -> bool:
    return await waiting_notices(place) == 0


async def put_off(place: Place) -> bool:
    """Whether the notice that was not taken is known to be due again later, and when."""
    async with place.process.core.database.reading() as session:
        row = (await session.execute(select(logout_notices.c.attempts, logout_notices.c.due_at))).one()
    return bool(row.due_at == place.clock.now() + timedelta(seconds=2**row.attempts))


async def claims(place: Place, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    keys = KeySet.import_key_set((await place.process.http.get("/oauth2/jwks")).json())
    decoded = jwt.decode(token, keys, algorithms=["ES256"])
    return decoded.header, decoded.claims


async def test_an_application_is_told_within_a_second(tmp_path: Path, database_url: str) -> None:
    async with (
        listening() as listener,
        a_place(tmp_path, database_url, provider_networks=LOOPBACK) as place,
    ):
        application = await place.application(logout=listener.address)
        other = await place.other()
        signed_in = await place.signed_in(await place.office.person("an", OWNER))
        for one in (application, application, other):
            await one.tokens(signed_in)
        await place.process.core.people.people.sign_out(OPERATOR, signed_in.account.id)
        await promptly(lambda: bool(listener.forms), "the application is told", within=1)
        assert listener.heads[0].startswith(b"POST /logout?app=1 HTTP/1.1\r\n")
        assert f"host: 127.0.0.1:{listener.port}".encode() in listener.heads[0].lower()
        header, said = await claims(place, listener.forms[0]["logout_token"][0])
        now = int(place.clock.now().timestamp())
        assert header["typ"] == "logout+jwt"
        assert said.pop("jti")
        assert said == {
            "iss": ISSUER,
            "sub": signed_in.account.id,
            "aud": application.client_id,
            "iat": now,
            "exp": now + 120,
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
            "sid": signed_in.session.id,
        }
        await eventually(lambda: none_waits(place))
        await asyncio.sleep(0.3)
        assert len(listener.forms) == 1


@pytest.mark.parametrize("first", ["sign-ons", "sessions"])
async def test_an_application_is_told_of_a_session_whose_time_is_over(
    tmp_path: Path, database_url: str, first: str
) -> None:
    async with (
        listening() as listener,
        a_place(tmp_path, database_url, provider_networks=LOOPBACK) as place,
    ):
        application = await place.application(logout=listener.address)
        signed_in = await place.signed_in(await place.office.person("an", OWNER))
        await application.tokens(signed_in)
        # Nobody was told anything by this one.
        await application.code(signed_in)
        place.clock.advance(12 * 3600 + 1)
        upkeep = [place.process.core.openid.upkeep.forget, place.process.core.people.upkeep.forget]
        for forget in upkeep if first == "sign-ons" else reversed(upkeep):
            await forget()
        await eventually(lambda: bool(listener.forms))
        _, said = await claims(place, listener.forms[0]["logout_token"][0])
        assert said["sid"] == signed_in.session.id
        await asyncio.sleep(0.3)
        assert len(listener.forms) == 1


async def test_what_a_killed_process_had_taken_another_posts(tmp_path: Path, database_url: str) -> None:
    clock = ManualClock()
    async with listening() as listener:
        listener.answer = None
        async with a_place(tmp_path, database_url, clock=clock, provider_networks=LOOPBACK) as place:
            application = await place.application(logout=listener.address)
            signed_in = await place.signed_in(await place.office.person("an", OWNER))
            await application.tokens(signed_in)
            await place.process.core.people.people.sign_out(OPERATOR, signed_in.account.id)
            await eventually(lambda: bool(listener.forms))
            # Its answer never comes; the process ends meanwhile.
            assert await waiting_notices(place) == 1
        clock.advance(31)
        listener.answer = b"HTTP/1.1 204 No Content\r\n\r\n"
        async with a_place(tmp_path, database_url, clock=clock, provider_networks=LOOPBACK) as place:
            await eventually(lambda: len(listener.forms) == 2)


async def test_an_application_that_refuses_is_told_again_and_then_given_up(
    tmp_path: Path, database_url: str
) -> None:
    async with (
        listening() as listener,
        a_place(tmp_path, database_url, provider_networks=LOOPBACK) as place,
    ):
        listener.answer = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
        application = await place.application(logout=listener.address)
        signed_in = await place.signed_in(await place.office.person("an", OWNER))
        await application.tokens(signed_in)
        await place.process.core.people.people.sign_out(OPERATOR, signed_in.account.id)
        await eventually(lambda: len(listener.forms) == 1)
        await eventually(lambda: put_off(place))
        place.clock.advance(3)
        await eventually(lambda: len(listener.forms) == 2)
        await eventually(lambda: put_off(place))
        place.clock.advance(3601)
        await eventually(lambda: len(listener.forms) == 3)
        await eventually(lambda: none_waits(place))
        (record,) = await place.records("application.logout-not-taken")
        assert record["detail"] == {"session": signed_in.session.id, "attempts": 3, "why": "status 302"}


async def test_the_machine_itself_is_not_called_unless_it_is_allowed(
    tmp_path: Path, database_url: str
) -> None:
    async with listening() as listener, a_place(tmp_path, database_url) as place:
        application = await place.application(logout=listener.address)
        signed_in = await place.signed_in(await place.office.person("an", OWNER))
        await application.tokens(signed_in)
        await place.process.core.people.people.sign_out(OPERATOR, signed_in.account.id)
        await asyncio.sleep(1)
        assert listener.forms == []
        assert await waiting_notices(place) == 1


@pytest.mark.parametrize(
    "address",
    [
        "http://localhost:9/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://[::ffff:127.0.0.1]/x",
        "https://169.254.169.254/latest/meta-data",
        "https://0.0.0.0/x",
        "https://2130706433/x",
        "https://0x7f.1/x",
        "https://one.localhost/x",
        "https://nats/x",
    ],
)
async def test_what_must_not_be_called_is_not(address: str) -> None:
    poster = Poster(ProviderAddresses.of(IdentitySettings()))
    with pytest.raises(NotPostedError):
        await poster.post(address, {"logout_token": "x"})
    await poster.close()
