"""`python -m lienthong.gateway`: the main process, which holds the ports and watches over its workers."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lienthong.gateway.heartbeat import Beats
from lienthong.gateway.settings import GatewaySettings
from lienthong.gateway.watchdog import Watchdog
from lienthong.gateway.workers import FOLDER
from lienthong.kit.arguments import ProcessArguments
from lienthong.kit.logs import configure_logs
from lienthong.kit.open_files import raise_open_files
from lienthong.kit.ports import PortUnusableError, listen_soon
from lienthong.kit.process import prefer_throughput
from lienthong.kit.text import BilingualText
from lienthong.kit.unix_sockets import SocketUnusableError, unix_socket

if TYPE_CHECKING:
    import socket

_BACKLOG: Final = 4096
"""Connections that wait while all workers have as many as they may, or one is being replaced."""

DOES = BilingualText(
    "The gateway: every call between systems goes through it, under an agreement, and is recorded.",
    "Cổng giao tiếp: mọi lời gọi giữa các hệ thống đi qua đây, theo thoả thuận, và được ghi nhật ký.",
)


def main() -> None:
    """Serve until SIGTERM or SIGINT; calls under way are finished, the journal is drained."""
    ProcessArguments("lienthong.gateway", DOES).parse_args()
    settings = GatewaySettings()
    configure_logs("gateway", settings.log_level, settings.log_format)
    prefer_throughput()
    raise_open_files()
    with (
        tempfile.TemporaryDirectory(prefix="lienthong-", ignore_cleanup_errors=True) as folder,
        ExitStack() as stack,
    ):
        try:
            calls, health = (
                stack.enter_context(closing(listen_soon(settings.host, port, backlog=_BACKLOG)))
                for port in (settings.port("gateway"), settings.health_port("gateway"))
            )
            edge = None
            if settings.gateway_edge_socket is not None:
                edge = stack.enter_context(unix_socket(settings.gateway_edge_socket, backlog=_BACKLOG))
        except (PortUnusableError, SocketUnusableError) as error:
            sys.exit(str(error))
        # The workers inherit it.
        os.environ[FOLDER] = folder
        watchdog = Watchdog(
            partial(_work, calls, health, edge),
            workers=settings.gateway_workers,
            beats=Beats(Path(folder)),
            timeout=settings.gateway_worker_timeout_s,
            on_stop=stack.close,
        )
        status = watchdog.run()
    sys.exit(status)


def _work(calls: socket.socket, health: socket.socket, edge: socket.socket | None) -> None:
    # Here: what a worker is made of would make the main process large, and start threads before it forks.
    from lienthong.gateway.worker import run_worker

    run_worker(calls, health, edge)


if __name__ == "__main__":
    main()
