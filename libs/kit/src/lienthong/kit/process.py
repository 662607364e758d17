"""The life of a process: start everything, wait for a signal, stop everything in order."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
import time
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import structlog
import uvicorn
import uvloop

from lienthong.kit.arguments import (
    ACCEPT,
    PUT_BACK,
    ProcessArguments,
    add_accept_command,
    add_put_back_command,
)
from lienthong.kit.clock import SystemClock
from lienthong.kit.health import RunningProcess, health_app, show_checks
from lienthong.kit.http_door import IDLE_S, HttpDoor
from lienthong.kit.metrics.requests import MeasuredApp
from lienthong.kit.metrics.runtime import show_connections, watch_loop
from lienthong.kit.open_files import connections_within, raise_open_files
from lienthong.kit.ports import listen
from lienthong.kit.rpc import RpcServer, serve_rpc
from lienthong.kit.rpc_trust import RpcTrust, RpcTrustError
from lienthong.kit.stopping import LONGEST_STOP, cancel_all, close_within, end_at_the_latest

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence

    import grpc.aio
    from starlette.types import ASGIApp

    from lienthong.kit.health import Check, Checks
    from lienthong.kit.settings import Settings
    from lienthong.kit.telemetry import Telemetry
    from lienthong.kit.text import BilingualText

_PR_SET_PDEATHSIG = 1
_GRACE = 10.0
_ENDING = 5.0
"""Seconds for all background tasks, and for each thing that is closed after them."""
MAX_CONNECTIONS = 4096
"""Of each of a service's servers. Only the gateways call them, from pools."""

_log = structlog.get_logger(__name__)


def run(
    main: Callable[[], Coroutine[Any, Any, None]],
    *,
    module: str,
    does: BilingualText,
    arguments: Sequence[str] | None = None,
    accept: Callable[[str], Coroutine[Any, Any, BilingualText]] | None = None,
    put_back: Callable[[], Coroutine[Any, Any, BilingualText]] | None = None,
) -> NoReturn:
    """Run `main` on uvloop and exit with its outcome; what `__main__` of each process calls.

    `arguments` (default: the command line) may hold `--help` and nothing else, see `ProcessArguments`; where
    there is something to `accept`, also the command for it, which does that instead and is given the reason;
    likewise the command that has a copy `put_back`.
    Without usable keys for gRPC (`RpcTrustError`) the process says so and ends with status 1.
    """
    parser = ProcessArguments(module, does)
    if accept is not None or put_back is not None:
        commands = parser.add_commands()
        if accept is not None:
            add_accept_command(commands)
        if put_back is not None:
            add_put_back_command(commands)
    given = parser.parse_args(arguments)
    try:
        if accept is not None and given.command == ACCEPT:
            print_both(uvloop.run(accept(given.reason)))
        elif put_back is not None and given.command == PUT_BACK:
            print_both(uvloop.run(put_back()))
        else:
            uvloop.run(main())
    except RpcTrustError as error:
        sys.exit(f"{module} cannot start: {error}")
    sys.exit(0)


def print_both(text: BilingualText) -> None:
    """Tell an operator, in both languages."""
    print(f"{text.vi}\n{text.en}")


def die_with_parent(number: signal.Signals = signal.SIGTERM, parent: int | None = None) -> None:
    """On Linux: have the kernel send this process `number` when its parent dies, however that happens.

    `parent` is the process id that the parent must have, where it is known; if that is gone by now, the
    signal comes at once.
    """
    if sys.platform != "linux":
        return
    parent = parent or os.getppid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:
        # It died before prctl was called.
        signal.raise_signal(number)


def prefer_throughput() -> None:
    """On Linux: have this process's threads, and those of its children, run on when they wake each other.

    SCHED_BATCH (sched(7)): a thread that wakes up does not push out the one that runs. A server that hands
    work between threads of one core is spared most of the switches; a free core is taken at once as before.
    Where the system forbids it, or its operator chose another policy, nothing changes.
    """
    if sys.platform == "linux" and os.sched_getscheduler(0) == os.SCHED_OTHER:
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


async def run_process(
    name: str,
    settings: Settings,
    *,
    telemetry: Telemetry,
    app: ASGIApp | None,
    pages: tuple[int, ASGIApp] | None = None,
    register_rpc: Callable[[grpc.aio.Server], None] | None = None,
    background: Sequence[Callable[[], Awaitable[None]]] = (),
    checks: Checks | None = None,
    close: Sequence[Callable[[], Awaitable[None]]] = (),
    on_stop: Callable[[], None] = lambda: None,
) -> None:
    """Serve until SIGTERM or SIGINT, then stop.

    REST is served on `settings.port(name)`, `pages` for browsers on the port that comes with them, gRPC on
    `settings.rpc_port(name)`, health and the figures of `telemetry` on `settings.health_port(name)`;
    `background` runs beside them. Stopping: the readiness check fails, new requests are refused, those under
    way get ten seconds, background tasks are cancelled, then `close` is awaited one by one, and what
    telemetry holds back is sent. `on_stop` is called first of all: it ends what would only wait, such as long
    polls. All of this has an end: after `LONGEST_STOP` seconds the process is gone, with status 1.

    Raises:
        SystemExit: status 1, when a port is taken or when a background task failed.
    """
    stopping = asyncio.Event()
    served = [] if app is None else [(settings.port(name), app)]
    if pages is not None:
        served.append(pages)
    with _signals(stopping):
        failed = await _live(
            name, settings, telemetry, stopping, on_stop, served, register_rpc, background, dict(checks or {})
        )
        endings: list[Callable[[], Awaitable[None]]] = [
            *close,
            partial(asyncio.to_thread, telemetry.shutdown),
        ]
        for end in endings:
            await close_within(end, _ENDING)
    _log.info("stopped", failed=failed)
    if failed:
        raise SystemExit(1)


