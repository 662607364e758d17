"""What each role may do at each address of the ledger, and which records it finds."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from lienthong.kit.clock import ManualClock
from lienthong.kit.policy import Grant, Role
from lienthong.ledger.bootstrap import create_app, search_rates
from lienthong.ledger.domain.journal_place import JournalPlace, PlaceState
from lienthong.ledger.settings import LedgerSettings
from tests.integration.ledger.support import STREAM, message, opened, record
from tests.integration.roles.matrix import mismatches, routes_of, rows
from tests.support.people import OTHER, OWN, Issuer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from fastapi import FastAPI

    from tests.integration.roles.matrix import Row, Sample

TABLE = rows("""
GET  /audit/checkpoint                   open
GET  /audit/key                          open
GET  /audit/tile/{level}/{index:path}    open
GET  /audit/tile/entries/{index:path}    -   -   -   -   -   -   all all
GET  /audit/v1/status                    all -   -   -   -   -   all -
GET  /audit/v1/entries                   -   -   -   own own own all all
GET  /audit/v1/entries/{index}           -   -   -   own own own all all
GET  /audit/v1/receipts/{tx}             -   -   -   own own own all all
GET  /audit/v1/usage                     all own own own own own all all
GET  /audit/v1/quarantine                -   -   -   -   -   -   all all
GET  /audit/v1/index-check               -   -   -   -   -   -   all all
GET  /audit/v1/journal-place             all -   -   -   -   -   all -
""")
NARROWED = {
    ("GET", "/audit/v1/entries/{index}"): {"unknown-entry"},
    ("GET", "/audit/v1/receipts/{tx}"): {"not-yet-recorded"},
}

THIRD = "H11.07"
RECORDS = [
    record(id="by-own", tx="tx-own", client=f"{OWN}/land", service=f"{THIRD}/x/births-v1"),
    record(id="by-other", tx="tx-other", client=f"{OTHER}/land", service=f"{THIRD}/x/births-v1"),
    record(id="to-own", tx="tx-3", client=f"{THIRD}/x", service=f"{OWN}/land/parcels-v1"),
    record(id="between", tx="tx-4", client=f"{OTHER}/land", service=f"{OWN}/land/parcels-v1"),
    record(id="within", tx="tx-5", client=f"{OWN}/land", service=f"{OWN}/land/parcels-v1"),
    b'{"id":"admin","kind":"admin","tx":"tx-6","actor":"operator","action":"agreement.approve"}',
]


class Served:
    """The ledger's application, and who signs tokens for it."""

    def __init__(self, app: FastAPI, issuer: Issuer) -> None:
        self.app = app
        self.issuer = issuer

    @asynccontextmanager
    async def as_person(self, *grants: Grant) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(self.app)
        headers = self.issuer.person(grants)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://ledger/audit", headers=headers
        ) as http:
            yield http


async def nowhere() -> JournalPlace:
    return JournalPlace(PlaceState.UNKNOWN, STREAM, 2)


@pytest.fixture
async def served(tmp_path: Path, database_url: str) -> AsyncIterator[Served]:
    clock = ManualClock()
    settings = LedgerSettings(home=tmp_path / "home", ledger_database_url=database_url)
    issuer = Issuer(clock)
    async with opened(settings) as core:
        await core.integrator.integrate(STREAM, [message(1, *RECORDS)])
        yield Served(create_app(core, issuer.access(), nowhere, search_rates(settings, clock)), issuer)


def sample(row: Row, code: str) -> Sample:
    number = [OWN, OTHER].index(code)
    path = row.path.replace("{index:path}", "000").replace("{index}", str(number))
    path = path.replace("{tx}", ["tx-own", "tx-other"][number])
    return path + (f"?agency={code}" if path.endswith(("/v1/entries", "/v1/usage")) else ""), None


async def test_each_role_may_do_at_each_address_what_the_table_says(served: Served) -> None:
    assert {row.route for row in TABLE} == routes_of(served.app)
    assert await mismatches(served.app, served.issuer, TABLE, sample, NARROWED) == []


async def found(http: httpx.AsyncClient, query: str = "") -> list[Any]:
    answer = await http.get(f"/v1/entries?order=asc{query}")
    assert answer.status_code == 200, answer.text
    return [item["record"]["id"] for item in answer.json()["items"]]


async def test_an_auditor_of_an_agency_finds_its_calls_and_those_to_it(served: Served) -> None:
    async with served.as_person(Grant(Role.AUDITOR, OWN)) as http:
        assert await found(http) == ["by-own", "to-own", "between", "within"]
        assert await found(http, f"&agency={OWN}") == ["by-own", "to-own", "between", "within"]
        assert await found(http, f"&client={OTHER}/land") == ["between"]
        assert await found(http, "&tx=tx-other") == []
        assert await found(http, "&kind=admin") == []


async def test_pages_say_nothing_of_what_is_not_shown(served: Served) -> None:
    async with served.as_person(Grant(Role.AUDITOR, OWN)) as http:
        seen, cursor = [], ""
        for _ in range(4):
            page = (await http.get(f"/v1/entries?order=asc&limit=1{cursor}")).json()
            seen += [item["record"]["id"] for item in page["items"]]
            cursor = f"&cursor={page['next']}"
    assert seen == ["by-own", "to-own", "between", "within"]
    # The administrative act after the last of them makes no further page.
    assert page["next"] is None


async def test_roles_for_two_agencies_find_the_records_of_both_once(served: Served) -> None:
    async with served.as_person(Grant(Role.AUDITOR, OWN), Grant(Role.DATA_OWNER, OTHER)) as http:
        assert await found(http) == ["by-own", "by-other", "to-own", "between", "within"]
    async with served.as_person(Grant(Role.AUDITOR)) as http:
        assert len(await found(http)) == len(RECORDS)


async def test_what_others_have_is_answered_as_what_is_not_there(served: Served) -> None:
    async with served.as_person(Grant(Role.AUDITOR, OWN)) as http:
        known, unknown = [await http.get(f"/v1/receipts/{tx}") for tx in ("tx-other", "tx-none!")]
        assert known.text.replace("tx-other", "tx-none!") == unknown.text
        known, unknown = [await http.get(f"/v1/entries/{index}") for index in (1, 100)]
        assert known.text == unknown.text.replace("100", "1")
        assert (await http.get("/v1/receipts/tx-4")).status_code == 200
