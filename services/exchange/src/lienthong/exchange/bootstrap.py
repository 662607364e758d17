"""The only place where the objects of the exchange process are wired."""

from __future__ import annotations

import socket
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import make_url

from lienthong.exchange.background.catalog import current, events_replica
from lienthong.exchange.background.deduplication import StreamIndexer
from lienthong.exchange.background.upkeep import ConsumerUpkeep
from lienthong.exchange.domain.ack_tokens import AckTokens
from lienthong.exchange.domain.messages import prepare
from lienthong.exchange.endpoints import routes
from lienthong.exchange.events import DUPLICATE_WINDOW, LARGEST_MESSAGE, SERVICE, STREAM, SUBJECTS
from lienthong.exchange.models import history, outbox, retained
from lienthong.exchange.service.ack_secret_file import load_ack_secret
from lienthong.exchange.service.consumers import SubscriptionConsumers
from lienthong.exchange.service.deduplication import DeduplicationIndex
from lienthong.exchange.service.delivery import DeliveryService
from lienthong.exchange.service.event_register import EventRegister
from lienthong.exchange.service.event_stream import EventStream
from lienthong.exchange.service.publishing import PublisherLimits, PublishingService
from lienthong.exchange.service.subscriptions import SubscriptionService
from lienthong.kit.access import Access
from lienthong.kit.bus import Bus, StreamSpec
from lienthong.kit.clock import SystemClock
from lienthong.kit.database import Database, migrate
from lienthong.kit.history import History, accept
from lienthong.kit.ids import uuid7
from lienthong.kit.journal import AdminJournal
from lienthong.kit.keys import keys_replica
from lienthong.kit.metrics.instruments import INDEX_AGE, STREAM_LOSSES
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
    from fastapi import FastAPI

    from lienthong.exchange.settings import ExchangeSettings
    from lienthong.kit.clock import Clock
    from lienthong.kit.text import BilingualText

PROCESS = "exchange"
SCHEMA = "exchange"


async def serve(settings: ExchangeSettings) -> None:
    """Run the process until it is told to stop.

    Raises:
        SecretUnusableError: the secret of acknowledgement tokens is missing or too short.
        RpcTrustError: the keys for gRPC cannot be used.
    """
    clock = SystemClock()
    telemetry = configure_telemetry(PROCESS, settings)
    url = settings.exchange_database_url
    # Where replicas share a database, a secret that one of them generated would refuse the others' tokens.
    embedded = make_url(url).get_backend_name() == "sqlite"
    secret = load_ack_secret(settings.exchange_token_key_file, create=embedded)
    trust = RpcTrust.load(settings.rpc_dir)
    soundness = Soundness(url, service=SERVICE, every=settings.database_checked_every_s)
    if await soundness.damaged():
        await stand_by(PROCESS, settings, telemetry, soundness)
        return
    await migrate(url, SCHEMA, "lienthong.exchange")
    database = Database.open(url, schema=SCHEMA)
    database.on_damage(soundness.note)
    bus = await Bus.connect(
        settings.nats_url, PROCESS, streams=[events_stream(settings)], key_file=settings.nats_key_file
    )

    node = socket.gethostname()
    catalog_channel = open_channel(settings.catalog_rpc, trust)
    identity_channel = open_channel(settings.identity_rpc, trust)
    folder = settings.state_folder(PROCESS)
    catalog = events_replica(
        catalog_channel, DiskCopy(folder / "catalog.copy"), clock, node=node, max_age=settings.max_age
    )
    catalog.load()
    catalog_now = current(catalog)
    verifier = TokenVerifier(settings.issuer, settings.token_audience, clock)
    keys = keys_replica(
        identity_channel,
        DiskCopy(folder / "keys.copy"),
        clock,
        node=node,
        issuer=settings.issuer,
        max_age=settings.max_age,
    )
    keys.load()

    relay = OutboxRelay(database, outbox, bus, clock, retained=retained)
    ledger_channel = open_channel(settings.ledger_rpc, trust)
    past = History(database, history, ledger_channel, service=SERVICE)
    records = RetainedRecords(
        database,
        retained,
        bus,
        ledger_channel,
        clock,
        node=PROCESS,
        history=past,
        lost_after=settings.lost_after,
    )
    journal = AdminJournal(SERVICE, Outbox(outbox, on_commit=relay.wake, clock=clock), clock)
    ack_wait = timedelta(seconds=settings.exchange_ack_wait_seconds)
    register = EventRegister(database, clock)
    stream = EventStream(database, bus, register, events_stream(settings), clock)
    consumers = SubscriptionConsumers(database, bus, stream, clock, ack_wait=ack_wait)
    index = DeduplicationIndex(database, clock)
    subscriptions = SubscriptionService(database, bus, stream, journal, consumers, catalog_now, clock, uuid7)
    space = StreamSpace(bus, STREAM)
    workers = Workers(settings.exchange_workers, [prepare.__module__])
    await workers.start()
    publishing = PublishingService(
        stream,
        register,
        index,
        catalog_now,
        lambda: not space.full,
        workers,
        limits(settings, clock),
    )
    delivery = DeliveryService(
        database, bus, stream, consumers, AckTokens(secret), catalog_now, clock, uuid7, ack_wait=ack_wait
    )
    indexer = StreamIndexer(bus, stream, register, index, clock)
    upkeep = ConsumerUpkeep(bus, consumers)

    access = Access(keys.fresh, verifier, Shown(trust, clock))

    figures = telemetry.figures
    bus.show(figures)
    database.show(figures)
    relay.show(figures)
    records.show(figures)
    past.show(figures)
    space.show(figures)
    catalog.show(figures)
    keys.show(figures)
    figures.observe(INDEX_AGE, index.age)
    figures.observe(STREAM_LOSSES, lambda: stream.generation)
    await run_process(
        PROCESS,
        settings,
        telemetry=telemetry,
        app=create_app(access, publishing, subscriptions, delivery),
        background=[
            catalog.run,
            keys.run,
            relay.run,
            records.run,
            stream.run,
            upkeep.run,
            indexer.run,
            indexer.measure,
            space.run,
            soundness.run,
        ],
        checks={
            "database": database.check,
            CHECK: soundness.condition,
            # Not the bus itself: while it is away acknowledgements are taken all the same, and the rest is
            # answered with its own problem rather than with the gateway's.
            "catalog": catalog.condition,
            "keys": keys.condition,
            "deduplication": lambda: index.built,
            "events": stream.condition,
            "records": records.condition,
            "history": past.condition,
        },
        on_stop=delivery.stop,
        close=[
            workers.close,
            bus.close,
            catalog_channel.close,
            identity_channel.close,
            ledger_channel.close,
            database.close,
        ],
    )


