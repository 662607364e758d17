"""Both sides of a call find it, by the key of a system too, and a search of them costs what it finds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from lienthong.kit.clock import ManualClock
from lienthong.ledger.bootstrap import create_app, search_rates
from lienthong.ledger.repository.searching import MOST_LOOKED_AT
from lienthong.ledger.settings import LedgerSettings
from tests.integration.ledger.support import STREAM, message, opened, record
from tests.integration.ledger.test_endpoints import nowhere
from tests.support.people import Issuer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lienthong.ledger.bootstrap import LedgerCore

ONE_STOP, LAND, PROCEDURES = "H11.01/one-stop", "H11.05/land", "H11.02/procedures"
HASH = f"hmac-sha256:{'0f' * 32}"
RECORDS = [
    record(id="asked", tx="tx-asked"),
    record(id="sibling", tx="tx-sibling", client="H11.01/portal"),
    record(id="elsewhere", tx="tx-elsewhere", service="H11.04/civil-status/births-v1"),
    record(id="stranger", tx="tx-stranger", client=PROCEDURES, service="H11.04/civil-status/births-v1"),
    record(id="person", tx="tx-person", client=PROCEDURES, persons=[HASH]),
    record(id="of-others", tx="tx-of-others", client=PROCEDURES, service="H11.04/x/y-v1", persons=[HASH]),
    b'{"id":"admin","kind":"admin","tx":"tx-admin","actor":"operator","action":"agreement.approve"}',
]

NAMES = ("asked", "sibling", "elsewhere", "stranger", "person", "of-others")


class Asking:
    """Asks in the name of a system."""

    def __init__(self, core: LedgerCore) -> None:
        self._issuer = Issuer(ManualClock())
        self._app = create_app(
            core, self._issuer.access(), nowhere, search_rates(LedgerSettings(), ManualClock())
        )

    async def get(self, path: str, client: str) -> httpx.Response:
        transport = httpx.ASGITransport(self._app)
        async with httpx.AsyncClient(transport=transport, base_url="http://ledger/audit/v1") as http:
            return await http.get(path, headers=self._issuer.client(client, "api events"))

    async def found(self, client: str, query: str = "") -> list[Any]:
        answer = await self.get(f"/entries?order=asc{query}", client)
        assert answer.status_code == 200, answer.text
        return [item["record"]["id"] for item in answer.json()["items"]]


@pytest.fixture
async def core(settings: LedgerSettings) -> AsyncIterator[LedgerCore]:
    async with opened(settings) as opened_core:
        await opened_core.integrator.integrate(STREAM, [message(1, *RECORDS)])
        yield opened_core


async def test_a_system_finds_the_calls_that_it_made_and_those_to_its_agency(core: LedgerCore) -> None:
    asking = Asking(core)
    assert await asking.found(LAND) == ["asked", "sibling", "person"]
    assert await asking.found(ONE_STOP) == ["asked", "elsewhere"]
    assert await asking.found("H11.05/another") == ["asked", "sibling", "person"]
    assert await asking.found("H11.99/nobody") == []
    assert await asking.found(ONE_STOP, "&agency=H11.01") == ["asked", "elsewhere"]
    assert await asking.found(LAND, f"&client={ONE_STOP}") == ["asked"]
    assert await asking.found(LAND, "&service=H11.04/civil-status/births-v1") == []
    assert await asking.found(ONE_STOP, "&tx=tx-stranger") == []
    assert await asking.found(LAND, "&tx=tx-asked") == ["asked"]
    assert await asking.found(LAND, f"&person={HASH}") == ["person"]
    assert await asking.found(ONE_STOP, f"&person={HASH}") == []


async def test_it_may_have_the_receipt_of_each_of_them_and_of_no_other(core: LedgerCore) -> None:
    asking = Asking(core)
    for client in (LAND, ONE_STOP, PROCEDURES, "H11.05/another"):
        found = set(await asking.found(client))
        for number, name in enumerate(NAMES):
            receipt = await asking.get(f"/receipts/tx-{name}", client)
            assert receipt.status_code == (200 if name in found else 403), (client, name)
            entry = await asking.get(f"/entries/{number}", client)
            assert entry.status_code == (200 if name in found else 404)


async def test_others_agencies_and_all_clients_that_are_no_systems_are_refused(core: LedgerCore) -> None:
    asking = Asking(core)
    for path, client in (
        ("/entries?agency=H11.05", ONE_STOP),
        ("/entries", "operator"),
        ("/entries/0", "operator"),
        ("/quarantine", LAND),
        ("/index-check", LAND),
    ):
        answer = await asking.get(path, client)
        assert (answer.status_code, answer.json()["code"]) == (403, "insufficient-scope"), path


async def test_a_rare_record_is_found_page_by_page_each_of_which_looks_at_so_many(
    core: LedgerCore,
) -> None:
    rare = record(id="rare", status=418, at="2026-11-20T10:00:00Z")
    many = [record(at="2026-11-24T06:30:00Z") for _ in range(MOST_LOOKED_AT + 500)]
    later = [many[at : at + 500] for at in range(0, len(many), 500)]
    batch = [message(2, rare), *(message(3 + place, *part) for place, part in enumerate(later))]
    await core.integrator.integrate(STREAM, batch)
    asking = Asking(core)
    pages, cursor = [], ""
    while True:
        page = (await asking.get(f"/entries?status=418{cursor}", LAND)).json()
        pages.append([item["record"]["id"] for item in page["items"]])
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert pages == [[], ["rare"]]
    # Of the hours in which it was, nearly nothing has to be looked at, once the entries are counted.
    while await core.counts.count_portion():
        pass
    for hours in ("from=2026-11-20T10:00:00Z&to=2026-11-20T10:00:01Z", "to=2026-11-22T00:00:00Z"):
        page = (await asking.get(f"/entries?status=418&{hours}", LAND)).json()
        assert ([item["record"]["id"] for item in page["items"]], page["next"]) == (["rare"], None)
    empty = (await asking.get("/entries?from=2026-11-21T00:00:00Z&to=2026-11-22T00:00:00Z", LAND)).json()
    assert empty == {"items": [], "next": None}


async def test_who_may_not_read_all_searches_so_often_and_others_meanwhile(core: LedgerCore) -> None:
    asking = Asking(core)
    burst = int(LedgerSettings().ledger_searches_burst)
    answers = [await asking.get("/usage" if number % 2 else "/entries", LAND) for number in range(burst)]
    assert {answer.status_code for answer in answers} == {200}
    for path in ("/usage", "/entries"):
        refused = await asking.get(path, LAND)
        assert (refused.status_code, refused.json()["code"]) == (429, "rate-limited")
        assert int(refused.headers["retry-after"]) > 0
    assert (await asking.get("/entries", ONE_STOP)).status_code == 200
