"""Creates the gateway's parts, wires them together, and closes them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import multiprocessing
import signal
import ssl
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog
from opentelemetry import trace

from lienthong.gateway.address_guard import AddressGuard
from lienthong.gateway.app import Gateway
from lienthong.gateway.authenticate import Authenticator
from lienthong.gateway.figures import CallFigures, show_parts, show_retained
from lienthong.gateway.forward import Forwarder
from lienthong.gateway.health import HealthServer, accepts_connections, public_health
from lienthong.gateway.heartbeat import Heart
from lienthong.gateway.http1.pool import Pool
from lienthong.gateway.journal.beside import Beside
from lienthong.gateway.journal.ledger_rpc import LedgerRpc
from lienthong.gateway.journal.release import Release
from lienthong.gateway.journal.retained import Retained
from lienthong.gateway.journal.sampling import CallCounts
from lienthong.gateway.journal.seen_log import SeenLog
from lienthong.gateway.journal.spool import Spool
from lienthong.gateway.journal.writer import AuditUnavailableError, JournalWriter
from lienthong.gateway.live import Live
from lienthong.gateway.platform_routes import platform_routes
from lienthong.gateway.privacy import Privacy, privacy_key
from lienthong.gateway.record import Recorder
from lienthong.gateway.replica import routes_replica
from lienthong.gateway.settings import GatewaySettings
from lienthong.gateway.spans import Spans
from lienthong.gateway.workers import WorkerFigures, take_seat
from lienthong.kit.addresses import ProviderAddresses
from lienthong.kit.bus import Bus
from lienthong.kit.clock import SystemClock
from lienthong.kit.health import show_checks
from lienthong.kit.ids import uuid7
from lienthong.kit.keys import keys_replica
from lienthong.kit.logs import configure_logs
from lienthong.kit.metrics.instruments import WORKER_REPLACEMENTS
from lienthong.kit.metrics.runtime import show_connections, watch_loop
from lienthong.kit.process import die_with_parent
from lienthong.kit.rates import RateLimit, TokenBucket, TokenBuckets
from lienthong.kit.replica_copy import DiskCopy
from lienthong.kit.rpc import open_channel
from lienthong.kit.rpc_trust import RpcTrust, RpcTrustError
from lienthong.kit.stopping import LONGEST_STOP, end_at_the_latest
from lienthong.kit.telemetry import configure_telemetry
from lienthong.kit.tokens import TokenVerifier

if TYPE_CHECKING:
    from collections.abc import Awaitable, Coroutine, Mapping

    from lienthong.gateway.respond import Send
    from lienthong.gateway.table import RoutingTable
    from lienthong.gateway.watch import Receive
    from lienthong.kit.catalog import CatalogReplica
    from lienthong.kit.health import Checks
    from lienthong.kit.keys import IdentityKeys, KeysReplica
    from lienthong.kit.metrics.figures import Figures

_DRAIN_S = 15.0
"""For calls under way, when a worker ends by itself."""
_WAIT_FOR_BUS_S = 1.0
_WAIT_FOR_TABLE_S = 3.0

_log = structlog.get_logger(__name__)


class Application:
    """The ASGI application that Granian runs in each worker; its lifespan opens and closes everything."""

    def __init__(self) -> None:
        self._gateway: Gateway | None = None

    def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> Awaitable[None]:
        """Serve a request, or the lifespan (ASGI lifespan protocol 2.0)."""
        if self._gateway is not None and scope["type"] == "http":
            return self._gateway(scope, receive, send)
        if scope["type"] == "lifespan":
            return self._live_until_shutdown(receive, send)
        raise RuntimeError(f"{scope['type']} is not served")

    async def _live_until_shutdown(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            main = multiprocessing.parent_process()
            # Not SIGTERM: Granian's handler can wait for ever when it is called while the worker starts, and
            # a worker that hangs would keep its share of the port from the gateway that is started next.
            die_with_parent(signal.SIGKILL, main.pid if main is not None else None)
            settings = GatewaySettings()
            configure_logs("gateway", settings.log_level, settings.log_format)
            async with AsyncExitStack() as stack:
                self._gateway = await open_gateway(settings, stack)
                # Objects made until now live as long as the process: frozen, they are not scanned again.
                # Calls leave next to no cycles: a collection every dozen calls would cost 5 % of the core.
                gc.collect()
                gc.freeze()
                gc.set_threshold(10_000, 20, 100)
                await send({"type": "lifespan.startup.complete"})
                await receive()
                # A worker that ends by itself has nobody who kills it: a disk may hang while all is closed.
                end_at_the_latest()
        except Exception as error:  # noqa: BLE001  ASGI wants every failure reported
            if isinstance(error, RpcTrustError):
                _log.error("gateway cannot start", error=str(error))
            else:
                _log.exception("gateway failed")
            await send(
                {"type": "lifespan.startup.failed", "message": f"the gateway cannot start: {error}"}
                if self._gateway is None
                else {"type": "lifespan.shutdown.failed", "message": str(error)}
            )
            return
        await send({"type": "lifespan.shutdown.complete"})


async def open_gateway(settings: GatewaySettings, stack: AsyncExitStack) -> Gateway:
    """Open everything a gateway needs; `stack` closes it in the right order, the journal drained."""
    clock, live = SystemClock(), Live()
    seat = take_seat()
    heart = Heart(seat)
    stack.push_async_callback(heart.stop)
    telemetry = configure_telemetry("gateway", settings, worker=seat.number if seat is not None else None)
    stack.callback(telemetry.shutdown)
    figures, calls = telemetry.figures, CallFigures()
    privacy = Privacy(privacy_key(settings.gateway_privacy_key_file))

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
    stack.push_async_callback(_last_samples, recorder)
    tls = ssl.create_default_context()
    guard = AddressGuard(ProviderAddresses.of(settings))
    pool = Pool(connect_timeout=settings.gateway_connect_timeout_s, tls=tls, guard=guard)
    # Connections of its own: a provider that registers an address of the platform must not be given them.
    platform_pool = Pool(connect_timeout=settings.gateway_connect_timeout_s, tls=tls)
    stack.callback(pool.close)
    stack.callback(platform_pool.close)

    routes, keys = _replicas(settings, stack, clock, live, trust)
    _start(stack, "journal", journal.run())
    _start(stack, "release", release.run())
    _start(stack, "routes", routes.run())
    _start(stack, "keys", keys.run())
    _start(stack, "samples", _write_samples(recorder, settings.gateway_sample_every_s))
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
    pools = (pool, platform_pool)
    show_parts(figures, settings, live=live, journal=journal, spool=spool, pools=pools, clock=clock)
    show_retained(figures, retained, beside, release)
    await _open_health(
        settings,
        stack,
        figures,
        WorkerFigures(figures.exposition, seat),
        {
            "routes": routes.condition,
            "keys": keys.condition,
            "journal": journal.condition,
            "retained": release.condition,
            "listening": lambda: accepts_connections(settings.host, settings.port("gateway")),
        },
    )
    figures.observe_each(WORKER_REPLACEMENTS, heart.replaced)
    heart.start()
    return Gateway(
        live,
        platform_routes(
            settings, partial(public_health, {"routes": routes.condition, "keys": keys.condition})
        ),
        Forwarder(pool, platform_pool, clock, settings),
        recorder,
        settings,
        calls,
        clock=clock,
        new_id=uuid7,
        spans=Spans(trace.get_tracer("lienthong.gateway")) if telemetry.traced else None,
    )


async def _open_health(
    settings: GatewaySettings, stack: AsyncExitStack, figures: Figures, workers: WorkerFigures, checks: Checks
) -> None:
    """Answer on the health port: this worker's checks, and the figures of all workers."""
    show_checks(figures, checks)
    show_connections(figures, settings.port("gateway"))
    _start(stack, "figures", figures.run())
    _start(stack, "event loop", watch_loop(figures))
    await workers.open()
    stack.push_async_callback(workers.close)
    health = HealthServer(checks, workers.text, settings.host, settings.health_port("gateway"))
    stack.push_async_callback(health.stop)


