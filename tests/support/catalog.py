"""The catalog on a database, without its process."""

from __future__ import annotations

from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

from lienthong.catalog import events
from lienthong.catalog.agreements.domain.lifecycle import AgreementAction
from lienthong.catalog.agreements.service.requests import AgreementRates, RequestLimits
from lienthong.catalog.bootstrap import MESSAGES, PACKAGE, READING, REPOSITORIES, SCHEMA, CatalogServices
from lienthong.catalog.dcat.domain.catalogue import Addresses
from lienthong.catalog.models import OUTBOX
from lienthong.catalog.repository import ChangeLogRepository
from lienthong.catalog.rpc import Routes
from lienthong.catalog.search import service as searching
from lienthong.catalog.service.unit_of_work import UnitsOfWork
from lienthong.catalog.service.versions import VersionMonitor
from lienthong.catalog.service.watch import WatchService
from lienthong.contracts.catalog.v1 import routes_pb2
from lienthong.kit.actors import Actor
from lienthong.kit.addresses import ProviderAddresses, allowed_networks
from lienthong.kit.database import Database, migrate
from lienthong.kit.ids import uuid7
from lienthong.kit.journal import AdminJournal
from lienthong.kit.outbox import Outbox
from lienthong.kit.rates import RateLimit, TokenBuckets
from lienthong.kit.workers import Workers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lienthong.kit.clock import ManualClock

OPERATOR = Actor("operator", transaction_id="019ab000-0000-7000-8000-000000000000", is_operator=True)
USUAL_LIMITS = RequestLimits(open_per_system=100, lapse_after_days=90, per_day=200, decide_within_days=10)


class Catalog:
    """The catalog without its process: what an operator does with it, and what watchers are sent."""

    def __init__(
        self, database: Database, services: CatalogServices, routes: Routes, decisions: TokenBuckets
    ) -> None:
        self.database = database
        self.services = services
        self.routes = routes
        self.decisions = decisions

    async def carry_out(self, then: dict[str, str]) -> None:
        """Carry out one decision of an input."""
        ((what, target),) = then.items()
        if what == "suspend":
            await self.services.systems.suspend(target, OPERATOR)
        else:
            body = {"reason": "Hết mục đích", "legal_ground": "Luật Dữ liệu 2024"}
            await self.services.agreements.take(target, AgreementAction(what), body, OPERATOR)

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
async def opened_catalog(
    url: str, clock: ManualClock, limits: RequestLimits = USUAL_LIMITS, systems_per_agency: int = 200
) -> AsyncIterator[Catalog]:
    """A catalog on a database: an empty one, or that of another catalog."""
    await migrate(url, SCHEMA, PACKAGE)
    database = Database.open(url, schema=SCHEMA)
    workers = Workers(2, READING)
    await workers.start()

    async def version() -> int:
        async with database.reading() as session:
            return await ChangeLogRepository(session).version()

    try:
        versions = VersionMonitor(version)
        outbox = Outbox(OUTBOX, on_commit=lambda: None, clock=clock)
        journal = AdminJournal(events.SERVICE, outbox, clock)
        requests = TokenBuckets(RateLimit("agreement-requests", 1000, 1000), now=clock.monotonic)
        decisions = TokenBuckets(RateLimit("agreement-decisions", 1000, 1000), now=clock.monotonic)
        rates = AgreementRates(requests, decisions)
        units = UnitsOfWork(database, REPOSITORIES, outbox, journal, versions, clock, index=searching.put)
        providers = ProviderAddresses(allowed_networks("127.0.0.0/8"))
        services = CatalogServices.of(
            units,
            uuid7,
            workers,
            providers,
            rates,
            limits,
            systems_per_agency,
            Addresses("http://127.0.0.1:8080", "VN-BTN"),
        )
        await services.index.catch_up()
        yield Catalog(database, services, Routes(WatchService(units), versions, MESSAGES), decisions)
    finally:
        await workers.close()
        await database.close()
