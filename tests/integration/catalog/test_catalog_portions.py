"""Nothing that is large is read, made or sent all at once: others get their turn in between."""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
from contextlib import aclosing, closing, contextmanager
from typing import TYPE_CHECKING, Any, cast

import pytest
from joserfc.jwk import RSAKey
from joserfc.util import int_to_base64
from sqlalchemy import event
from sqlalchemy.engine import Engine

from lienthong.catalog.agreements.repository import agreements
from lienthong.catalog.agreements.repository.agreements import AgreementRepository
from lienthong.catalog.domain.resources import ResourceKind
from lienthong.catalog.rpc import PART_RESOURCES
from lienthong.contracts.catalog.v1 import routes_pb2 as pb
from lienthong.kit.problems import ProblemError
from tests.integration.catalog.province import Province, name, openapi, system
from tests.support.catalog import OPERATOR, Catalog, opened_catalog
from tests.support.turns import measured_turns

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from lienthong.kit.clock import ManualClock

PLACE = Province("H11")
LONGEST_TURN = 0.1
SYSTEMS, EVENT_TYPES, SERVICES, AGREEMENTS = 3000, 250, 40, 400


@pytest.fixture
async def catalog(database_url: str, clock: ManualClock) -> AsyncIterator[Catalog]:
    async with opened_catalog(database_url, clock) as catalog:
        await apply(catalog, *PLACE.without_agreement())
        yield catalog


async def apply(catalog: Catalog, *manifests: dict[str, Any], dry_run: bool = False) -> None:
    body = json.dumps({"manifests": manifests}).encode()
    await catalog.services.apply.apply(body, OPERATOR, dry_run=dry_run)


@contextmanager
def statements() -> Iterator[list[str]]:
    """All statements that are executed meanwhile."""
    executed: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        executed.append(" ".join(statement.split()))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield executed
    finally:
        event.remove(Engine, "before_cursor_execute", note)


async def test_agreements_are_read_only_where_a_service_loses_operations(catalog: Catalog) -> None:
    named = {
        "all": None,
        "kept": ["getParcel"],
        "lost": ["getParcel", "listParcels"],
        "over": ["listParcels"],
    }
    for identity, operations in named.items():
        await apply(catalog, PLACE.agreement(identity, **({"operations": operations} if operations else {})))
    await catalog.carry_out({"reject": "over"})
    for dry_run in (True, False):
        with statements() as executed:
            grown = PLACE.service(openapi=openapi("getParcel", "listParcels", "addParcel"))
            await apply(catalog, grown, dry_run=dry_run)
        assert not [statement for statement in executed if "FROM agreements" in statement]
    with statements() as executed, pytest.raises(ProblemError) as refused:
        await apply(catalog, PLACE.service(openapi=openapi("getParcel", "addParcel")), dry_run=True)
    assert refused.value.code == "invalid-manifests"
    (error,) = refused.value.extra["errors"]
    assert "the agreement 'lost' in force names the operation 'listParcels'" in error["detail"]
    (statement,) = [statement for statement in executed if "FROM agreements" in statement]
    assert "legal" not in statement
    assert "agreements.created_at" not in statement


def modulus(number: int) -> int:
    """A modulus of 2,048 bits, always the same."""
    return random.Random(number).getrandbits(2048) | 1 | 1 << 2047  # noqa: S311 - not a key


def fill(database: Path) -> None:
    """Much of everything, written directly; its changes are those from the present version on."""
    at = "2026-11-01 00:00:00.000000"
    jwks = [
        {
            "keys": [
                {"kty": "RSA", "kid": f"k{one}", "e": "AQAB", "n": int_to_base64(modulus(number * 2 + one))}
                for one in range(2)
            ]
        }
        for number in range(SYSTEMS)
    ]
    operations = [
        {"id": f"{n:03}" + "o" * 125, "method": "GET", "path": f"/{n}/" + "p" * 190} for n in range(500)
    ]
    terms = PLACE.terms(operations=[operation["id"] for operation in operations])
    schema = {"type": "object", "properties": {f"property-{n}": {"type": "string"} for n in range(1500)}}
    service = {
        "name": name("D"),
        "upstreams": ["http://127.0.0.1:8204"],
        "timeoutMs": 1,
        "maxRequestBytes": 1,
        "writeAhead": False,
    }
    agency = f"{PLACE.code}.05"
    rows: list[tuple[str, str, tuple[object, ...]]] = [
        *(
            (
                "systems",
                f"{agency}/s-{n:04}",
                ({"name": name("H"), "jwks": jwks[n]}, agency, "active", *[None] * 3),
            )
            for n in range(SYSTEMS)
        ),
        *(
            (
                "event_types",
                f"{PLACE.provider}/e-{n}-v1",
                ({"name": name("S"), "dataSchema": schema}, PLACE.provider),
            )
            for n in range(EVENT_TYPES)
        ),
        *(
            (
                "services",
                f"{PLACE.provider}/s-{n}-v1",
                (service, PLACE.provider, "{}", json.dumps(operations), None, "published"),
            )
            for n in range(SERVICES)
        ),
        *(
            ("agreements", f"a-{n}", (terms, PLACE.consumer, PLACE.service_id, None, "approved", *[None] * 4))
            for n in range(AGREEMENTS)
        ),
    ]
    kinds = {
        "systems": "System",
        "event_types": "EventType",
        "services": "Service",
        "agreements": "Agreement",
    }
    with closing(sqlite3.connect(database)) as connection:
        (version,) = connection.execute("SELECT version FROM head").fetchone()
        for table, identity, (spec, *more) in rows:
            version += 1
            values = (identity, json.dumps(spec), version, at, at, *more)
            places = ", ".join("?" * len(values))
            connection.execute(f"INSERT INTO {table} VALUES ({places})", values)  # noqa: S608
            connection.execute(
                "INSERT INTO changes VALUES (?, ?, ?, 'test', ?, ?)",
                (version, kinds[table], identity, f"transaction-{version}", at),
            )
        connection.execute("UPDATE head SET version = ?", (version,))
        connection.commit()