def _replicas(
    settings: GatewaySettings, stack: AsyncExitStack, clock: SystemClock, live: Live, trust: RpcTrust
) -> tuple[CatalogReplica, KeysReplica]:
    """Follow the catalog and identity; what they say, while it is recent enough, is what `live` shows."""
    catalog = open_channel(settings.catalog_rpc, trust)
    identity = open_channel(settings.identity_rpc, trust)
    stack.push_async_callback(catalog.close)
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
            remembering.with_keys(keys) if remembering is not None else Authenticator(verifier, keys)
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


def _start(stack: AsyncExitStack, name: str, work: Coroutine[Any, Any, None]) -> None:
    """Run `work` beside the calls until the stack closes; if it fails the worker ends, to be started anew."""
    task = asyncio.create_task(work, name=name)

    def ended(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.critical("background task failed, the worker ends", task=name, exc_info=error)
            end_at_the_latest(_DRAIN_S + LONGEST_STOP)
            signal.raise_signal(signal.SIGTERM)

    async def stop() -> None:
        task.remove_done_callback(ended)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    task.add_done_callback(ended)
    stack.push_async_callback(stop)


async def _write_samples(recorder: Recorder, every: float) -> None:
    while True:
        await asyncio.sleep(every)
        await _last_samples(recorder)


async def _last_samples(recorder: Recorder) -> None:
    try:
        if recorder.available:
            await recorder.samples()
    except AuditUnavailableError as error:
        _log.warning("counts of refused calls not recorded yet", error=str(error))


app = Application()
