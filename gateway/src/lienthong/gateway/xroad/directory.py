"""What X-Road's metadata services show and the gateway does not follow: asked of the catalog, over gRPC."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol

import grpc
import grpc.aio
import structlog

from lienthong.contracts.catalog.v1 import directory_pb2, directory_pb2_grpc
from lienthong.gateway import problems
from lienthong.gateway.xroad.metadata import Client

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lienthong.kit.clock import Clock
    from lienthong.kit.problems import ProblemError

CLIENTS_KEPT_S: Final = 30.0
"""For how long the list of all clients is kept: it is asked for without a right to anything in it."""
_TIMEOUT_S: Final = 5.0

_log = structlog.get_logger(__name__)


class Directory(Protocol):
    """What the catalog knows; `CatalogDirectory` is one."""

    async def clients(self) -> Sequence[Client]:
        """All agencies, then all systems.

        Raises:
            ProblemError: platform-unavailable.
        """
        ...

    async def services(self, system_id: str) -> Sequence[str]:
        """The ids of the services that a system provides, in their order.

        Raises:
            ProblemError: platform-unavailable.
        """
        ...

    async def openapi(self, service_id: str) -> bytes | None:
        """The OpenAPI document of a service, as it was applied; None where there is no such service.

        Raises:
            ProblemError: platform-unavailable.
        """
        ...


class CatalogDirectory:
    """Asks the catalog, under the name `node`."""

    def __init__(self, channel: grpc.aio.Channel, node: str, clock: Clock) -> None:
        self._stub = directory_pb2_grpc.DirectoryStub(channel)
        self._node = node
        self._monotonic = clock.monotonic
        self._asking: asyncio.Task[Sequence[Client]] | None = None
        self._clients: Sequence[Client] = ()
        self._kept_until = float("-inf")

    async def clients(self) -> Sequence[Client]:
        """All agencies, then all systems; at most `CLIENTS_KEPT_S` old."""
        if self._monotonic() < self._kept_until:
            return self._clients
        if self._asking is None:
            self._asking = asyncio.create_task(self._asked_clients())
            self._asking.add_done_callback(_noticed)
        # Shielded: whoever comes meanwhile waits for the same answer, also where there is none.
        return await asyncio.shield(self._asking)

    async def services(self, system_id: str) -> Sequence[str]:
        """The ids of the services that a system provides."""
        try:
            found = await self._stub.Services(
                directory_pb2.ServicesRequest(system_id=system_id), timeout=_TIMEOUT_S
            )
        except grpc.aio.AioRpcError as error:
            raise _away(error) from None
        return list(found.ids)

    async def openapi(self, service_id: str) -> bytes | None:
        """The OpenAPI document of a service."""
        try:
            found = await self._stub.OpenApi(
                directory_pb2.OpenApiRequest(service_id=service_id), timeout=_TIMEOUT_S
            )
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return None
            raise _away(error) from None
        return found.document.encode()

    async def _asked_clients(self) -> Sequence[Client]:
        try:
            self._clients = await self._ask_clients()
            self._kept_until = self._monotonic() + CLIENTS_KEPT_S
            return self._clients
        finally:
            self._asking = None

    async def _ask_clients(self) -> Sequence[Client]:
        found: list[Client] = []
        agencies: dict[str, str] = {}
        try:
            async for part in self._stub.Clients(
                directory_pb2.ClientsRequest(node=self._node), timeout=_TIMEOUT_S
            ):
                for one in part.clients:
                    if not one.system_code:
                        agencies[one.agency_code] = one.name
                        found.append(Client(one.member_class, one.agency_code, one.name))
                        continue
                    owner = agencies.get(one.agency_code, one.agency_code)
                    found.append(Client(one.member_class, one.agency_code, owner, one.system_code, one.name))
        except grpc.aio.AioRpcError as error:
            raise _away(error) from None
        return found


def _away(error: grpc.aio.AioRpcError) -> ProblemError:
    _log.warning("the catalog does not answer", code=error.code().name, cause=error.details())
    return problems.platform_unavailable()


def _noticed(asking: asyncio.Task[Sequence[Client]]) -> None:
    """Take note of a failure that nobody waited for."""
    if not asking.cancelled():
        asking.exception()
