"""`python -m lienthong.gateway`: Granian, with as many workers as the settings say."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from lienthong.gateway.heartbeat import Beats
from lienthong.gateway.settings import GatewaySettings
from lienthong.gateway.watchdog import WatchedServer
from lienthong.gateway.workers import FOLDER
from lienthong.kit.arguments import ProcessArguments
from lienthong.kit.logs import configure_logs
from lienthong.kit.open_files import connections_within, raise_open_files
from lienthong.kit.ports import PortUnusableError, claimed
from lienthong.kit.process import prefer_throughput
from lienthong.kit.text import BilingualText

_DRAIN_S = 15
_FILES_OF_A_CALL = 2
_READ_BUFFER = 128 * 1024
"""Of one connection. Headers that do not fit get a bare 431 from Granian itself."""


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
    try:
        with (
            claimed(settings.host, settings.port("gateway"), settings.health_port("gateway")),
            tempfile.TemporaryDirectory(prefix="lienthong-", ignore_cleanup_errors=True) as folder,
        ):
            # The workers inherit it.
            os.environ[FOLDER] = folder
            _serve(settings, Beats(Path(folder)))
    except PortUnusableError as error:
        sys.exit(str(error))


def _serve(settings: GatewaySettings, beats: Beats) -> None:
    WatchedServer(
        "lienthong.gateway.bootstrap:app",
        beats=beats,
        timeout=settings.gateway_worker_timeout_s,
        address=settings.host,
        port=settings.port("gateway"),
        interface=Interfaces.ASGI,
        workers=settings.gateway_workers,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(
            max_buffer_size=_READ_BUFFER, header_read_timeout=int(settings.gateway_idle_timeout_s * 1000)
        ),
        websockets=False,
        backlog=4096,
        # So many connections in each worker: at the limit of open files its accept loop would never rest.
        backpressure=connections_within(
            raise_open_files(), settings.gateway_max_connections, files_each=_FILES_OF_A_CALL
        ),
        workers_kill_timeout=_DRAIN_S,
        log_level=LogLevels.warning,
    ).serve()


if __name__ == "__main__":
    main()
