"""A console before an identity that really answers, each at an address of its own."""

from __future__ import annotations

import asyncio
import html
import json
import re
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import httpx
import uvicorn

from lienthong.catalog.bootstrap import create_app as create_catalog
from lienthong.console.app import create_console
from lienthong.console.bootstrap import starts_of
from lienthong.console.openid import OpenId, read_key
from lienthong.console.platform import Platform
from lienthong.console.sessions import Sessions
from lienthong.console.settings import ConsoleSettings
from lienthong.identity.bootstrap import create_app, create_pages
from lienthong.identity.people.service.people import NewPerson
from lienthong.identity.people.service.sessions import Begun
from lienthong.identity.settings import IdentitySettings
from lienthong.kit.access import Access
from lienthong.kit.clock import ManualClock, SystemClock, rfc3339
from lienthong.kit.ids import uuid7
from lienthong.kit.keys import fold_keys
from lienthong.kit.policy import Grant, Role, needs_second_factor
from lienthong.kit.shown import Shown
from lienthong.kit.tokens import TokenVerifier
from lienthong.ledger.bootstrap import create_app as create_ledger
from lienthong.ledger.bootstrap import search_rates
from lienthong.ledger.settings import LedgerSettings
from lienthong.pages.cookies import Cookies
from tests.integration.catalog.province import agency, manifest, name, openapi, system
from tests.integration.console.reading import forms_of
from tests.integration.identity.harness import NOWHERE, running
from tests.integration.identity.people.harness import LAND, ONE_STOP, OPERATOR, PASSWORD, Office
from tests.integration.ledger.support import STREAM, message, opened, record
from tests.integration.ledger.test_endpoints import nowhere
from tests.support.catalog import OPERATOR as CATALOGS_OPERATOR
from tests.support.catalog import opened_catalog
from tests.support.ports import take_free_port
from tests.support.rpc import rpc_trust
from tests.support.waiting import ended, eventually

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator
    from pathlib import Path

    from fastapi import FastAPI
    from starlette.types import ASGIApp, Receive, Scope, Send

    from lienthong.contracts.identity.v1.keys_pb2 import WatchResponse
    from lienthong.ledger.bootstrap import LedgerCore
    from tests.integration.identity.harness import Process
    from tests.integration.identity.people.harness import Person
    from tests.support.catalog import Catalog

LOGIN = "an@example.vn"


