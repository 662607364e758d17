"""Accounts on a real database, with a clock that is set by hand; and what a person has to sign in with."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pyotp
from sqlalchemy import select

from lienthong.identity.bootstrap import open_core
from lienthong.identity.models import metadata, outbox
from lienthong.identity.people.domain.accounts import Account, person_actor
from lienthong.identity.people.domain.sessions import Origin
from lienthong.identity.people.service.people import NewPerson
from lienthong.identity.people.service.sign_ins import SignIns, UnderWay
from lienthong.kit.actors import Actor
from lienthong.kit.bus import Bus
from lienthong.kit.clock import ManualClock
from lienthong.kit.policy import Grant, Role
from tests.integration.identity.harness import NOWHERE, key_file, settings_for
from tests.support.authenticator import Authenticator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from lienthong.identity.bootstrap import IdentityCore
    from lienthong.identity.people.service.sessions import Begun, SignedIn
    from lienthong.identity.settings import IdentitySettings

LAND, ONE_STOP = "H11.05", "H11.01"
OPERATOR = Actor("operator", frozenset({Grant(Role.PLATFORM_OPERATOR)}), transaction_id="tx-1")
HOME = Origin.of("192.0.2.1", "Firefox")
ELSEWHERE = Origin.of("198.51.100.7", "curl")
PASSWORD = "ba con trâu ngoài đồng"
PEOPLE_URL = "http://localhost:8091"
HOST = "localhost"


@dataclass
class Office:
    """The accounts of an installation."""

    core: IdentityCore
    clock: ManualClock

    @property
    def sign_ins(self) -> SignIns:
        return self.core.people.sign_ins

    async def person(
        self, name: str, *grants: Grant, agency: str = LAND, actor: Actor = OPERATOR, password: str = PASSWORD
    ) -> Person:
        """Someone who was invited and has accepted."""
        wanted = NewPerson(f"{name}@example.vn", name.capitalize(), agency, frozenset(grants))
        account, link = await self.core.people.people.invite(actor, wanted)
        taken = await self.core.people.people.accept(link.token, password)
        assert taken.id == account.id
        return Person(self, taken, password)

    async def records(self, action: str | None = None) -> list[dict[str, Any]]:
        """The audit records that wait in the outbox, oldest first; of one action where it is named."""
        async with self.core.database.reading() as session:
            rows = await session.scalars(select(outbox.c.payload).order_by(outbox.c.id))
            found = [json.loads(row) for row in rows]
        return [
            one for one in found if one["object"].startswith("Person/") and action in (None, one["action"])
        ]

    async def everything(self) -> str:
        """Every row of every table, as text."""
        async with self.core.database.reading() as session:
            rows = [(await session.execute(select(table))).all() for table in metadata.sorted_tables]
        return repr(rows)


@dataclass
class Person:
    """Someone with an account, and what that person knows and has."""

    office: Office
    account: Account
    password: str
    secret: str = ""
    device: str | None = None
    passkey: Authenticator = field(default_factory=lambda: Authenticator(PEOPLE_URL, HOST))
    recovery_codes: list[str] = field(default_factory=list)

    @property
    def actor(self) -> Actor:
        return person_actor(self.account)

    def code(self) -> str:
        """The code of this moment."""
        return pyotp.TOTP(self.secret).at(self.office.clock.now())

    async def begin(self, origin: Origin = HOME, *, password: str | None = None) -> Begun | UnderWay:
        return await self.office.sign_ins.password(
            self.account.login, password or self.password, origin, self.device
        )

    async def under_way(self, origin: Origin = HOME) -> UnderWay:
        """The password was right, and more is needed."""
        found = await self.begin(origin)
        assert isinstance(found, UnderWay)
        return found

    async def enrol(self) -> Begun:
        """Sign in for the first time, with a new authenticator application."""
        sign_ins = self.office.sign_ins
        started = await self.under_way()
        made = await sign_ins.enrol_totp(started.token)
        self.secret = parse_qs(urlsplit(made.uri).query)["secret"][0]
        assert self.secret == made.secret
        enrolled = await sign_ins.confirm_totp(started.token, self.code(), HOME)
        self.recovery_codes = enrolled.recovery_codes
        return self.noted(enrolled.begun)

    async def sign_in(self, origin: Origin = HOME) -> Begun:
        """Sign in again, with the application where there is one, after a step of time: codes are used up."""
        self.office.clock.advance(30)
        found = await self.begin(origin)
        if isinstance(found, UnderWay):
            found = await self.office.sign_ins.totp(found.token, self.code(), origin, self.device)
        return self.noted(found)

    async def signed_in(self, begun: Begun) -> SignedIn:
        found = await self.office.core.people.sessions.check(begun.token)
        assert found is not None
        return found

    def noted(self, begun: Begun) -> Begun:
        self.device = begun.device or self.device
        return begun


@asynccontextmanager
async def an_office(
    folder: Path,
    database_url: str,
    clock: ManualClock | None = None,
    settings: IdentitySettings | None = None,
) -> AsyncIterator[Office]:
    """Accounts on this database; several offices may share one, as replicas do."""
    clock = clock or ManualClock()
    settings = settings or settings_for(folder, database_url)
    key_file(folder)
    core = await open_core(settings, Bus(NOWHERE, "identity"), clock=clock)
    try:
        yield Office(core, clock)
    finally:
        await core.close()
