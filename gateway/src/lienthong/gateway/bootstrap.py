"""Creates the parts of one worker, wires them together, and closes them."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from opentelemetry import trace

from lienthong.gateway.address_guard import AddressGuard
from lienthong.gateway.app import Gateway
from lienthong.gateway.assertion_keys import AssertionKeys, assertion_secrets
from lienthong.gateway.assertions import Assertions
from lienthong.gateway.authenticate import Authenticator
from lienthong.gateway.background import last_samples, start, write_samples
from lienthong.gateway.credentials.access import ProviderAccess
from lienthong.gateway.credentials.secrets import Secrets
from lienthong.gateway.credentials.tls import TlsPools
from lienthong.gateway.credentials.watch import watch_secrets
from lienthong.gateway.figures import (
    CallFigures,
    show_callers,
    show_limits,
    show_parts,
    show_providers,
    show_retained,
)
from lienthong.gateway.forward import Forwarder
from lienthong.gateway.health import HealthServer, public_health
from lienthong.gateway.heartbeat import Heart
from lienthong.gateway.http1.checks import HealthChecks
from lienthong.gateway.http1.listener import Listener
from lienthong.gateway.http1.pool import Pool, provider_trust
from lienthong.gateway.idempotency.entry import Seal
from lienthong.gateway.idempotency.stage import IdempotentForwarder
from lienthong.gateway.idempotency.store import Store, idempotency_stream
from lienthong.gateway.journal.beside import Beside
from lienthong.gateway.journal.ledger_rpc import LedgerRpc
from lienthong.gateway.journal.release import Release
from lienthong.gateway.journal.retained import Retained
from lienthong.gateway.journal.sampling import CallCounts
from lienthong.gateway.journal.seen_log import SeenLog
from lienthong.gateway.journal.spool import Spool
from lienthong.gateway.journal.unended import Unended
from lienthong.gateway.journal.writer import JournalWriter
from lienthong.gateway.limits.conversation import Conversation
from lienthong.gateway.limits.day import Calendar, zone
from lienthong.gateway.limits.exchange import UseExchange
from lienthong.gateway.limits.kept import KeptUse
from lienthong.gateway.limits.limiter import Limiter
from lienthong.gateway.limits.peers import Peers
from lienthong.gateway.live import Live
from lienthong.gateway.own_status import OwnStatus
from lienthong.gateway.person_search import PersonSearch
from lienthong.gateway.platform_routes import platform_routes
from lienthong.gateway.privacy import Privacy, privacy_keys
from lienthong.gateway.proofs.exchange import ProofExchange
from lienthong.gateway.proofs.judge import ProofJudge
from lienthong.gateway.proofs.seen import SeenProofs
from lienthong.gateway.record import Recorder
from lienthong.gateway.replica import routes_replica
from lienthong.gateway.shaping.looking import Looking
from lienthong.gateway.spans import Spans
from lienthong.gateway.workers import WorkerFigures, take_seat
from lienthong.gateway.xroad.answers import Answers
from lienthong.gateway.xroad.callers import CallerProof
from lienthong.gateway.xroad.directory import CatalogDirectory
from lienthong.gateway.xroad.door import XRoadDoor
from lienthong.kit.addresses import ProviderAddresses, allowed_networks
from lienthong.kit.bus import Bus
from lienthong.kit.clock import SystemClock
from lienthong.kit.dpop import ProofReader
from lienthong.kit.dpop_nonces import Nonces
from lienthong.kit.health import show_checks
from lienthong.kit.ids import uuid7
from lienthong.kit.keys import keys_replica
from lienthong.kit.metrics import instruments
from lienthong.kit.metrics.instruments import WORKER_REPLACEMENTS
from lienthong.kit.metrics.runtime import watch_loop
from lienthong.kit.open_files import connections_within, raise_open_files
from lienthong.kit.rates import RateLimit, TokenBucket, TokenBuckets
from lienthong.kit.replica_copy import DiskCopy
from lienthong.kit.rpc import open_channel
from lienthong.kit.rpc_trust import RpcTrust
from lienthong.kit.shown import Shown
from lienthong.kit.telemetry import configure_telemetry
from lienthong.kit.tokens import TokenVerifier

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence
    from contextlib import AsyncExitStack

    import grpc.aio

    from lienthong.gateway.http1.listener import Door
    from lienthong.gateway.settings import GatewaySettings
    from lienthong.gateway.table import RoutingTable
    from lienthong.gateway.workers import Seat
    from lienthong.kit.catalog import CatalogReplica
    from lienthong.kit.health import Check, Checks
    from lienthong.kit.keys import IdentityKeys, KeysReplica
    from lienthong.kit.metrics.figures import Figures

_WAIT_FOR_BUS_S: Final = 1.0
_WAIT_FOR_CALLS_S: Final = 5.0
_WAIT_FOR_TABLE_S: Final = 3.0
_FILES_OF_A_CALL: Final = 2


async def open_gateway(
    settings: GatewaySettings, stack: AsyncExitStack, doors: Sequence[Door], health_port: socket.socket
) -> Listener:
    """Open everything a gateway needs; `stack` closes it in the right order, the journal drained.

    Calls are served once the listener that is returned is opened, and until it is closed.
    """
    clock, live = SystemClock(), Live()
    seat = take_seat()
    heart = Heart(seat)
    stack.push_async_callback(heart.stop)
    telemetry = configure_telemetry("gateway", settings, worker=seat.number if seat is not None else None)
    stack.callback(telemetry.shutdown)
    figures, calls = telemetry.figures, CallFigures()
    key, *former = privacy_keys(settings.gateway_privacy_key_file)
    privacy = Privacy(key, former)
    assertion_keys = AssertionKeys(assertion_secrets(settings.gateway_assertion_key_file))

    bus = await Bus.connect(
        settings.nats_url,
        f"gateway {settings.gateway_node}",
        key_file=settings.nats_key_file,
    )
    stack.push_async_callback(bus.close)
    spool = Spool(
        settings.spool_dir,
        max_bytes=settings.gateway_spool_max_bytes // settings.gateway_workers,
        new_id=uuid7,
    )
    trust = RpcTrust.load(settings.rpc_dir)
    retained = Retained(
        settings.retained_dir,
        max_bytes=settings.gateway_retained_max_bytes,
        sealed_for=timedelta(seconds=settings.gateway_sealed_for_s),
        new_id=uuid7,
        workers=settings.gateway_workers,
    )
    beside = Beside(retained, clock)
    journal = JournalWriter(
        bus,
        spool,
        retained,
        beside,
        new_id=uuid7,
        publish_timeout=settings.gateway_journal_timeout_s,
        clock=clock,
    )
    stack.push_async_callback(journal.close)
    ledger = open_channel(settings.ledger_rpc, trust)
    stack.push_async_callback(ledger.close)
    release = Release(
        retained,
        beside,
        LedgerRpc(ledger, settings.gateway_node),
        SeenLog(settings.state_folder("gateway") / "ledger.checkpoint"),
        publish=journal.publish_again,
        clock=clock,
        lost_after=settings.lost_after,
    )
    recorder = Recorder(
        journal,
        privacy,
        node=settings.gateway_node,
        clock=clock,
        new_id=uuid7,
        unauthenticated=TokenBucket(
            per_second=settings.gateway_unauthenticated_per_s,
            burst=settings.gateway_unauthenticated_burst,
            now=clock.monotonic,
        ),
        refused=TokenBuckets(
            RateLimit("refusals", settings.gateway_refused_per_s, settings.gateway_refused_burst),
            now=clock.monotonic,
        ),
        counts=CallCounts(),
    )
    stack.push_async_callback(last_samples, recorder)
    limiter = Limiter(uuid7(), Calendar(zone(settings.gateway_time_zone)), clock.now, clock.monotonic)
    peers = await _exchange_use(settings, stack, bus, limiter, seat)
    nonces = Nonces(trust, clock)
    seen = SeenProofs(clock.now)
    proofs = ProofJudge(ProofReader(settings.origins, nonces, clock), seen)
    start(stack, "used proofs", ProofExchange(bus, seen, uuid7()).run())
    tls = provider_trust()
    guard = AddressGuard(ProviderAddresses.of(settings))
    pool = Pool(connect_timeout=settings.gateway_connect_timeout_s, tls=tls, guard=guard)
    secrets = Secrets(
        settings.gateway_secrets_dir,
        {name: value.get_secret_value() for name, value in settings.gateway_secrets.items()},
    )
    tls_pools = TlsPools(
        secrets,
        lambda trust: Pool(connect_timeout=settings.gateway_connect_timeout_s, tls=trust, guard=guard),
    )
    access = ProviderAccess(secrets, pool, tls_pools, monotonic=clock.monotonic)
    # Connections of its own: a provider that registers an address of the platform must not be given them.
    platform_pool = Pool(connect_timeout=settings.gateway_connect_timeout_s, tls=tls)
    stack.callback(pool.close)
    stack.callback(platform_pool.close)
    stack.callback(tls_pools.close)
    stack.callback(access.close)

    catalog = open_channel(settings.catalog_rpc, trust)
    stack.push_async_callback(catalog.close)
    routes, keys = _replicas(settings, stack, clock, live, proofs, trust, catalog)
    start(stack, "journal", journal.run())
    start(stack, "release", release.run())
    start(stack, "routes", routes.run())
    start(stack, "keys", keys.run())
    start(stack, "secrets", watch_secrets(live.catalog, secrets))
    start(stack, "samples", write_samples(recorder, settings.gateway_sample_every_s))
    with contextlib.suppress(TimeoutError):
        # Without it the first records would take the way through the spool.
        async with asyncio.timeout(_WAIT_FOR_BUS_S):
            await bus.wait_connected()
    with contextlib.suppress(TimeoutError):
        # A worker that listens takes calls at once, also while the readiness of another is asked for.
        async with asyncio.timeout(_WAIT_FOR_TABLE_S):
            await asyncio.gather(routes.wait_ready(), keys.wait_ready())
    bus.show(figures)
    routes.show(figures)
    keys.show(figures)
    calls.show(figures)
    pools = (pool, platform_pool, tls_pools)
    checks = HealthChecks(live.upstreams)
    stack.callback(checks.close)
    forwarder = Forwarder(
        pool,
        platform_pool,
        Assertions(settings.issuer, assertion_keys),
        access,
        Shown(trust, clock),
        checks,
        clock,
        settings,
    )
    seal = Seal(privacy_keys(settings.gateway_privacy_key_file)[0])
    idempotent = IdempotentForwarder(
        forwarder, Store(bus, idempotency_stream(settings), seal, uuid7), seal, settings, clock
    )
    stack.push_async_callback(idempotent.close, _WAIT_FOR_CALLS_S)
    figures.observe(instruments.IDEMPOTENCY_REPLAYED, lambda: idempotent.replayed)
    show_parts(figures, settings, live=live, journal=journal, spool=spool, pools=pools, clock=clock)
    show_providers(figures, pools, forwarder.bulkheads, checks)
    show_retained(figures, retained, beside, release)
    show_limits(figures, limiter, peers)
    figures.observe(instruments.PROOFS_SEEN, lambda: len(seen))
    looking = Looking()
    stack.push_async_callback(looking.close)
    own_checks: dict[str, Check] = {
        "routes": routes.condition,
        "keys": keys.condition,
        "journal": journal.condition,
        "retained": release.condition,
        "secrets": secrets.condition,
    }
    gateway = Gateway(
        live,
        platform_routes(
            settings,
            partial(public_health, {"routes": routes.condition, "keys": keys.condition}),
            lambda: assertion_keys.published(clock.now().timestamp()),
            OwnStatus(own_checks, clock.monotonic).document,
        ),
        XRoadDoor(settings.instance, CallerProof(allowed_networks(settings.gateway_xroad_networks))),
        Answers(settings.instance, CatalogDirectory(catalog, settings.gateway_node, clock)),
        PersonSearch(privacy, settings, clock),
        forwarder,
        idempotent,
        recorder,
        settings,
        calls,
        limiter,
        nonces,
        looking,
        clock=clock,
        new_id=uuid7,
        spans=Spans(trace.get_tracer("lienthong.gateway")) if telemetry.traced else None,
    )
    unended = Unended.opened(settings.state_folder("gateway") / "open", uuid7)
    if unended is not None:
        stack.callback(unended.close)
    start(stack, "endless answers", gateway.endless.run(unended))
    figures.observe(instruments.ENDLESS_ANSWERS, lambda: len(gateway.endless))
    listener = Listener(
        doors,
        gateway,
        # At the limit of open files nothing can be accepted, and trying to takes the processor.
        most=connections_within(
            raise_open_files(), settings.gateway_max_connections, files_each=_FILES_OF_A_CALL
        ),
        max_head=settings.max_head_bytes,
        idle_s=settings.gateway_idle_timeout_s,
        stall_s=settings.gateway_caller_timeout_s,
        on_cut=gateway.cut_off,
    )
    show_callers(figures, listener)
    await _open_health(
        health_port,
        stack,
        figures,
        WorkerFigures(figures.exposition, seat),
        {**own_checks, "listening": lambda: listener.listens},
    )
    figures.observe_each(WORKER_REPLACEMENTS, heart.replaced)
    heart.start()
    return listener


async def _exchange_use(
    settings: GatewaySettings, stack: AsyncExitStack, bus: Bus, limiter: Limiter, seat: Seat | None
) -> Peers:
    """Keep what agreements use, and exchange it with the processes of all gateways."""
    peers = Peers(limiter)
    kept = KeptUse(settings.limits_dir, seat.number if seat is not None else 0, limiter, peers)
    kept.load()
    exchange = UseExchange(bus, limiter, Conversation(limiter, peers))
    stack.push_async_callback(kept.save)
    start(stack, "kept use", kept.run())
    stack.push_async_callback(exchange.leave)
    start(stack, "use", exchange.run())
    return peers


async def _open_health(
    port: socket.socket, stack: AsyncExitStack, figures: Figures, workers: WorkerFigures, checks: Checks
) -> None:
    """Answer on the health port: this worker's checks, and the figures of all workers."""
    show_checks(figures, checks)
    start(stack, "figures", figures.run())
    start(stack, "event loop", watch_loop(figures))
    await workers.open()
    stack.push_async_callback(workers.close)
    health = HealthServer(checks, workers.text, port)
    stack.push_async_callback(health.stop)


