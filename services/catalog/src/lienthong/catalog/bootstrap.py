"""The wiring: the only place where the catalog's parts meet."""

from __future__ import annotations

import socket
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from lienthong.catalog import endpoints, events
from lienthong.catalog.applying import Applying
from lienthong.catalog.changes import Changes
from lienthong.catalog.deciding import Deciding
from lienthong.catalog.feed import Feed
from lienthong.catalog.models import OUTBOX
from lienthong.catalog.repository import Repository
from lienthong.catalog.rpc import Routes
from lienthong.contracts.catalog.v1 import routes_pb2_grpc
from lienthong.kit.access import Access
from lienthong.kit.bus import Bus
from lienthong.kit.clock import SystemClock
from lienthong.kit.database import Database, migrate
from lienthong.kit.ids import uuid7
from lienthong.kit.journal import journal_stream
from lienthong.kit.keys import keys_replica
from lienthong.kit.logs import configure_logs
from lienthong.kit.outbox import Outbox, OutboxRelay
from lienthong.kit.process import run_process
from lienthong.kit.replica_copy import DiskCopy
from lienthong.kit.rest import create_rest_app
from lienthong.kit.rpc import open_channel
from lienthong.kit.telemetry import configure_telemetry
from lienthong.kit.tokens import TokenVerifier

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fastapi import FastAPI

    from lienthong.catalog.settings import CatalogSettings
    from lienthong.kit.ids import NewId

PACKAGE = "lienthong.catalog"
SCHEMA = "catalog"


@dataclass(frozen=True, slots=True)
class Features:
    """What the endpoints call."""

    applying: Applying
    deciding: Deciding
    db: Database
    new_id: NewId
    max_request_bytes: int

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Repository]:
        """Read within one consistent view."""
        async with self.db.reading() as session:
            yield Repository(session)


def create_app(features: Features, access: Access) -> FastAPI:
    """Build the REST application."""
    app = create_rest_app(
        "Liên thông: catalog",
        summary="Agencies, systems, services, event types and agreements.",
        openapi_path="/catalog/v1/openapi.json",
    )
    app.state.features = features
    app.state.access = access
    app.include_router(endpoints.router())
    return app


async def run(settings: CatalogSettings) -> None:
    """Bring the database up to date, then serve until told to stop."""
    configure_logs(events.SERVICE, settings.log_level, settings.log_format)
    telemetry = configure_telemetry(events.SERVICE, settings)
    await migrate(settings.catalog_database_url, SCHEMA, PACKAGE)
    clock = SystemClock()
    db = Database.open(settings.catalog_database_url, schema=SCHEMA)
    replicas = settings.nats_replicas
    streams = [events.stream(replicas), journal_stream(replicas)]
    bus = await Bus.connect(settings.nats_url, events.SERVICE, streams=streams)
    channel = open_channel(settings.identity_rpc)
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
    relay = OutboxRelay(db, OUTBOX, bus, clock)
    outbox = Outbox(OUTBOX, on_commit=relay.wake, clock=clock)

    async def read_version() -> int:
        async with db.reading() as session:
            return await Repository(session).head()

    feed = Feed(read_version)
    changes = Changes(db, outbox, feed, clock, uuid7)
    features = Features(
        Applying(changes), Deciding(changes, uuid7), db, uuid7, settings.catalog_max_request_bytes
    )
    await run_process(
        events.SERVICE,
        settings,
        app=create_app(features, Access(keys.fresh, verifier)),
        register_rpc=partial(routes_pb2_grpc.add_RoutesServicer_to_server, Routes(db, feed)),
        background=[keys.run, relay.run, feed.run, partial(events.listen, bus, feed)],
        checks={"database": db.check, "keys": lambda: keys.ready},
        close=[bus.close, db.close, channel.close],
    )
    telemetry.shutdown()
