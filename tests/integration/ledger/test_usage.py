"""How services are used: every call is counted once, each side is told of its own, the largest come first."""

from __future__ import annotations

import asyncio
import random
import shutil
import sys
from collections import Counter
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest
from sqlalchemy import delete, select, update

from lienthong.kit.clock import ManualClock
from lienthong.kit.database import migrate
from lienthong.kit.policy import Grant, Role
from lienthong.ledger import migrations
from lienthong.ledger.bootstrap import SCHEMA, create_app, search_rates
from lienthong.ledger.models import call_counts, counted, entry_hours
from lienthong.ledger.settings import LedgerSettings
from lienthong.ledger.usage.background import CallCounter
from tests.integration.ledger.support import STREAM, message, opened, record
from tests.integration.ledger.test_endpoints import nowhere
from tests.support.people import Issuer
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from lienthong.ledger.bootstrap import LedgerCore

CONSUMERS = ("H11.01/one-stop", "H11.02/procedures", "H11.05/land", None)
SERVICES = ("H11.05/land/parcels-v1", "H11.05/land/maps-v1", "H11.04/civil-status/births-v1", None)
MONTH = "from=2026-11-01T00:00:00Z&to=2026-12-01T00:00:00Z"


def some_records(number: int) -> list[dict[str, Any]]:
    """Calls of different systems over weeks, some of them refused, and samples of refusals."""
    chosen = random.Random(7)  # noqa: S311 - no secret
    found = []
    for place in range(number):
        at = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=chosen.randrange(28 * 24 * 60))
        status = chosen.choice((200, 200, 201, 403, 502, None))
        members: dict[str, Any] = {
            "id": f"r-{place}",
            "at": at.isoformat().replace("+00:00", "Z"),
            "client": chosen.choice(CONSUMERS),
            "service": chosen.choice(SERVICES),
            "operation": chosen.choice(("getParcel", "putParcel")),
            "purpose": chosen.choice(("land-procedure", None)),
            "status": status,
            "error": "no-agreement" if status == 403 else None,
        }
        if chosen.random() < 0.1:
            members |= {"kind": "refused-sample", "count": chosen.randrange(1, 50)}
        elif chosen.random() < 0.1:
            members["kind"] = chosen.choice(("intent", "opening", "admin"))
        found.append({name: value for name, value in members.items() if value is not None})
    return found


def agency(identifier: str | None) -> str | None:
    return None if identifier is None else identifier.partition("/")[0]


def expected(records: Sequence[dict[str, Any]], *by: str) -> Counter[tuple[Any, ...]]:
    """The numbers, counted in the simplest way."""
    found: Counter[tuple[Any, ...]] = Counter()
    for one in records:
        kind = one.get("kind", "call")
        if kind in {"call", "refused-sample"}:
            values = {
                "consumer": one.get("client"),
                "consumer_agency": agency(one.get("client")),
                "service": one.get("service"),
                "provider": agency(one.get("service")),
                "operation": one.get("operation"),
                "purpose": one.get("purpose"),
                "status": f"{one['status'] // 100}xx" if "status" in one else None,
                "error": one.get("error"),
            }
            found[tuple(values[name] for name in by)] += one.get("count", 1)
    return found


def encoded(records: Sequence[dict[str, Any]]) -> list[bytes]:
    usual = msgspec.json.decode(record())
    absent = ("client", "service", "operation", "purpose", "status")
    base = {name: value for name, value in usual.items() if name not in absent}
    return [msgspec.json.encode(base | one) for one in records]


async def count_all(core: LedgerCore) -> None:
    while await core.counts.count_portion():
        pass


class Asking:
    """Asks the ledger's application with a token."""

    def __init__(self, core: LedgerCore) -> None:
        self.issuer = Issuer(ManualClock())
        self._app = create_app(
            core, self.issuer.access(), nowhere, search_rates(LedgerSettings(), ManualClock())
        )

    async def get(self, query: str, headers: dict[str, str] | None = None) -> httpx.Response:
        transport = httpx.ASGITransport(self._app)
        async with httpx.AsyncClient(transport=transport, base_url="http://ledger") as http:
            sent = self.issuer.client("auditor", "audit:read") if headers is None else headers
            return await http.get(f"/audit/v1/usage?{query}", headers=sent)

    async def groups(
        self, query: str, headers: dict[str, str] | None = None
    ) -> tuple[dict[str, Any], Counter[tuple[Any, ...]]]:
        answer = await self.get(query, headers)
        assert answer.status_code == 200, answer.text
        document = answer.json()
        return document, Counter(
            {tuple(group[name] for name in document["by"]): group["calls"] for group in document["groups"]}
        )


