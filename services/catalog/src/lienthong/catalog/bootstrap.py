"""The wiring: the only place where the catalog's parts are put together."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from fastapi import APIRouter

from lienthong.catalog import events
from lienthong.catalog.agencies import endpoints as agency_endpoints
from lienthong.catalog.agencies import rpc as agency_rpc
from lienthong.catalog.agencies.repository import AgencyRepository
from lienthong.catalog.agencies.service import AgencyService
from lienthong.catalog.agreements import rpc as agreement_rpc
from lienthong.catalog.agreements.endpoints import agreements as agreement_endpoints
from lienthong.catalog.agreements.endpoints import amendments as amendment_endpoints
from lienthong.catalog.agreements.repository.agreements import AgreementRepository
from lienthong.catalog.agreements.service.agreements import AgreementService
from lienthong.catalog.agreements.service.amendments import AmendmentService
from lienthong.catalog.agreements.service.reminding import Reminders
from lienthong.catalog.agreements.service.requests import AgreementRates, RequestLimits
from lienthong.catalog.apply import endpoints as apply_endpoints
from lienthong.catalog.apply.schemas import read_apply_text
from lienthong.catalog.apply.service.applying import ApplyService
from lienthong.catalog.background import (
    catch_up_with_others,
    follow_changes,
    lapse_requests,
    publish_missed_systems,
    tell_in_time,
)
from lienthong.catalog.bundle import endpoints as bundle_endpoints
from lienthong.catalog.bundle.service import BundleService
from lienthong.catalog.dcat import endpoints as dcat_endpoints
from lienthong.catalog.dcat.domain.catalogue import Addresses
from lienthong.catalog.dcat.service import DcatService
from lienthong.catalog.domain.resources import ResourceKind
from lienthong.catalog.event_types import endpoints as event_type_endpoints
from lienthong.catalog.event_types import rpc as event_type_rpc
from lienthong.catalog.event_types.repository import EventTypeRepository
from lienthong.catalog.event_types.service import EventTypeService
from lienthong.catalog.mergers import endpoints as merger_endpoints
from lienthong.catalog.mergers.service import MergerService
from lienthong.catalog.models import HISTORY, OUTBOX, RETAINED
from lienthong.catalog.repository import ChangeLogRepository
from lienthong.catalog.restore import endpoints as restore_endpoints
from lienthong.catalog.restore.schemas import read_restore_text
from lienthong.catalog.restore.service import ExportService, RestoreService
from lienthong.catalog.rpc import Routes
from lienthong.catalog.search import endpoints as search_endpoints
from lienthong.catalog.search import service as searching
from lienthong.catalog.search.service import SearchIndex, SearchService
from lienthong.catalog.service.lost_events import LostEvents
from lienthong.catalog.service.missed_systems import MissedSystems
from lienthong.catalog.service.unit_of_work import UnitsOfWork
from lienthong.catalog.service.versions import VersionMonitor
from lienthong.catalog.service.watch import WatchService
from lienthong.catalog.services import endpoints as service_endpoints
from lienthong.catalog.services import rpc as service_rpc
from lienthong.catalog.services.repository import ServiceRepository
from lienthong.catalog.services.service import ServiceService
from lienthong.catalog.systems import endpoints as system_endpoints
from lienthong.catalog.systems import rpc as system_rpc
from lienthong.catalog.systems.repository import SystemRepository
from lienthong.catalog.systems.service.factors import KeyComparison
from lienthong.catalog.systems.service.key_reminders import KeyReminders
from lienthong.catalog.systems.service.keys import SystemKeys
from lienthong.catalog.systems.service.systems import SystemService
from lienthong.contracts.catalog.v1 import directory_pb2_grpc, routes_pb2_grpc
from lienthong.kit.access import Access
from lienthong.kit.addresses import ProviderAddresses
from lienthong.kit.bus import Bus
from lienthong.kit.clock import SystemClock
from lienthong.kit.database import Database, migrate
from lienthong.kit.history import History, accept
from lienthong.kit.ids import uuid7
from lienthong.kit.journal import AdminJournal
from lienthong.kit.keys import keys_replica
from lienthong.kit.logs import configure_logs
from lienthong.kit.lost_records import ask_every_s
from lienthong.kit.metrics.instruments import CATALOG_VERSION
from lienthong.kit.outbox import Outbox, OutboxRelay
from lienthong.kit.process import run_process
from lienthong.kit.rates import RateLimit, TokenBuckets
from lienthong.kit.replica_copy import DiskCopy
from lienthong.kit.rest import create_rest_app
from lienthong.kit.retained_records import RetainedRecords
from lienthong.kit.rpc import open_channel
from lienthong.kit.rpc_trust import RpcTrust
from lienthong.kit.shown import Shown
from lienthong.kit.soundness import CHECK, Soundness, put_back, stand_by
from lienthong.kit.status import status_routes
from lienthong.kit.stream_space import StreamSpace
from lienthong.kit.telemetry import configure_telemetry
from lienthong.kit.tokens import TokenVerifier
from lienthong.kit.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Mapping

    import grpc.aio
    from fastapi import FastAPI

    from lienthong.catalog.rpc import WriteMessage
    from lienthong.catalog.service.unit_of_work import Repositories
    from lienthong.catalog.settings import CatalogSettings
    from lienthong.kit.clock import Clock
    from lienthong.kit.ids import NewId
    from lienthong.kit.text import BilingualText

READING = (read_apply_text.__module__, read_restore_text.__module__)
"""What workers import before they read what others send."""
PACKAGE = "lienthong.catalog"
SCHEMA = "catalog"

REPOSITORIES: Repositories = {
    ResourceKind.AGENCY: AgencyRepository,
    ResourceKind.SYSTEM: SystemRepository,
    ResourceKind.SERVICE: ServiceRepository,
    ResourceKind.EVENT_TYPE: EventTypeRepository,
    ResourceKind.AGREEMENT: AgreementRepository,
}
MESSAGES: Mapping[ResourceKind, WriteMessage] = {
    ResourceKind.AGENCY: agency_rpc.write_message,
    ResourceKind.SYSTEM: system_rpc.write_message,
    ResourceKind.SERVICE: service_rpc.write_message,
    ResourceKind.EVENT_TYPE: event_type_rpc.write_message,
    ResourceKind.AGREEMENT: agreement_rpc.write_message,
}


@dataclass(frozen=True, slots=True)
class CatalogServices:
    """The service of each feature."""

    agencies: AgencyService
    systems: SystemService
    keys: SystemKeys
    services: ServiceService
    event_types: EventTypeService
    agreements: AgreementService
    amendments: AmendmentService
    reminders: Reminders
    apply: ApplyService
    exports: ExportService
    restores: RestoreService
    search: SearchService
    index: SearchIndex
    dcat: DcatService
    mergers: MergerService
    key_reminders: KeyReminders
    bundles: BundleService

    @classmethod
    def of(
        cls,
        units: UnitsOfWork,
        new_id: NewId,
        workers: Workers,
        providers: ProviderAddresses,
        rates: AgreementRates,
        limits: RequestLimits,
        systems_per_agency: int,
        at: Addresses,
    ) -> CatalogServices:
        """Build the service of each feature; all open their units of work in the same way."""
        comparison = KeyComparison(units, workers)
        services, event_types = ServiceService(units, at.public_url), EventTypeService(units, at.public_url)
        return cls(
            AgencyService(units),
            SystemService(units),
            SystemKeys(units, comparison),
            services,
            event_types,
            AgreementService(units, new_id, rates, limits),
            AmendmentService(units, new_id, rates, limits),
            Reminders(units, new_id, timedelta(days=limits.decide_within_days)),
            ApplyService(units, workers, comparison, providers, limits, systems_per_agency),
            ExportService(units),
            RestoreService(units, workers, comparison, providers),
            SearchService(units),
            SearchIndex(units, new_id),
            DcatService(units, services, event_types, at),
            MergerService(units),
            KeyReminders(units, new_id),
            BundleService(units, at.public_url),
        )


def routes(services: CatalogServices, clock: Clock) -> APIRouter:
    """Put the routes of all features together."""
    router = APIRouter()
    router.include_router(apply_endpoints.routes(services.apply))
    router.include_router(restore_endpoints.routes(services.exports, services.restores))
    router.include_router(agency_endpoints.routes(services.agencies))
    router.include_router(system_endpoints.routes(services.systems, services.keys))
    router.include_router(service_endpoints.routes(services.services))
    router.include_router(event_type_endpoints.routes(services.event_types))
    router.include_router(agreement_endpoints.routes(services.agreements, clock))
    router.include_router(search_endpoints.routes(services.search))
    router.include_router(bundle_endpoints.routes(services.bundles))
    router.include_router(dcat_endpoints.routes(services.dcat))
    router.include_router(amendment_endpoints.routes(services.agreements, services.amendments, clock))
    router.include_router(merger_endpoints.routes(services.mergers))
    return router


def create_app(
    services: CatalogServices, access: Access, clock: Clock, new_id: NewId, max_request_bytes: int
) -> FastAPI:
    """Build the REST application."""
    app = create_rest_app(
        "Liên thông: catalog",
        summary="Agencies, systems, services, event types and agreements.",
        openapi_path="/catalog/v1/openapi.json",
    )
    app.state.access = access
    app.state.new_id = new_id
    app.state.max_request_bytes = max_request_bytes
    app.include_router(routes(services, clock))
    app.include_router(status_routes("/catalog/v1"))
    return app


def agreement_rates(settings: CatalogSettings, clock: Clock) -> AgreementRates:
    """How often each client may ask for agreements and decide on them."""
    requests = RateLimit(
        "agreement-requests",
        settings.catalog_agreement_requests_per_s,
        settings.catalog_agreement_requests_burst,
    )
    decisions = RateLimit(
        "agreement-decisions",
        settings.catalog_agreement_decisions_per_s,
        settings.catalog_agreement_decisions_burst,
    )
    return AgreementRates(
        TokenBuckets(requests, now=clock.monotonic), TokenBuckets(decisions, now=clock.monotonic)
    )


def request_limits(settings: CatalogSettings) -> RequestLimits:
    """How many requests one system may make, and how many of them may wait for how long."""
    return RequestLimits(
        open_per_system=settings.catalog_open_requests_per_system,
        lapse_after_days=settings.catalog_request_lapses_after_days,
        per_day=settings.catalog_agreement_requests_per_day,
        decide_within_days=settings.catalog_decide_within_days,
    )


def _register(watch: Routes, directory: service_rpc.Directory, server: grpc.aio.Server) -> None:
    routes_pb2_grpc.add_RoutesServicer_to_server(watch, server)
    directory_pb2_grpc.add_DirectoryServicer_to_server(directory, server)


async def run(settings: CatalogSettings) -> None:
    """Bring the database up to date, then serve until told to stop.

    Raises:
        RpcTrustError: the keys for gRPC cannot be used.
    """
    configure_logs(events.SERVICE, settings.log_level, settings.log_format)
    trust = RpcTrust.load(settings.rpc_dir)
    telemetry = configure_telemetry(events.SERVICE, settings)
    url = settings.catalog_database_url
    soundness = Soundness(url, service=events.SERVICE, every=settings.database_checked_every_s)
    if await soundness.damaged():
        await stand_by(events.SERVICE, settings, telemetry, soundness)
        return
    await migrate(url, SCHEMA, PACKAGE)
    clock = SystemClock()
    db = Database.open(url, schema=SCHEMA)
    db.on_damage(soundness.note)
    bus = await Bus.connect(
        settings.nats_url,
        events.SERVICE,
        streams=[events.stream(settings)],
        key_file=settings.nats_key_file,
    )
    channel = open_channel(settings.identity_rpc, trust)
    verifier = TokenVerifier(settings.issuer, settings.token_audience, clock)
    keys = keys_replica(
        channel,
        DiskCopy(settings.state_folder(events.SERVICE) / "keys.copy"),
        clock,
        node=socket.gethostname(),
        issuer=settings.issuer,
        max_age=settings.max_age,
    )
    keys.load()
    space = StreamSpace(bus, events.STREAM)
    ledger = open_channel(settings.ledger_rpc, trust)
    history = History(db, HISTORY, ledger, service=events.SERVICE)
    records = RetainedRecords(
        db,
        RETAINED,
        bus,
        ledger,
        clock,
        node=events.SERVICE,
        history=history,
        lost_after=settings.lost_after,
    )
    outbox = Outbox(OUTBOX, on_commit=lambda: relay.wake(), clock=clock)
    journal = AdminJournal(events.SERVICE, outbox, clock)

    async def read_version() -> int:
        async with db.reading() as session:
            return await ChangeLogRepository(session).version()

    versions = VersionMonitor(read_version, monotonic=clock.monotonic)
    access = Access(keys.fresh, verifier, Shown(trust, clock))
    units = UnitsOfWork(db, REPOSITORIES, outbox, journal, versions, clock, index=searching.put)
    lost = LostEvents(units, outbox, bus, uuid7)
    missed = MissedSystems(db, units, outbox, bus, channel, clock, uuid7, lost_after=settings.lost_after)
    relay = OutboxRelay(db, OUTBOX, bus, clock, retained=RETAINED, on_connection=lost.publish_again)
    workers = Workers(settings.catalog_workers, READING)
    await workers.start()
    services = CatalogServices.of(
        units,
        uuid7,
        workers,
        ProviderAddresses.of(settings),
        agreement_rates(settings, clock),
        request_limits(settings),
        settings.catalog_systems_per_agency,
        Addresses(settings.public_url.rstrip("/"), settings.instance),
    )
    await services.index.catch_up()
    watch = Routes(WatchService(units), versions, MESSAGES)
    directory = service_rpc.Directory(services.agencies, services.systems, services.services)
    figures = telemetry.figures
    bus.show(figures)
    db.show(figures)
    relay.show(figures)
    records.show(figures)
    history.show(figures)
    space.show(figures)
    keys.show(figures)
    figures.observe(CATALOG_VERSION, lambda: versions.version)
    await run_process(
        events.SERVICE,
        settings,
        telemetry=telemetry,
        app=create_app(services, access, clock, uuid7, settings.catalog_max_request_bytes),
        register_rpc=partial(_register, watch, directory),
        background=[
            keys.run,
            relay.run,
            records.run,
            versions.run,
            partial(follow_changes, bus, versions),
            partial(publish_missed_systems, missed.publish_again, ask_every_s(settings.lost_after)),
            partial(lapse_requests, services.agreements.lapse),
            partial(catch_up_with_others, services.index.catch_up),
            partial(lapse_requests, services.amendments.lapse),
            partial(tell_in_time, services.reminders.remind),
            partial(tell_in_time, services.key_reminders.remind),
            space.run,
            soundness.run,
        ],
        checks={
            "database": db.check,
            CHECK: soundness.condition,
            "keys": keys.condition,
            "records": records.condition,
            "history": history.condition,
        },
        close=[workers.close, bus.close, db.close, channel.close, ledger.close],
    )


async def accept_rolled_back(settings: CatalogSettings, reason: str) -> BilingualText:
    """Go on without the changes that an older copy of the database lacks; says what was accepted."""
    return await accept(settings.catalog_database_url, SCHEMA, HISTORY, reason, service=events.SERVICE)


async def put_copy_back(settings: CatalogSettings) -> BilingualText:
    """Put the copy of the database back that was made when it was last sound; says what was done."""
    return await put_back(settings.catalog_database_url)
