"""One worker: it opens everything, serves calls on the ports of the main process, and ends in order."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import signal
import sys
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import structlog
import uvloop

from lienthong.gateway.background import DRAIN_S
from lienthong.gateway.bootstrap import open_gateway
from lienthong.gateway.http1.listener import Door
from lienthong.gateway.settings import GatewaySettings
from lienthong.kit.logs import configure_logs
from lienthong.kit.process import die_with_parent
from lienthong.kit.rpc_trust import RpcTrustError
from lienthong.kit.stopping import end_at_the_latest

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

_log = structlog.get_logger(__name__)


def run_worker(calls: socket.socket, health: socket.socket, edge: socket.socket | None) -> None:
    """Serve calls and health checks until SIGTERM.

    Raises:
        SystemExit: status 1, when the worker cannot start or failed.
    """
    main = multiprocessing.parent_process()
    # Not SIGTERM: a worker that hangs would keep its share of the port from the gateway that is started next.
    die_with_parent(signal.SIGKILL, main.pid if main is not None else None)
    settings = GatewaySettings()
    configure_logs("gateway", settings.log_level, settings.log_format)
    try:
        doors = [Door(calls), *([Door(edge, of_edge=True)] if edge is not None else [])]
        uvloop.run(serve(settings, doors, health))
    except RpcTrustError as error:
        _log.error("gateway cannot start", error=str(error))
        sys.exit(1)
    except Exception:  # noqa: BLE001  whatever it is: the log says so in its own form
        _log.exception("gateway failed")
        sys.exit(1)


async def serve(settings: GatewaySettings, doors: Sequence[Door], health: socket.socket) -> None:
    """Open everything, serve until SIGTERM, close everything."""
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    async with AsyncExitStack() as stack:
        listener = await open_gateway(settings, stack, doors, health)
        # Objects made until now live as long as the process: frozen, they are not scanned again.
        # Calls leave next to no cycles: a collection every dozen calls would cost 5 % of the core.
        gc.collect()
        gc.freeze()
        gc.set_threshold(10_000, 20, 100)
        listener.open()
        await stopping.wait()
        # Whatever hangs while all is closed, a disk for one.
        end_at_the_latest()
        await listener.close(DRAIN_S)
