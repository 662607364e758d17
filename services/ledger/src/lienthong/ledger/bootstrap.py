"""The only place where the objects of the ledger process are wired."""

import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from fastapi import FastAPI

from lienthong.contracts.audit.v1.sealing_pb2_grpc import add_SealingServicer_to_server
from lienthong.kit.access import Access
from lienthong.kit.bus import Bus
from lienthong.kit.clock import Clock, SteadyTime, SystemClock
from lienthong.kit.database import Database, migrate
from lienthong.kit.journal import STREAM, journal_stream
from lienthong.kit.keys import keys_replica
from lienthong.kit.process import run_process
from lienthong.kit.rates import RateLimit, TokenBuckets
from lienthong.kit.replica_copy import DiskCopy
from lienthong.kit.rest import create_rest_app
from lienthong.kit.rpc import open_channel
from lienthong.kit.rpc_trust import RpcTrust
from lienthong.kit.shown import Shown
from lienthong.kit.status import status_routes
from lienthong.kit.stream_space import StreamSpace
from lienthong.kit.telemetry import configure_telemetry
from lienthong.kit.tokens import TokenVerifier
from lienthong.ledger.background.consumer import JournalConsumer
from lienthong.ledger.background.pruner import JournalPruner
from lienthong.ledger.domain.journal_place import JournalPlace
from lienthong.ledger.endpoints import routes
from lienthong.ledger.rpc import SealingService
from lienthong.ledger.service.acts import Acts
from lienthong.ledger.service.audit_log import AuditLog
from lienthong.ledger.service.index_check import IndexCheck
from lienthong.ledger.service.integrator import Integrator
from lienthong.ledger.service.pruning import Pruning
from lienthong.ledger.service.sealing import Sealing
from lienthong.ledger.service.startup import LogSigner, damage_told, open_log
from lienthong.ledger.service.writer_lock import writer_lock
from lienthong.ledger.settings import LedgerSettings
from lienthong.ledger.usage.background import CallCounter
from lienthong.ledger.usage.endpoints import usage_routes
from lienthong.ledger.usage.service import CallCounts

PROCESS = "ledger"
SCHEMA = "ledger"


@dataclass(frozen=True, slots=True)
class LedgerCore:
    """The parts that use the database: `log` reads it, `index` checks what is searched, `counts` says how
    services are used, `integrator` appends to it and `signer` signs it."""

    database: Database
    signer: LogSigner
    integrator: Integrator
    log: AuditLog
    index: IndexCheck
    counts: CallCounts


async def open_core(settings: LedgerSettings, clock: Clock | None = None) -> LedgerCore:
    """Open the database at its newest schema and the log in it, verified.

    Raises:
        LedgerMismatchError: what is stored is not the log that was signed.
        SigningKeyFileError: the signing key is missing or unreadable.
    """
    clock = clock or SystemClock()
    with damage_told():
        await migrate(settings.ledger_database_url, SCHEMA, "lienthong.ledger")
    database = Database.open(settings.ledger_database_url, schema=SCHEMA)
    try:
        with damage_told():
            signer = await open_log(database, settings.ledger_key_file, settings.ledger_origin, clock)
    except BaseException:
        await database.close()
        raise
    return LedgerCore(
        database,
        signer,
        Integrator(database, signer, clock),
        AuditLog(database),
        IndexCheck(database),
        CallCounts(database),
    )


def create_app(
    core: LedgerCore,
    access: Access,
    place: Callable[[], Awaitable[JournalPlace]],
    searches: TokenBuckets,
) -> FastAPI:
    """Build the REST application; `place` compares the ledger's place in the journal with the journal, and
    `searches` limits how often a caller searches."""
    app = create_rest_app(
        "Liên thông: ledger",
        summary="The audit log: search, proofs and receipts.",
        openapi_path="/audit/v1/openapi.json",
    )
    app.state.access = access
    clock = SystemClock()
    app.include_router(routes(core.log, core.signer.key.verifier, core.index, place, searches))
    app.include_router(usage_routes(core.counts, searches, clock))
    app.include_router(status_routes("/audit/v1", lambda: core.log.measures(clock)))
    return app


def search_rates(settings: LedgerSettings, clock: Clock) -> TokenBuckets:
    """How often each caller may search."""
    limit = RateLimit("ledger-searches", settings.ledger_searches_per_s, settings.ledger_searches_burst)
    return TokenBuckets(limit, now=clock.monotonic)


def create_journal_consumer(settings: LedgerSettings, core: LedgerCore, bus: Bus) -> JournalConsumer:
    """Build what brings the journal into the log."""
    lock = writer_lock(core.database, settings.ledger_database_url)
    return JournalConsumer(
        bus,
        core.integrator,
        lock,
        SystemClock(),
        journal_stream(settings),
        batch_messages=settings.ledger_batch_messages,
    )


async def serve(settings: LedgerSettings) -> None:
    """Run the process until it is told to stop.

    Raises:
        LedgerMismatchError, SigningKeyFileError: as `open_core` does.
        RpcTrustError: the keys for gRPC cannot be used.
    """
    trust = RpcTrust.load(settings.rpc_dir)
    telemetry = configure_telemetry(PROCESS, settings)
    core = await open_core(settings)
    bus = await Bus.connect(
        settings.nats_url,
        PROCESS,
        streams=[journal_stream(settings)],
        key_file=settings.nats_key_file,
    )
    consumer = create_journal_consumer(settings, core, bus)
    space = StreamSpace(bus, STREAM)
    kept = timedelta(seconds=settings.ledger_journal_kept_s)
    clock = SystemClock()
    pruner = JournalPruner(bus, Pruning(core.database, SteadyTime(clock).now, kept, wall=clock.now))
    counter = CallCounter(core.counts, clock)
    channel = open_channel(settings.identity_rpc, trust)
    verifier = TokenVerifier(settings.issuer, settings.token_audience, clock)
    keys = keys_replica(
        channel,
        DiskCopy(settings.state_folder(PROCESS) / "keys.copy"),
        clock,
        node=socket.gethostname(),
        issuer=settings.issuer,
        max_age=settings.max_age,
    )
    keys.load()

    async def close_channel() -> None:
        await channel.close()

    figures = telemetry.figures
    bus.show(figures)
    core.database.show(figures)
    core.log.show(figures, clock)
    consumer.show(figures)
    space.show(figures)
    keys.show(figures)
    await run_process(
        PROCESS,
        settings,
        telemetry=telemetry,
        app=create_app(
            core,
            Access(keys.fresh, verifier, Shown(trust, clock)),
            consumer.place,
            search_rates(settings, clock),
        ),
        register_rpc=lambda server: add_SealingServicer_to_server(
            SealingService(Sealing(core.database), Acts(core.database), core.signer.key.verifier), server
        ),
        background=[consumer.run, keys.run, space.run, pruner.run, counter.run],
        checks={"database": core.database.check, "journal-lag-known": consumer.lag_known},
        close=[bus.close, close_channel, core.database.close],
    )