def create_app(
    access: Access,
    publishing: PublishingService,
    subscriptions: SubscriptionService,
    delivery: DeliveryService,
) -> FastAPI:
    """Build the REST application."""
    app = create_rest_app(
        "Liên thông: exchange",
        summary="Events and subscriptions.",
        openapi_path="/exchange/v1/openapi.json",
    )
    app.state.access = access
    app.include_router(routes(publishing, subscriptions, delivery))
    app.include_router(status_routes("/exchange/v1"))
    return app


def limits(settings: ExchangeSettings, clock: Clock) -> PublisherLimits:
    """What each publisher may send."""
    events = RateLimit("events", settings.exchange_events_per_s, settings.exchange_events_burst, "events")
    size = RateLimit(
        "event-bytes",
        settings.exchange_event_bytes_per_s,
        settings.exchange_event_bytes_burst,
        "content-bytes",
    )
    return PublisherLimits(TokenBuckets(events, now=clock.monotonic), TokenBuckets(size, now=clock.monotonic))


def events_stream(settings: ExchangeSettings) -> StreamSpec:
    """The JetStream stream that holds all events."""
    days = settings.exchange_retention_days
    return StreamSpec(
        name=STREAM,
        subjects=SUBJECTS,
        max_age=None if days is None else days * 86_400.0,
        max_bytes=settings.events_max_bytes,
        max_message_bytes=LARGEST_MESSAGE,
        duplicate_window=DUPLICATE_WINDOW,
        replicas=settings.nats_replicas,
        atomic=True,
    )


async def accept_rolled_back(settings: ExchangeSettings, reason: str) -> BilingualText:
    """Go on without the changes that an older copy of the database lacks; says what was accepted."""
    return await accept(settings.exchange_database_url, SCHEMA, history, reason, service=SERVICE)


async def put_copy_back(settings: ExchangeSettings) -> BilingualText:
    """Put the copy of the database back that was made when it was last sound; says what was done."""
    return await put_back(settings.exchange_database_url)
