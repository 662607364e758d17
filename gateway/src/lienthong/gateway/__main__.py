"""`python -m lienthong.gateway`: Granian, with as many workers as the settings say."""

from __future__ import annotations

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import Server

from lienthong.gateway.settings import GatewaySettings
from lienthong.kit.process import prefer_throughput

_DRAIN_S = 15
_READ_BUFFER = 128 * 1024
"""Of one connection. Headers that do not fit get a bare 431 from Granian itself."""


def main() -> None:
    """Serve until SIGTERM or SIGINT; calls under way are finished, the journal is drained."""
    settings = GatewaySettings()
    prefer_throughput()
    Server(
        "lienthong.gateway.bootstrap:app",
        address=settings.host,
        port=settings.port("gateway"),
        interface=Interfaces.ASGI,
        workers=settings.gateway_workers,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(max_buffer_size=_READ_BUFFER),
        websockets=False,
        backlog=4096,
        respawn_failed_workers=True,
        workers_kill_timeout=_DRAIN_S,
        log_level=LogLevels.warning,
    ).serve()


if __name__ == "__main__":
    main()