@dataclass
class Gateway:
    """What the console reaches the platform by: each service by the first segment of its paths."""

    identity: ASGIApp
    others: dict[str, ASGIApp] = field(default_factory=dict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        first = scope["path"].split("/")[1] if scope["type"] == "http" else ""
        await self.others.get(first, self.identity)(scope, receive, send)


@dataclass
class Place:
    """A console, its identity, and An, who owns the data of the land department."""

    process: Process
    settings: ConsoleSettings
    sessions: Sessions
    person_id: str
    app: FastAPI
    gateway: Gateway

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
    # Kept open for longer than httpx keeps a connection (5 s): else both end one at the same moment.
    config = uvicorn.Config(app, port=port, log_config=None, proxy_headers=False, timeout_keep_alive=60)
    server = uvicorn.Server(config)
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
    gateway_port = take_free_port()
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
    settings = ConsoleSettings.model_validate(
        shared | {"console_gateway_url": f"http://127.0.0.1:{gateway_port}"}
    )
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
        app = create_console(settings, openid, sessions, platform, starts, SystemClock())
        gateway = Gateway(create_app(identity, process.core, rpc_trust()))
        async with _served(gateway, gateway_port), _served(app, console_port):
            yield Place(process, settings, sessions, account.id, app, gateway)


def offered(code: str) -> dict[str, Any]:
    """A service of an agency."""
    document = openapi()
    document["info"] |= {"description": "Ranh giới và diện tích của từng thửa đất."}
    named = name("Tra cứu thửa đất")
    upstreams = ["http://127.0.0.1:8204"]
    return manifest("Service", f"{code}/land/parcels-v1", name=named, upstreams=upstreams, openapi=document)


def published(code: str) -> dict[str, Any]:
    """An event type of an agency."""
    schema = {"type": "object", "properties": {"parcelId": {"type": "string"}}}
    named = name("Thửa đất biến động")
    return manifest("EventType", f"{code}/land/parcel-changed-v1", name=named, dataSchema=schema)


def agreed(provider: str, consumer: str) -> dict[str, Any]:
    """An approved agreement of an agency's system on another one's events."""
    return manifest(
        "Agreement",
        f"on-{provider.lower().replace('.', '-')}",
        consumer=f"{consumer}/land",
        eventType=f"{provider}/land/parcel-changed-v1",
        purposes=["land-procedure"],
        legalGround="Điều 12 Luật Đất đai 2024",
        status="approved",
    )


async def _access(place: Place, clock: SystemClock) -> Access:
    """What a service beside identity verifies tokens with."""
    async with aclosing(cast("AsyncGenerator[WatchResponse, None]", place.process.watch())) as told:
        keys = fold_keys(None, await anext(told))
    verifier = TokenVerifier(place.settings.issuer, place.settings.token_audience, clock)
    return Access(lambda: keys, verifier, Shown(rpc_trust(), clock))


@asynccontextmanager
async def a_catalog(
    place: Place, folder: Path, *, systems_per_agency: int = 200, clock: ManualClock | None = None
) -> AsyncIterator[Catalog]:
    """A catalog beside identity, with two agencies that have a system, a service and an event type each, and
    get each other's events."""
    clock = clock or cast("ManualClock", SystemClock())
    access = await _access(place, SystemClock())
    url = f"sqlite+aiosqlite:///{folder / 'catalog.db'}"
    async with opened_catalog(url, clock, systems_per_agency=systems_per_agency) as catalog:
        app = create_catalog(catalog.services, access, clock, uuid7, 1 << 20)
        manifests = [
            *(agency(code) for code in (LAND, ONE_STOP)),
            *(system(f"{code}/land") for code in (LAND, ONE_STOP)),
            *(offered(code) for code in (LAND, ONE_STOP)),
            *(published(code) for code in (LAND, ONE_STOP)),
            agreed(LAND, ONE_STOP),
            agreed(ONE_STOP, LAND),
        ]
        body = json.dumps({"manifests": manifests}).encode()
        await catalog.services.apply.apply(body, CATALOGS_OPERATOR, dry_run=False)
        place.gateway.others["catalog"] = app
        yield catalog


def called(consumer: str, provider: str, **members: Any) -> bytes:  # noqa: ANN401 - any JSON
    """The record of a call of an agency's system to another one's service, half an hour ago."""
    at = rfc3339(SystemClock().now() - timedelta(minutes=30))
    service = f"{provider}/land/parcels-v1"
    return record(**{"client": f"{consumer}/land", "service": service, "at": at} | members)


@asynccontextmanager
async def a_ledger(place: Place, folder: Path, *records: bytes) -> AsyncIterator[LedgerCore]:
    """A ledger beside identity, whose entries are counted; by default calls between two agencies."""
    clock = SystemClock()
    settings = LedgerSettings(home=folder, ledger_database_url=f"sqlite+aiosqlite:///{folder / 'ledger.db'}")
    usual = [
        *(called(LAND, ONE_STOP) for _ in range(3)),
        called(ONE_STOP, LAND, status=403, error="no-agreement"),
        called(ONE_STOP, LAND, status=500),
        called(ONE_STOP, ONE_STOP, status=502, error="caller-stalled"),
    ]
    async with opened(settings) as core:
        await core.integrator.integrate(STREAM, [message(1, *(records or usual))])
        while await core.counts.count_portion():
            pass
        access, rates = await _access(place, clock), search_rates(settings, clock)
        place.gateway.others["audit"] = create_ledger(core, access, nowhere, rates)
        yield core
