"""What the catalog is asked for at X-Road's door, it is asked once at a time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import grpc
import grpc.aio

from lienthong.contracts.catalog.v1 import directory_pb2, directory_pb2_grpc
from lienthong.gateway.xroad.directory import CatalogDirectory
from lienthong.kit.clock import ManualClock
from lienthong.kit.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class SlowCatalog(directory_pb2_grpc.DirectoryServicer):
    """Answers when it is let go on: the first time that it cannot, then with one agency."""

    def __init__(self) -> None:
        self.asked = 0
        self.go_on = asyncio.Event()

    async def Clients(  # noqa: N802 - the contract's name
        self,
        request: directory_pb2.ClientsRequest,
        context: grpc.aio.ServicerContext[
            directory_pb2.ClientsRequest, AsyncIterator[directory_pb2.ClientsResponse]
        ],
    ) -> AsyncIterator[directory_pb2.ClientsResponse]:
        del request
        self.asked += 1
        await self.go_on.wait()
        if self.asked == 1:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "no database")
        one = directory_pb2.Client(member_class="GOV", agency_code="H11.05", name="Land")
        yield directory_pb2.ClientsResponse(clients=[one])


async def test_all_who_wait_for_the_clients_get_the_same_answer_also_where_there_is_none() -> None:
    catalog, server = SlowCatalog(), grpc.aio.server()  # type: ignore[abstract]  # asked for clients alone
    directory_pb2_grpc.add_DirectoryServicer_to_server(catalog, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            directory = CatalogDirectory(channel, "gateway-0", ManualClock())
            waiting = [asyncio.create_task(directory.clients()) for _ in range(5)]
            await asyncio.sleep(0)
            waiting[0].cancel()
            catalog.go_on.set()
            answers = await asyncio.gather(*waiting[1:], return_exceptions=True)
            assert {getattr(answer, "code", None) for answer in answers} == {"platform-unavailable"}
            assert all(isinstance(answer, ProblemError) for answer in answers)
            assert catalog.asked == 1
            assert [client.member for client in await directory.clients()] == ["H11.05"]
            await directory.clients()
            assert catalog.asked == 2
    finally:
        await server.stop(None)