async def _live(
    name: str,
    settings: Settings,
    telemetry: Telemetry,
    stopping: asyncio.Event,
    on_stop: Callable[[], None],
    served: Sequence[tuple[int, ASGIApp]],
    register_rpc: Callable[[grpc.aio.Server], None] | None,
    background: Sequence[Callable[[], Awaitable[None]]],
    checks: dict[str, Check],
) -> bool:
    """Run everything between start and stop; returns whether it failed."""
    # Health is served first: nobody is to be sent here before the other ports are open.
    open_to_all = asyncio.Event()
    checks["running"] = lambda: open_to_all.is_set() and not stopping.is_set()
    for _, application in served:
        if (state := getattr(application, "state", None)) is not None:
            state.process = RunningProcess(name, checks, time.monotonic())
    http: list[_Server] = []
    rpc: RpcServer | None = None
    tasks: list[asyncio.Task[None]] = []
    watched: list[asyncio.Task[Any]] = []
    failed = False
    health = None
    figures = telemetry.figures
    show_checks(figures, checks)
    show_connections(figures, *(port for port, _ in served))
    background = (*background, figures.run, partial(watch_loop, figures))
    try:
        text = figures.exposition.text
        # Each server, that of health among them, may have as many as the limit of open files leaves it.
        most = connections_within(raise_open_files(), MAX_CONNECTIONS, files_each=max(len(served), 1) + 1)
        health_door, door = HttpDoor(most), HttpDoor(most)
        health = await _Server.start(
            health_app(checks, text), settings.host, settings.health_port(name), health_door
        )
        if register_rpc is not None:
            address = f"{settings.host}:{settings.rpc_port(name)}"
            rpc = await serve_rpc(address, register_rpc, RpcTrust.load(settings.rpc_dir))
        tasks = [asyncio.create_task(_named(task), name=_name_of(task)) for task in background]
        measured: MeasuredApp | None = None
        for port, app in served:
            if measured is None:
                door.show(figures)
                measured = MeasuredApp(app, figures, SystemClock())
            http.append(await _Server.start(measured.beside(app), settings.host, port, door))
        open_to_all.set()
        _log.info(
            "started", port=settings.port(name), health_port=settings.health_port(name), connections=most
        )
        watched = [*tasks, *(server.task for server in (*http, health))]
        failed = await _until_stopped(stopping, watched)
    except (OSError, RpcTrustError) as error:
        _log.error("cannot start", error=str(error))
        failed = True
    finally:
        stopping.set()
        end_at_the_latest(LONGEST_STOP)
        on_stop()
        await asyncio.gather(
            *(server.stop() for server in http),
            *(server.stop(_GRACE) for server in (rpc,) if server is not None),
        )
        await cancel_all(tasks, _ENDING)
        if health is not None:
            await health.stop()
    return failed


async def _until_stopped(stopping: asyncio.Event, watched: Sequence[asyncio.Task[Any]]) -> bool:
    """Wait for the signal or for a task to fail; returns whether one failed."""
    signalled = asyncio.create_task(stopping.wait())
    pending: set[asyncio.Task[Any]] = {signalled, *watched}
    try:
        while not signalled.done():
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done - {signalled}:
                error = task.exception() if not task.cancelled() else asyncio.CancelledError()
                if error is not None:
                    _log.error("background task failed", task=task.get_name(), exc_info=error)
                    return True
        return False
    finally:
        signalled.cancel()


async def _named(work: Callable[[], Awaitable[None]]) -> None:
    await work()


def _name_of(work: Callable[[], Awaitable[None]]) -> str:
    return str(getattr(work, "__qualname__", repr(work)))


@contextlib.contextmanager
def _signals(stopping: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


class _QuietServer(uvicorn.Server):
    """A server that leaves signals to the process: it runs several servers."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave all signals as they are."""
        yield


class _Server:
    """One uvicorn server inside the running loop."""

    def __init__(self, server: _QuietServer, listener: socket.socket) -> None:
        self._server = server
        self.task = asyncio.create_task(server.serve([listener]), name=f"http {listener.getsockname()}")

    @classmethod
    async def start(cls, app: ASGIApp, host: str, port: int, door: HttpDoor) -> _Server:
        """Listen and serve; returns when requests are accepted.

        Raises:
            PortUnusableError: the port is taken.
        """
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=True,
            timeout_graceful_shutdown=int(_GRACE),
            http=door.protocol,
            timeout_keep_alive=int(IDLE_S),
            # Whoever calls may write X-Forwarded-…: an application that stands behind a proxy reads it.
            proxy_headers=False,
        )
        server = cls(_QuietServer(config), listen(host, port))
        while not server._server.started:
            if server.task.done():
                await server.task
                raise OSError(f"the application of port {port} did not start")
            await asyncio.sleep(0.005)
        return server

    async def stop(self) -> None:
        """Refuse new connections, let requests under way finish, end."""
        self._server.should_exit = True
        await asyncio.gather(self.task, return_exceptions=True)
