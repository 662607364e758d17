"""What each role may do at each address of the exchange."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest
from sqlalchemy import select

from lienthong.exchange.bootstrap import SCHEMA, create_app
from lienthong.exchange.events import SERVICE
from lienthong.exchange.models import Subscription, outbox
from lienthong.exchange.service.subscriptions import SubscriptionService
from lienthong.kit.clock import ManualClock
from lienthong.kit.database import Database, migrate
from lienthong.kit.ids import uuid7
from lienthong.kit.journal import AdminJournal
from lienthong.kit.outbox import Outbox
from lienthong.kit.policy import Grant, Role
from tests.integration.roles.matrix import mismatches, routes_of, rows
from tests.support.people import OTHER, OWN, PERSON, Issuer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from fastapi import FastAPI

    from tests.integration.roles.matrix import Row, Sample

TABLE = rows("""
GET    /exchange/v1/status                                                 all -   -   -   -   -   all -
POST   /exchange/v1/events/{agency}/{system}/{event_type}                  systems
GET    /exchange/v1/subscriptions                                          systems
GET    /exchange/v1/subscriptions/{name}                                   systems
PUT    /exchange/v1/subscriptions/{name}                                   systems
DELETE /exchange/v1/subscriptions/{name}                                   systems
POST   /exchange/v1/subscriptions/{name}/pull                              systems
POST   /exchange/v1/subscriptions/{name}/ack                               systems
GET    /exchange/v1/systems/{agency}/{system}/subscriptions                all own own -   -   -   -   -
GET    /exchange/v1/systems/{agency}/{system}/subscriptions/{name}         all own own -   -   -   -   -
DELETE /exchange/v1/systems/{agency}/{system}/subscriptions/{name}         all own own -   -   -   -   -
""")


class NoConsumers:
    """Consumers on a bus that nobody follows."""

    async def remove(self, subscription_id: str) -> None:
        """Forget it."""


class Served:
    """The exchange's application without a bus: no person gets further."""

    def __init__(self, database: Database, app: FastAPI, issuer: Issuer) -> None:
        self.database = database
        self.app = app
        self.issuer = issuer


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    clock = ManualClock()
    url = f"sqlite+aiosqlite:///{tmp_path}/exchange.db"
    await migrate(url, SCHEMA, "lienthong.exchange")
    database = Database.open(url, schema=SCHEMA)
    none: Any = None
    journal = AdminJournal(SERVICE, Outbox(outbox, on_commit=lambda: None, clock=clock), clock)
    consumers = cast("Any", NoConsumers())
    subscriptions = SubscriptionService(database, none, none, journal, consumers, none, clock, uuid7)
    issuer = Issuer(clock)
    async with database.transaction() as session:
        for code in (OWN, OTHER):
            session.add(
                Subscription(
                    id=uuid7(),
                    owner=f"{code}/land",
                    name="inbox",
                    event_type="H11.07/x/changed-v1",
                    ordered=False,
                    start_sequence=1,
                    resume_sequence=1,
                    acknowledged_through=0,
                    known_from=1,
                    created_at=clock.now(),
                )
            )
    yield Served(database, create_app(issuer.access(), none, subscriptions, none), issuer)
    await database.close()


BODIES: dict[tuple[str, str], Any] = {
    ("PUT", "/exchange/v1/subscriptions/{name}"): {"event_type": "H11.07/x/changed-v1"},
    ("POST", "/exchange/v1/subscriptions/{name}/pull"): {},
    ("POST", "/exchange/v1/subscriptions/{name}/ack"): {"ack": ["x"]},
}


def sample(row: Row, code: str) -> Sample:
    path = row.path.replace("{agency}", code).replace("{system}", "land")
    name = "gone" if row.method == "DELETE" else "inbox"
    return path.replace("{event_type}", "changed-v1").replace("{name}", name), BODIES.get(row.route)


async def test_each_role_may_do_at_each_address_what_the_table_says(served: Served) -> None:
    assert {row.route for row in TABLE} == routes_of(served.app)
    assert await mismatches(served.app, served.issuer, TABLE, sample, {}) == []


async def test_a_developer_deletes_a_subscription_of_a_system_and_is_on_record(served: Served) -> None:
    transport = httpx.ASGITransport(served.app)
    headers = served.issuer.person([Grant(Role.DEVELOPER, OWN)])
    base = f"http://exchange/exchange/v1/systems/{OWN}/land"
    async with httpx.AsyncClient(transport=transport, base_url=base, headers=headers) as http:
        listed = (await http.get("/subscriptions")).json()["items"]
        assert [one["name"] for one in listed] == ["inbox"]
        assert (await http.delete("/subscriptions/inbox")).status_code == 204
        assert (await http.get("/subscriptions/inbox")).json()["code"] == "unknown-subscription"
    async with served.database.reading() as session:
        (found,) = [json.loads(one) for one in await session.scalars(select(outbox.c.payload))]
    assert (found["actor"], found["object"]) == (f"person/{PERSON}", f"Subscription/{OWN}/land/inbox")
    assert found["detail"]["application"] == "console"


async def test_the_operators_client_sees_the_subscriptions_of_any_system(served: Served) -> None:
    transport = httpx.ASGITransport(served.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://exchange/exchange/v1") as http:
        address = f"/systems/{OTHER}/land/subscriptions"
        seen = await http.get(address, headers=served.issuer.client("operator", "catalog:admin"))
        assert seen.status_code == 200
        refused = await http.get(address, headers=served.issuer.client(f"{OTHER}/land", "events"))
        assert refused.json()["code"] == "insufficient-scope"