async def watched(catalog: Catalog, version: int = 0, mark: str = "") -> tuple[int, str, list[str]]:
    """Follow one snapshot or delta: the version and mark that it leads to, and what it brought."""
    request = pb.WatchRequest(node="test", in_parts=True, from_version=version, from_mark=mark)
    found: list[str] = []
    async with aclosing(cast("Any", catalog.routes.Watch(request, cast("Any", None)))) as updates:
        async for update in updates:
            await asyncio.sleep(0)  # as gRPC, which sends it
            if update.HasField("snapshot"):
                found += [one.key.id for one in update.snapshot.resources]
                if not update.snapshot.more:
                    return update.snapshot.version, update.snapshot.mark, found
            else:
                found += [one.key.id for one in update.delta.upserts]
                if not update.delta.more:
                    return update.delta.to_version, update.delta.mark, found
    raise AssertionError("the watch ended")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_much_of_everything_keeps_nobody_waiting(catalog: Catalog, tmp_path: Path) -> None:
    """On SQLite alone: what is measured is the work of the loop with what the database returns."""
    version, mark, before = await watched(catalog)
    fill(tmp_path / "test.db")
    turns = {}
    async with measured_turns() as turns["delta"]:
        _, _, changed = await watched(catalog, version, mark)
    assert len(changed) == SYSTEMS + EVENT_TYPES + SERVICES + AGREEMENTS
    async with measured_turns() as turns["snapshot"]:
        _, _, everything = await watched(catalog)
    assert sorted(everything) == sorted(before + changed)
    key = cast("dict[str, Any]", RSAKey.generate_key(2048).as_dict(private=False))
    async with measured_turns() as turns["a new RSA key"]:
        await apply(catalog, system(PLACE.unrelated, jwks={"keys": [key]}), dry_run=True)
    async with measured_turns() as turns["another class of the agency"]:
        await apply(catalog, PLACE.agency(**{"class": "NGO"}))
    assert {what: found.longest for what, found in turns.items() if found.longest > LONGEST_TURN} == {}


@pytest.mark.parametrize("text", [0, 1000, 1_000_000])
async def test_a_snapshot_is_whole_wherever_its_pages_end(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch, text: int
) -> None:
    """A page of agreements ends at a number of rows, or of letters: portions of 7 rows, 23 agreements."""
    monkeypatch.setattr(AgreementRepository, "at_once", 7)
    monkeypatch.setattr(agreements, "PAGE_TEXT", text)
    ids = [f"of-pages-{number:02}" for number in range(23)]
    await apply(catalog, *(PLACE.agreement(one) for one in ids))
    _, _, found = await watched(catalog)
    assert [one for one in found if one.startswith("of-pages-")] == ids


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_messages_are_made_when_they_are_sent(catalog: Catalog) -> None:
    version, mark, _ = await watched(catalog)
    await apply(catalog, *(PLACE.agency(f"{number:03}") for number in range(5 * PART_RESOURCES)))
    made: list[str] = []
    usual = catalog.routes._write[ResourceKind.AGENCY]

    def counted(resource: Any, message: pb.Resource) -> None:  # noqa: ANN401 - as the kind wants it
        made.append(resource.id)
        usual(resource, message)

    catalog.routes._write = {**catalog.routes._write, ResourceKind.AGENCY: counted}
    request = pb.WatchRequest(node="test", in_parts=True, from_version=version, from_mark=mark)
    async with aclosing(cast("Any", catalog.routes.Watch(request, cast("Any", None)))) as updates:
        first = await anext(updates)
        assert first.delta.more
        assert len(first.delta.upserts) == PART_RESOURCES
        assert len(made) <= 2 * PART_RESOURCES + 1, "one part is made ahead, to know whether it is the last"
