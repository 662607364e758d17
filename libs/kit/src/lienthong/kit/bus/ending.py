"""How a client of nats-py is ended, also when the server does not read."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import nats.errors
import structlog
from nats.aio.transport import TcpTransport

from lienthong.kit.cancellation import cancelled_first

if TYPE_CHECKING:
    from nats.aio.client import Client

FLUSH_PATIENCE = 2
_CLOSE_PATIENCE = 1.0

_log = structlog.get_logger(__name__)


async def end(client: Client) -> None:
    """Flush what was published, then disconnect; takes four seconds at most.

    Not by nats-py's `drain`: it swallows a time-out, and then flushes for up to ten seconds.
    """
    try:
        if client.is_connected:
            async with asyncio.timeout(FLUSH_PATIENCE):
                with cancelled_first():
                    await client.flush(FLUSH_PATIENCE)
    except (nats.errors.Error, OSError, TimeoutError) as error:
        _log.debug("bus not flushed", error=repr(error))
    try:
        with contextlib.suppress(nats.errors.Error, OSError, TimeoutError):
            async with asyncio.timeout(_CLOSE_PATIENCE):
                await client.close()
    finally:
        await _end_socket(client._transport)  # noqa: SLF001


async def _end_socket(transport: object) -> None:
    """Close the socket, which nats-py leaves open when its closing fails half way or waits for the server."""
    if not isinstance(transport, TcpTransport) or transport._io_writer is None:  # noqa: SLF001
        return
    writer = transport._io_writer  # noqa: SLF001
    writer.close()
    try:
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(_CLOSE_PATIENCE):
                await writer.wait_closed()
    finally:
        # With it ends whatever of nats-py still waits for a server that does not read.
        writer.transport.abort()
