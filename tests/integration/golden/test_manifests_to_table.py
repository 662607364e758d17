"""From manifests to the catalog's snapshot to the gateway's routing table, held against golden files.

Each `*.in.yaml` holds manifests and, in a document of its own under `then`, what is decided once they are
applied: `{suspend: SYSTEM}`, `{reject: AGREEMENT}`, `{revoke: AGREEMENT}`. The `*.out.yaml` beside it holds
the snapshot that `Routes/Watch` sends and the table that a gateway builds of it. `make golden` writes it.
"""

from __future__ import annotations

import json
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from google.protobuf import json_format

from binh_thuan.credentials import ensure
from binh_thuan.province import MANIFESTS, upstreams
from lienthong.catalog import events
from lienthong.catalog.agreements.domain.lifecycle import DecisionAction
from lienthong.catalog.apply.schemas import read_apply_text
from lienthong.catalog.bootstrap import MESSAGES, PACKAGE, REPOSITORIES, SCHEMA, CatalogServices
from lienthong.catalog.domain.actors import OPERATOR_SCOPE, Actor
from lienthong.catalog.models import OUTBOX
from lienthong.catalog.repository import ChangeLogRepository
from lienthong.catalog.rpc import Routes
from lienthong.catalog.service.unit_of_work import UnitsOfWork
from lienthong.catalog.service.versions import VersionMonitor
from lienthong.catalog.service.watch import WatchService
from lienthong.client.manifests.load import load
from lienthong.contracts.catalog.v1 import routes_pb2
from lienthong.gateway.replica import WATCHED_KINDS
from lienthong.gateway.table import ReadResources, RoutingTable
from lienthong.kit.addresses import ProviderAddresses, allowed_networks
from lienthong.kit.catalog import catalog_of
from lienthong.kit.database import Database, migrate
from lienthong.kit.ids import uuid7
from lienthong.kit.journal import AdminJournal
from lienthong.kit.outbox import Outbox
from lienthong.kit.rates import RateLimit, TokenBuckets
from lienthong.kit.settings import Settings
from lienthong.kit.workers import Workers
from tests.support.golden import documents
from tests.support.routing import described

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lienthong.kit.clock import ManualClock
    from tests.support.golden import Golden

HERE = Path(__file__).parent
CASES = sorted(HERE.glob("*.in.yaml"))
OPERATOR = Actor("operator", {OPERATOR_SCOPE}, "019ab000-0000-7000-8000-000000000000")
PROBES = ("GET /parcels/1", "POST /parcels", "DELETE /parcels/1", "GET /nothing")


class Catalog:
    """The catalog without its process: what an operator does with it, and what watchers are sent."""

    def __init__(self, services: CatalogServices, routes: Routes) -> None:
        self.services = services
        self.routes = routes

    async def carry_out(self, then: dict[str, str]) -> None:
        """Carry out one decision of an input."""
        ((what, target),) = then.items()
        if what == "suspend":
            await self.services.systems.suspend(target, OPERATOR)
        else:
            body = {"reason": "Hết mục đích", "legal_ground": "Luật Dữ liệu 2024"}
            await self.services.agreements.decide(target, DecisionAction(what), body, OPERATOR)

    async def snapshot(self) -> routes_pb2.Snapshot:
        """What a watcher of every kind is sent first, in the order of kinds and ids."""
        request = routes_pb2.WatchRequest(node="golden", in_parts=True)
        resources: dict[tuple[int, str], routes_pb2.Resource] = {}
        async with aclosing(cast("Any", self.routes.Watch(request, cast("Any", None)))) as updates:
            async for update in updates:
                resources |= {(one.key.kind, one.key.id): one for one in update.snapshot.resources}
                if not update.snapshot.more:
                    break
        everything = [resources[key] for key in sorted(resources)]
        return routes_pb2.Snapshot(version=update.snapshot.version, resources=everything)


@asynccontextmanager
async def opened(url: str, clock: ManualClock) -> AsyncIterator[Catalog]:
    """A catalog on an empty database."""
    await migrate(url, SCHEMA, PACKAGE)
    database = Database.open(url, schema=SCHEMA)
    workers = Workers(2, [read_apply_text.__module__])
    await workers.start()

    async def version() -> int:
        async with database.reading() as session:
            return await ChangeLogRepository(session).version()

    try:
        versions = VersionMonitor(version)
        outbox = Outbox(OUTBOX, on_commit=lambda: None, clock=clock)
        journal = AdminJournal(events.SERVICE, outbox, clock)
        requests = TokenBuckets(RateLimit("agreement-requests", 1, 100), now=clock.monotonic)
        units = UnitsOfWork(database, REPOSITORIES, outbox, journal, versions, clock)
        providers = ProviderAddresses(allowed_networks("127.0.0.0/8"))
        services = CatalogServices.of(units, uuid7, workers, providers, requests)
        yield Catalog(services, Routes(WatchService(units), versions, MESSAGES))
    finally:
        await workers.close()
        await database.close()


async def chain(
    catalog: Catalog, manifests: list[dict[str, Any]], then: list[dict[str, str]]
) -> dict[str, Any]:
    """Apply, decide, and follow what becomes of it."""
    await catalog.services.apply.apply(json.dumps({"manifests": manifests}).encode(), OPERATOR, dry_run=False)
    for decision in then:
        await catalog.carry_out(decision)
    snapshot = await catalog.snapshot()
    watched = [resource for resource in snapshot.resources if resource.key.kind in WATCHED_KINDS]
    shown = json_format.MessageToDict(snapshot)
    table = RoutingTable(catalog_of(snapshot.version, watched), ReadResources())
    return {"snapshot": shown, "table": described(table, PROBES)}


@pytest.fixture
async def catalog(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Catalog]:
    """An empty catalog."""
    async with opened(f"sqlite+aiosqlite:///{tmp_path}/catalog.db", clock) as catalog:
        yield catalog


@pytest.mark.parametrize("given", CASES, ids=lambda path: path.name.removesuffix(".in.yaml"))
async def test_manifests_make_the_table_that_is_expected(
    given: Path, catalog: Catalog, golden: Golden
) -> None:
    found = documents(given)
    manifests = [document for document in found if "then" not in document]
    then = [decision for document in found for decision in document.get("then", ())]
    golden.check(given, await chain(catalog, manifests, then))


async def test_the_demo_province_makes_the_table_that_is_expected(
    catalog: Catalog, golden: Golden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure(tmp_path / "demo", "http://127.0.0.1:8080")
    monkeypatch.setenv("LIENTHONG_HOME", str(tmp_path))
    for name, value in upstreams(Settings(port_offset=0)).items():
        monkeypatch.setenv(name, value)
    read = load([MANIFESTS])
    assert read.mistakes == []
    golden.check(HERE / "binh-thuan.in.yaml", await chain(catalog, read.values, []))
