"""Where the gateway's parts are put together, and taken apart again."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import multiprocessing
import signal
import ssl
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog
from opentelemetry import trace

from lienthong.contracts.catalog.v1 import routes_pb2, routes_pb2_grpc
from lienthong.contracts.identity.v1 import keys_pb2, keys_pb2_grpc
from lienthong.gateway.app import Gateway
from lienthong.gateway.diskcopy import DiskCopy
from lienthong.gateway.forward import Forwarder
from lienthong.gateway.health import HealthServer, accepts_connections
from lienthong.gateway.http1.pool import Pool
from lienthong.gateway.journal.journal import AuditUnavailableError, Journal
from lienthong.gateway.journal.sampling import Budget, Counts
from lienthong.gateway.journal.spool import Spool
from lienthong.gateway.live import Live
from lienthong.gateway.privacy import Privacy, privacy_key
from lienthong.gateway.record import Recorder
from lienthong.gateway.replica import KeysReplica, RoutesReplica
from lienthong.gateway.rooms import rooms
from lienthong.gateway.settings import GatewaySettings
from lienthong.gateway.spans import Spans
from lienthong.kit.bus import Bus
from lienthong.kit.clock import SystemClock
from lienthong.kit.ids import uuid7
from lienthong.kit.journal import journal_stream
from lienthong.kit.logs import configure_logs
from lienthong.kit.process import die_with_parent
from lienthong.kit.rpc import open_channel
from lienthong.kit.telemetry import configure_telemetry
from lienthong.kit.tokens import TokenVerifier

if TYPE_CHECKING:
    from collections.abc import Awaitable, Coroutine, Mapping

    from lienthong.gateway.app import Send
    from lienthong.gateway.watch import Receive

_WATCHED_KINDS = (
    routes_pb2.RESOURCE_KIND_SYSTEM,
    routes_pb2.RESOURCE_KIND_SERVICE,
    routes_pb2.RESOURCE_KIND_AGREEMENT,
)
_LOOK_AT_AGE_EVERY_S = 1.0
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
                # What was built until now stays: the collector need not look at it again and again. Calls
                # leave next to no cycles: one collection in a dozen calls would cost a twentieth of the core.
                gc.collect()
                gc.freeze()
                gc.set_threshold(10_000, 20, 100)
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except Exception as error:  # noqa: BLE001  the protocol wants to be told of every failure
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
    telemetry = configure_telemetry("gateway", settings)
    stack.callback(telemetry.shutdown)
    privacy = Privacy(privacy_key(settings.gateway_privacy_key_file))

    bus = await Bus.connect(
        settings.nats_url,
        f"gateway {settings.gateway_node}",
        streams=[journal_stream(settings.nats_replicas)],
    )
    stack.push_async_callback(bus.close)
    spool = Spool(
        settings.spool_dir,
        max_bytes=settings.gateway_spool_max_bytes // settings.gateway_workers,
        new_id=uuid7,
    )
    journal = Journal(bus, spool, new_id=uuid7, publish_timeout=settings.gateway_journal_timeout_s)
    stack.push_async_callback(journal.close)
    recorder = Recorder(
        journal,
        privacy,
        node=settings.gateway_node,
        clock=clock,
        new_id=uuid7,
        strangers=Budget(
            per_second=settings.gateway_strangers_per_s,
            burst=settings.gateway_strangers_burst,
            now=clock.monotonic,
        ),
        counts=Counts(),
    )
    stack.push_async_callback(_last_samples, recorder)
    pool = Pool(connect_timeout=settings.gateway_connect_timeout_s, tls=ssl.create_default_context())
    stack.callback(pool.close)

    routes, keys = await _replicas(settings, stack, clock, live)
    _start(stack, "journal", journal.run())
    _start(stack, "routes", routes.run())
    _start(stack, "keys", keys.run())
    _start(stack, "samples", _write_samples(recorder, settings.gateway_sample_every_s))
    with contextlib.suppress(TimeoutError):
        # Without it the first records would take the way through the spool.
        await asyncio.wait_for(bus.wait_connected(), _WAIT_FOR_BUS_S)
    with contextlib.suppress(TimeoutError):
        # A worker that listens takes calls at once, also while the readiness of another is asked for.
        await asyncio.wait_for(live.able_to_decide.wait(), _WAIT_FOR_TABLE_S)
    health = HealthServer(
        {
            "routes": lambda: live.table is not None,
            "keys": lambda: live.authenticator is not None,
            "journal": lambda: journal.available,
            "listening": lambda: accepts_connections(settings.host, settings.port("gateway")),
        },
        settings.host,
        settings.health_port("gateway"),
    )
    stack.push_async_callback(health.stop)
    return Gateway(
        live,
        rooms(settings),
        Forwarder(pool, clock, settings),
        recorder,
        settings,
        clock=clock,
        new_id=uuid7,
        spans=Spans(trace.get_tracer("lienthong.gateway")) if telemetry.enabled else None,
    )


async def _replicas(
    settings: GatewaySettings, stack: AsyncExitStack, clock: SystemClock, live: Live
) -> tuple[RoutesReplica, KeysReplica]:
    catalog, identity = open_channel(settings.catalog_rpc), open_channel(settings.identity_rpc)
    stack.push_async_callback(catalog.close)
    stack.push_async_callback(identity.close)
    routes_stub, keys_stub = routes_pb2_grpc.RoutesStub(catalog), keys_pb2_grpc.KeysStub(identity)
    wanted = routes_pb2.WatchRequest(node=settings.gateway_node, kinds=_WATCHED_KINDS)
    max_age = timedelta(seconds=settings.gateway_stale_after_s)

    def show() -> None:
        """Let calls see what is recent enough."""
        oldest = clock.now() - max_age
        fresh = routes.confirmed is not None and routes.confirmed >= oldest
        live.table = routes.table if fresh else None
        fresh = keys.confirmed is not None and keys.confirmed >= oldest
        live.authenticator = keys.authenticator if fresh else None
        if live.table is not None and live.authenticator is not None:
            live.able_to_decide.set()

    routes = RoutesReplica(
        lambda: routes_stub.Watch(wanted),
        DiskCopy(settings.gateway_state_dir / "routes.pb"),
        clock,
        show,
    )
    keys = KeysReplica(
        lambda: keys_stub.Watch(keys_pb2.WatchRequest(node=settings.gateway_node)),
        DiskCopy(settings.gateway_state_dir / "keys.pb"),
        clock,
        TokenVerifier(settings.issuer, settings.token_audience, clock),
        settings.issuer,
        show,
    )
    routes.load()
    keys.load()
    show()

    async def look_at_age() -> None:
        while True:
            await asyncio.sleep(_LOOK_AT_AGE_EVERY_S)
            show()

    _start(stack, "age", look_at_age())
    return routes, keys


def _start(stack: AsyncExitStack, name: str, work: Coroutine[Any, Any, None]) -> None:
    """Run `work` beside the calls until the stack closes; if it fails the worker ends, to be started anew."""
    task = asyncio.create_task(work, name=name)

    def ended(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.critical("background task failed, the worker ends", task=name, exc_info=error)
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
