"""Routes change thousands of times while callers call: no call fails that should not, none goes astray."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from lienthong.client import Client, Credentials
from lienthong.client.operations import decide_agreement
from tests.support.platform import CONSUMER, PROVIDER, PURPOSE, manifest, named, running_platform
from tests.support.upstream import running_upstream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.support.platform import Platform

_SERVICES: Final = 4
_ADDRESSES: Final = 3
_CALLERS: Final = 6
_VISITOR: Final = "H11.36.01/portal"
"""The consumer whose agreements come and go."""


def service_id(number: int) -> str:
    return f"{PROVIDER}/changing-{number}-v1"


class Providers:
    """Every address of every service; whoever answers says which it is, and what it was asked."""

    def __init__(self) -> None:
        self.urls: dict[int, list[str]] = {number: [] for number in range(_SERVICES)}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listen until the block ends."""
        servers = []
        for number in range(_SERVICES):
            for _ in range(_ADDRESSES):
                server = await asyncio.start_server(self._serving(number), "127.0.0.1", 0)
                self.urls[number].append(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
                servers.append(server)
        try:
            yield
        finally:
            for server in servers:
                server.close()

    def _serving(self, number: int) -> Any:  # noqa: ANN401 - a callback of asyncio
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while True:
                    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                    line, *fields = head.split("\r\n")
                    named_ = dict(field.split(": ", 1) for field in fields if ": " in field)
                    said = {
                        "service": number,
                        "path": line.split(" ")[1],
                        "transaction": named_["lgsp-transaction-id"],
                        "client": named_["lgsp-client"],
                    }
                    body = json.dumps(said).encode()
                    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
                    await writer.drain()
            except (asyncio.IncompleteReadError, ConnectionError):
                pass
            finally:
                writer.close()

        return serve


class Changer:
    """Makes one change after the other, by way of the catalog; what it draws is the same in each run."""

    def __init__(self, operator: Client, urls: dict[int, list[str]]) -> None:
        self._operator = operator
        self._urls = urls
        self._draw = random.Random(7)  # noqa: S311 - no secret
        self._address = dict.fromkeys(range(_SERVICES), 0)
        self._extra = dict.fromkeys(range(_SERVICES), False)
        self._agreed: dict[int, str | None] = dict.fromkeys(range(_SERVICES))
        self.made: Counter[str] = Counter()

    def change(self) -> None:
        """One change, in force in the catalog when this returns."""
        number = self._draw.randrange(_SERVICES)
        kind = self._draw.choice(("address", "operation", "agreement"))
        if kind == "agreement":
            self._agreement(number)
            return
        if kind == "address":
            self._address[number] = (self._address[number] + 1) % _ADDRESSES
            self.made["addresses moved"] += 1
        else:
            self._extra[number] = not self._extra[number]
            self.made["operations added or removed"] += 1
        # An operation that goes away breaks who may call all of them; here that is meant.
        self._operator.apply([self.service(number)], allow_breaking=True)

    def service(self, number: int) -> dict[str, Any]:
        """A service as it is now."""
        answer = {"responses": {"200": {"description": "ok"}}}
        paths = {"/items/{item}": {"get": {"operationId": "getItem", **answer}}}
        if self._extra[number]:
            paths["/extras/{item}"] = {"get": {"operationId": "getExtra", **answer}}
        first = self._address[number]
        urls = self._urls[number]
        return named(
            "Service",
            service_id(number),
            "Thay đổi",
            "Changing",
            {
                "upstreams": [urls[first], urls[(first + 1) % _ADDRESSES]],
                "openapi": {"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "paths": paths},
            },
        )

    def _agreement(self, number: int) -> None:
        agreed = self._agreed[number]
        if agreed is not None:
            self._operator.perform(
                decide_agreement(agreed, "revoke", legal_ground=None, reason="Hết nhu cầu")
            )
            self._agreed[number] = None
            self.made["agreements revoked"] += 1
            return
        identifier = f"visit-{number}-{self.made['agreements approved']}"
        self._operator.apply([agreement(identifier, _VISITOR, number)])
        self._agreed[number] = identifier
        self.made["agreements approved"] += 1


def agreement(identifier: str, consumer: str, number: int) -> dict[str, Any]:
    return manifest(
        "Agreement",
        identifier,
        {
            "consumer": consumer,
            "service": service_id(number),
            "purposes": [PURPOSE],
            "legalGround": "Luật Đất đai 2024",
            "status": "approved",
        },
    )


class Callers:
    """Call all services in turn, and look at each answer."""

    def __init__(self) -> None:
        self.over = False
        self.answers: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.slowest_s = 0.0

    async def call(self, http: httpx.AsyncClient, client: Client, who: str, part: str, number: int) -> None:
        """One call; `part` is the collection, whose operation may be there or not."""
        path = f"/{part}/{self.answers.total()}"
        began = time.monotonic()
        answer = await http.get(
            f"/api/{service_id(number)}{path}",
            headers={"Authorization": f"Bearer {client.token().value}", "LGSP-Purpose": PURPOSE},
        )
        self.slowest_s = max(self.slowest_s, time.monotonic() - began)
        error = answer.headers.get("lgsp-error")
        may_fail = {
            ("extras", CONSUMER): {"unknown-operation"},
            ("items", _VISITOR): {"no-agreement", "agreement-revoked"},
        }.get((part, who), set())
        if answer.status_code == 200:
            said = {
                "service": number,
                "path": path,
                "transaction": answer.headers["lgsp-transaction-id"],
                "client": who,
            }
            if answer.json() != said:
                self.wrong.append(f"misrouted: {path} of {number}: {answer.text}")
            self.answers[f"200 to {who} for {part}"] += 1
        elif error in may_fail:
            self.answers[f"{error} to {who} for {part}"] += 1
        else:
            self.wrong.append(f"failed: {path} of {number} for {who}: {answer.status_code} {answer.text}")

    async def go_on(self, http: httpx.AsyncClient, clients: dict[str, Client], first: int) -> None:
        """Call until it is over."""
        kinds = (("items", CONSUMER), ("items", CONSUMER), ("extras", CONSUMER), ("items", _VISITOR))
        turn = first
        while not self.over:
            part, who = kinds[turn % len(kinds)]
            await self.call(http, clients[who], who, part, turn // len(kinds) % _SERVICES)
            turn += 1


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    with running_upstream() as upstream, running_platform(tmp_path / "home", upstream) as running:
        yield running


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(100, id="short"),
        pytest.param(3000, id="long", marks=(pytest.mark.long, pytest.mark.timeout(3600))),
    ],
)
def test_changes_of_routes_fail_and_misroute_no_call(
    platform: Platform, changes: int, capsys: pytest.CaptureFixture[str]
) -> None:
    visitor = Credentials.new(_VISITOR, gateway=platform.gateway)
    providers, callers = Providers(), Callers()
    made: Counter[str] = Counter()
    took_s = 0.0

    def begin(changer: Changer, operator: Client) -> None:
        operator.apply(
            [
                named("Agency", "H11.36.01", "Xã", "Commune", {"class": "GOV"}),
                named("System", _VISITOR, "Cổng", "Portal", {"jwks": visitor.public_keys()}),
                *(changer.service(number) for number in range(_SERVICES)),
                *(agreement(f"steady-{number}", CONSUMER, number) for number in range(_SERVICES)),
            ]
        )

    async def ready(http: httpx.AsyncClient, clients: dict[str, Client]) -> None:
        async with asyncio.timeout(60):
            for who, expected in ((CONSUMER, 200), (_VISITOR, 403)):
                for number in range(_SERVICES):
                    while True:
                        token = await asyncio.to_thread(clients[who].token)
                        headers = {"Authorization": f"Bearer {token.value}"}
                        answer = await http.get(f"/api/{service_id(number)}/items/0", headers=headers)
                        if answer.status_code == expected:
                            break
                        await asyncio.sleep(0.05)

    async def run() -> None:
        nonlocal made, took_s
        async with providers.running(), httpx.AsyncClient(base_url=platform.gateway, timeout=30) as http:
            with platform.operator() as operator, Client(platform.consumer) as one, Client(visitor) as two:
                changer, clients = Changer(operator, providers.urls), {CONSUMER: one, _VISITOR: two}
                await asyncio.to_thread(begin, changer, operator)
                await ready(http, clients)
                calling = [
                    asyncio.create_task(callers.go_on(http, clients, first)) for first in range(_CALLERS)
                ]
                began = time.monotonic()
                for _ in range(changes):
                    await asyncio.to_thread(changer.change)
                took_s, made = time.monotonic() - began, changer.made
                callers.over = True
                await asyncio.gather(*calling)

    asyncio.run(run())
    with capsys.disabled():
        print(f"\n{changes} changes in {took_s:.1f} s: {dict(made)}")
        print(f"{callers.answers.total()} calls meanwhile: {dict(callers.answers)}")
        print(
            f"failed or misrouted: {len(callers.wrong)}; the slowest took {callers.slowest_s * 1000:.0f} ms"
        )
    assert callers.wrong == []
    assert made.total() == changes
    assert len(made) == 4
    assert callers.answers[f"200 to {CONSUMER} for items"] >= changes // 2
    assert len(callers.answers) >= 4, "each kind of call was both answered and refused"
