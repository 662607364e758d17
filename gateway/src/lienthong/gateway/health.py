"""The health endpoints, served beside the calls on a port of their own."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

import msgspec
import uvicorn

from lienthong.kit.health import health_app, readiness
from lienthong.kit.http_door import HttpDoor

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator, Mapping

    from lienthong.kit.health import Checks, Condition, Text

_MOST_CONNECTIONS: Final = 100


class _HealthUvicorn(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the worker."""
        yield


class HealthServer:
    """Serves health checks and figures on a port that all workers share; any of them takes a request.

    So a check is that of one worker; `figures` gives those of all.
    """

    def __init__(self, checks: Checks, figures: Text, port: socket.socket) -> None:
        config = uvicorn.Config(
            health_app(checks, figures),
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            http=HttpDoor(_MOST_CONNECTIONS).protocol,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
        )
        self._server = _HealthUvicorn(config)
        self._port = port
        self._task = asyncio.create_task(self._server.serve([port]), name="health")

    async def stop(self) -> None:
        """Close the listener and end the server."""
        self._server.should_exit = True
        await asyncio.gather(self._task, return_exceptions=True)
        self._port.close()


def public_health(parts: Mapping[str, Callable[[], Condition]]) -> bytes:
    """What everyone may know: how well the gateway follows what it decides by, and how old that is.

    Reasons are left out: they name addresses and errors of the inside.
    """
    found = {name: check() for name, check in parts.items()}
    status = readiness(found)["status"]
    shown = {name: {"state": one.state.value, **one.figures} for name, one in found.items()}
    return msgspec.json.encode({"status": status, "follows": shown})
