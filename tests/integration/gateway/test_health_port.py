"""The health port of a gateway takes no more from anyone than that of a service."""

from __future__ import annotations

import asyncio

from lienthong.gateway.health import HealthServer
from lienthong.kit.http_door import MOST_HEAD
from lienthong.kit.ports import listen
from tests.support.ports import take_free_port
from tests.support.waiting import eventually


async def figures(_: str) -> tuple[bytes, str]:
    return b"", "text/plain"


async def test_of_a_head_so_much_is_kept_and_no_more() -> None:
    port = take_free_port()
    server = HealthServer({}, figures, listen("127.0.0.1", port))
    try:
        await eventually(lambda: server._server.started)
        for request, status in ((b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n", b"200"), (b"a", b"431")):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request if status == b"200" else b"GET /" + request * (3 * MOST_HEAD))
            async with asyncio.timeout(30):
                assert (await reader.readline()).split()[1] == status
            writer.close()
    finally:
        await server.stop()