@asynccontextmanager
async def with_records(
    settings: LedgerSettings, records: Sequence[dict[str, Any]]
) -> AsyncIterator[tuple[LedgerCore, Asking]]:
    async with opened(settings) as core:
        data = encoded(records)
        batch = [message(at // 100 + 1, *data[at : at + 100]) for at in range(0, len(data), 100)]
        await core.integrator.integrate(STREAM, batch)
        yield core, Asking(core)


async def test_every_call_is_counted_once_by_whatever_is_asked_for(settings: LedgerSettings) -> None:
    records = some_records(2_500)
    async with with_records(settings, records) as (core, asking):
        # Two at once, as with a second process on the same database.
        await asyncio.gather(count_all(core), count_all(core))
        for by in (
            ("consumer", "service", "operation", "purpose", "status"),
            ("provider", "consumer_agency"),
            ("error",),
        ):
            document, groups = await asking.groups(f"{MONTH}&limit=1000&by={','.join(by)}")
            assert groups == expected(records, *by)
            assert document["total"]["calls"] == sum(groups.values())
            assert (document["counted"], document["entries"]) == (2_500, 2_500)
        _, groups = await asking.groups(f"{MONTH}&by=consumer&service=H11.05/land/parcels-v1&status=4")
        of_one = [one for one in records if one.get("service") == "H11.05/land/parcels-v1"]
        refused = [one for one in of_one if one.get("status") == 403]
        assert groups == expected(refused, "consumer")


async def test_hours_at_both_ends_and_whole_days_between_are_added_up(settings: LedgerSettings) -> None:
    records = some_records(1_500)
    async with with_records(settings, records) as (core, asking):
        await count_all(core)
        for since, until in (("11-03T17:20", "11-20T05:10"), ("11-05T03:00", "11-05T04:00")):
            document, groups = await asking.groups(f"from=2026-{since}:00Z&to=2026-{until}:00Z&by=consumer")
            within = [one for one in records if document["from"] <= one["at"] < document["to"]]
            assert groups == expected(within, "consumer")
            assert 0 < len(within) < len(records)


async def test_the_largest_groups_come_first_and_the_rest_is_summed_up(settings: LedgerSettings) -> None:
    records = some_records(600)
    async with with_records(settings, records) as (core, asking):
        await count_all(core)
        document, _ = await asking.groups(f"{MONTH}&by=consumer,service&limit=3")
        numbers = expected(records, "consumer", "service")
        shown = [group["calls"] for group in document["groups"]]
        assert shown == sorted(numbers.values(), reverse=True)[:3]
        assert document["other"]["calls"] == sum(numbers.values()) - sum(shown)
        assert document["other"]["groups"] == len(numbers) - 3
        for name, status in (("refused", 403), ("failed", 502)):
            of_it = [one for one in records if one.get("status") == status]
            total = sum(expected(of_it, "consumer").values())
            assert document["total"][name] == total
            assert document["other"][name] == total - sum(group[name] for group in document["groups"])


async def test_each_side_is_told_of_its_own_calls(settings: LedgerSettings) -> None:
    records = some_records(800)
    async with with_records(settings, records) as (core, asking):
        await count_all(core)
        own = [one for one in records if "H11.05" in {agency(one.get("client")), agency(one.get("service"))}]
        both = ("consumer", "service")
        allowed = (
            asking.issuer.client("H11.05/land", "api events"),
            asking.issuer.person([Grant(Role.DEVELOPER, "H11.05")]),
            asking.issuer.person([Grant(Role.AUDITOR, "H11.05")]),
        )
        for headers in allowed:
            _, groups = await asking.groups(f"{MONTH}&by={','.join(both)}", headers)
            assert groups == expected(own, *both)
            _, groups = await asking.groups(f"{MONTH}&by=consumer&agency=H11.05", headers)
            assert groups == expected(own, "consumer")
            _, groups = await asking.groups(f"{MONTH}&by=consumer&provider=H11.04", headers)
            to_other = [one for one in own if agency(one.get("service")) == "H11.04"]
            assert groups == expected(to_other, "consumer")
        two = [Grant(Role.AUDITOR, "H11.02"), Grant(Role.DEVELOPER, "H11.05")]
        _, groups = await asking.groups(f"{MONTH}&by=consumer", asking.issuer.person(two))
        of_two = [
            one
            for one in records
            if {"H11.02", "H11.05"} & {agency(one.get("client")), agency(one.get("service"))}
        ]
        assert groups == expected(of_two, "consumer")


async def test_what_is_not_ones_own_is_refused(settings: LedgerSettings) -> None:
    async with with_records(settings, some_records(10)) as (_, asking):
        refusals = {
            "insufficient-scope": [
                ("", asking.issuer.client("operator", "catalog:admin identity:admin")),
                ("agency=H11.04", asking.issuer.client("H11.05/land", "api events")),
            ],
            "role-required": [
                ("", asking.issuer.person([])),
                ("agency=H11.04", asking.issuer.person([Grant(Role.DEVELOPER, "H11.05")])),
            ],
        }
        for code, asked in refusals.items():
            for query, headers in asked:
                answer = await asking.get(query, headers)
                assert (answer.status_code, answer.json()["code"]) == (403, code)


@pytest.mark.parametrize(
    "query",
    [
        "from=2026-11-02T00:00:00Z&to=2026-11-02T00:00:00Z",
        "from=2026-01-01T00:00:00Z&to=2026-11-02T00:00:00Z",
        "by=person",
        "by=",
        "status=6",
        "limit=1001",
        "person=7",
    ],
)
async def test_what_would_not_be_bounded_or_is_not_counted_is_refused(
    settings: LedgerSettings, query: str
) -> None:
    async with with_records(settings, []) as (_, asking):
        answer = await asking.get(query)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")


async def rows(core: LedgerCore) -> list[Any]:
    async with core.database.reading() as session:
        found: list[Any] = []
        for table in (call_counts, entry_hours, counted):
            found += [tuple(row) for row in await session.execute(select(table))]
        return sorted(found, key=repr)


async def test_emptied_tables_are_filled_again_from_the_records(settings: LedgerSettings) -> None:
    async with with_records(settings, some_records(1_200)) as (core, _):
        await count_all(core)
        before = await rows(core)
        async with core.database.transaction() as session:
            await session.execute(delete(call_counts))
            await session.execute(delete(entry_hours))
            await session.execute(update(counted).values(entries=0))
        await count_all(core)
        assert await rows(core) == before


@pytest.fixture
def before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package with the revisions of the ledger before the one that brought counts."""
    folder = tmp_path / "ledger_uncounted" / "migrations" / "versions"
    folder.mkdir(parents=True)
    (tmp_path / "ledger_uncounted" / "__init__.py").touch()
    for source in Path(migrations.__path__[0]).glob("versions/r000[1-5]_*.py"):
        shutil.copy(source, folder)
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("ledger_uncounted", None)
    return "ledger_uncounted"


async def test_a_log_of_before_is_counted_in_the_background_and_so_is_what_comes(
    settings: LedgerSettings, before: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrate(settings.ledger_database_url, SCHEMA, before)
    records = some_records(30)

    async def not_yet(*_: str) -> None:
        return None

    with monkeypatch.context() as patched:
        # The log grows as an older ledger left it, without the tables of counts.
        patched.setattr("lienthong.ledger.bootstrap.migrate", not_yet)
        async with opened(settings) as core:
            await core.integrator.integrate(STREAM, [message(1, *encoded(records[:20]))])
    async with opened(settings) as core:
        counter = asyncio.create_task(CallCounter(core.counts, ManualClock()).run())
        asking = Asking(core)

        async def are_counted(number: int) -> bool:
            document = (await asking.get(f"{MONTH}&by=consumer")).json()
            return bool(document["counted"] == number)

        try:
            await eventually(lambda: are_counted(20))
            await core.integrator.integrate(STREAM, [message(2, *encoded(records[20:]))])
            await eventually(lambda: are_counted(30))
        finally:
            counter.cancel()
        _, groups = await asking.groups(f"{MONTH}&by=consumer")
        assert groups == expected(records, "consumer")
