"""The collector of Envoy's gRPC access log: takes every message of the stream and counts bytes.

`python -m tests.bench.access_log PORT`. Messages stay undecoded, so that the collector costs next to nothing.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import grpc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

METHOD = "StreamAccessLogs"
SERVICE = "envoy.service.accesslog.v3.AccessLogService"


async def take(messages: AsyncIterator[bytes], _context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
    """Read the stream to its end; the answer is an empty StreamAccessLogsResponse."""
    async for _ in messages:
        pass
    return b""


async def main(port: int) -> None:
    """Serve until killed."""
    server = grpc.aio.server()
    handler: grpc.RpcMethodHandler[Any, Any] = grpc.stream_unary_rpc_method_handler(take)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {METHOD: handler}),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