def _replicas(
    settings: GatewaySettings,
    stack: AsyncExitStack,
    clock: SystemClock,
    live: Live,
    proofs: ProofJudge,
    trust: RpcTrust,
    catalog: grpc.aio.Channel,
) -> tuple[CatalogReplica, KeysReplica]:
    """Follow the catalog and identity; what they say, while it is recent enough, is what `live` shows."""
    identity = open_channel(settings.identity_rpc, trust)
    stack.push_async_callback(identity.close)
    folder, node = settings.state_folder("gateway"), settings.gateway_node
    verifier = TokenVerifier(settings.issuer, settings.token_audience, clock)
    remembering: Authenticator | None = None

    def show_table(table: RoutingTable | None) -> None:
        live.table = table

    def show_keys(keys: IdentityKeys | None) -> None:
        nonlocal remembering
        if keys is None:
            live.authenticator = None
            return
        remembering = (
            remembering.with_keys(keys) if remembering is not None else Authenticator(verifier, keys, proofs)
        )
        live.authenticator = remembering

    routes = routes_replica(
        catalog,
        DiskCopy(folder / "routes.copy"),
        clock,
        node=node,
        max_age=settings.max_age,
        on_change=show_table,
    )
    keys = keys_replica(
        identity,
        DiskCopy(folder / "keys.copy"),
        clock,
        node=node,
        issuer=settings.issuer,
        max_age=settings.max_age,
        on_change=show_keys,
    )
    routes.load()
    keys.load()
    return routes, keys
