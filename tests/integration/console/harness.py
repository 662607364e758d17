"""A console before an identity that really answers, each at an address of its own."""

from __future__ import annotations

import asyncio
import html
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import httpx
import uvicorn

from lienthong.console.app import create_console
from lienthong.console.bootstrap import starts_of
from lienthong.console.openid import OpenId, read_key
from lienthong.console.platform import Platform
from lienthong.console.sessions import Sessions
from lienthong.console.settings import ConsoleSettings
from lienthong.identity.bootstrap import create_pages
from lienthong.identity.people.service.people import NewPerson
from lienthong.identity.people.service.sessions import Begun
from lienthong.identity.settings import IdentitySettings
from lienthong.kit.clock import ManualClock, SystemClock
from lienthong.kit.policy import Grant, Role, needs_second_factor
from lienthong.pages.cookies import Cookies
from tests.integration.console.reading import forms_of
from tests.integration.identity.harness import NOWHERE, running
from tests.integration.identity.people.harness import LAND, OPERATOR, PASSWORD, Office
from tests.support.ports import take_free_port
from tests.support.waiting import ended, eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from starlette.types import ASGIApp

    from tests.integration.identity.harness import Process
    from tests.integration.identity.people.harness import Person

LOGIN = "an@example.vn"


@dataclass
class Place:
    """A console, its identity, and An, who owns the data of the land department."""

    process: Process
    settings: ConsoleSettings
    sessions: Sessions
    person_id: str

    @asynccontextmanager
    async def visitor(self) -> AsyncIterator[Visitor]:
        """Somebody's browser, with scripts turned off."""
        async with httpx.AsyncClient(follow_redirects=True, timeout=30) as http:
            yield Visitor(self, http)

    @asynccontextmanager
    async def signed_in(self, person: Person) -> AsyncIterator[Visitor]:
        """The browser of somebody who has just signed in to the console, with a second factor if need be."""
        begun = await (person.enrol() if needs_second_factor(person.account.grants) else person.begin())
        assert isinstance(begun, Begun)
        async with self.visitor() as visitor:
            name = Cookies(self.settings.people_url).name("session")
            visitor.http.cookies.set(name, begun.token, domain="localhost.local")
            home = await visitor.http.get(f"{self.settings.console_url}/sign-in")
            assert str(home.url) == f"{self.settings.console_url}/", home.text
            yield visitor

    @property
    def office(self) -> Office:
        """The accounts of the installation, to make more of them."""
        # Nobody advances it.
        return Office(self.process.core, cast("ManualClock", SystemClock()))


@dataclass
class Visitor:
    """Somebody who goes from page to page."""

    place: Place
    http: httpx.AsyncClient

    async def home(self) -> httpx.Response:
        return await self.open("/")

    async def open(self, path: str) -> httpx.Response:
        """A page of the console."""
        return await self.http.get(f"{self.place.settings.console_url}{path}")

    async def post(self, page: httpx.Response, action: str, **typed: str) -> httpx.Response:
        """Fill in the form of a page of the console that leads to `action`, and send it."""
        fields = forms_of(page)[action].fields | typed
        return await self.send(f"{self.place.settings.console_url}{action}", fields)

    async def answer(self) -> str:
        """Sign in at identity; gives the address at which the browser is sent back to the console."""
        page = await self.http.get(f"{self.place.settings.console_url}/sign-in")
        sent = forms_of(page)["/sign-in"].fields | {"login": LOGIN, "password": PASSWORD}
        onward = await self.send(str(page.url.copy_with(query=None)), sent)
        there = f"{self.place.settings.people_url}{onward_of(onward)}"
        back = await self.http.get(there, follow_redirects=False)
        assert back.status_code == 303, back.text
        return str(back.headers["location"])

    async def sign_in(self) -> httpx.Response:
        """Come home signed in."""
        return await self.http.get(await self.answer())

    async def send(self, address: str, fields: dict[str, str], **headers: str) -> httpx.Response:
        parts = urlsplit(address)
        sent = {"Origin": f"{parts.scheme}://{parts.netloc}", "Sec-Fetch-Site": "same-origin", **headers}
        return await self.http.post(address, data=fields, headers=sent)


def onward_of(page: httpx.Response) -> str:
    """Where a page leads on to."""
    (address,) = re.findall(r'http-equiv="refresh" content="0; url=([^"]+)"', page.text)
    return html.unescape(address)


@asynccontextmanager
async def _served(app: ASGIApp, port: int) -> AsyncIterator[None]:
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, proxy_headers=False))
    serving = asyncio.create_task(server.serve())
    await eventually(lambda: server.started)
    try:
        yield
    finally:
        server.should_exit = True
        await ended("the pages", serving)


@asynccontextmanager
async def a_console(folder: Path) -> AsyncIterator[Place]:
    port, people_port, console_port = take_free_port(), take_free_port(), take_free_port()
    shared = {
        "home": folder,
        "public_url": f"http://127.0.0.1:{port}",
        "people_url": f"http://localhost:{people_port}",
        "console_url": f"http://localhost:{console_port}",
        "nats_url": NOWHERE,
    }
    identity = IdentitySettings.model_validate(
        shared
        | {
            "identity_database_url": f"sqlite+aiosqlite:///{folder / 'test.db'}",
            "identity_key_file": folder / "identity" / "key-encryption.jwk",
            "identity_bootstrap_dir": folder,
            "identity_registers_console": True,
        }
    )
    settings = ConsoleSettings.model_validate(shared)
    async with (
        running(identity, port=port) as process,
        _served(create_pages(identity, process.core), people_port),
        httpx.AsyncClient(timeout=30) as http,
    ):
        openid = OpenId(settings, read_key(settings.console_credentials_dir), http, SystemClock())
        sessions = Sessions(openid)
        people = process.core.people.people
        roles = frozenset({Grant(Role.DATA_OWNER, LAND)})
        account, link = await people.invite(OPERATOR, NewPerson(LOGIN, "An", LAND, roles))
        await people.accept(link.token, PASSWORD)
        starts = starts_of(settings, ManualClock())
        platform = Platform(settings.console_gateway, http)
        async with _served(create_console(settings, openid, sessions, platform, starts), console_port):
            yield Place(process, settings, sessions, account.id)
