"""The gRPC services: what verifies access tokens, and which systems have come from the catalog."""

from collections.abc import AsyncIterator, Awaitable
from typing import Final

import grpc
import structlog

from lienthong.contracts.identity.v1.keys_pb2 import WatchRequest, WatchResponse
from lienthong.contracts.identity.v1.keys_pb2_grpc import KeysServicer
from lienthong.contracts.identity.v1.systems_pb2 import CheckRequest, CheckResponse
from lienthong.contracts.identity.v1.systems_pb2_grpc import SystemsServicer
from lienthong.identity.service.clients import ClientRegistry
from lienthong.identity.service.keyring import Keyring

REPEAT_AFTER: Final = 2.0
"""Seconds after which the same state is sent again, as the contract says."""
MOST_SYSTEMS: Final = 1000
"""So many may be asked about at once, as the contract says."""

_NO_DATABASE: Final = "identity cannot read its database: whether this is what holds is not known"

_log = structlog.get_logger(__name__)


class KeysService(KeysServicer):
    """Answers `Keys/Watch` from the keyring."""

    def __init__(self, keyring: Keyring, issuer: str, *, repeat_after: float = REPEAT_AFTER) -> None:
        self._keyring = keyring
        self._issuer = issuer
        self._repeat_after = repeat_after

    async def Watch(  # noqa: N802  the contract's name
        self,
        request: WatchRequest,
        context: grpc.aio.ServicerContext[WatchRequest, AsyncIterator[WatchResponse]],
    ) -> AsyncIterator[WatchResponse]:
        """Send the whole state immediately, on every change, and every two seconds.

        UNAVAILABLE when the database has not been read for some seconds: to repeat the state would confirm a
        client that has perhaps been suspended, a key that has perhaps been stolen.
        """
        _log.info("watch started", node=request.node)
        while True:
            if not self._keyring.certain:
                _log.info("watch ended without the database", node=request.node)
                await context.abort(grpc.StatusCode.UNAVAILABLE, _NO_DATABASE)
            published = self._keyring.published
            yield WatchResponse(
                version=published.version,
                issuer=self._issuer,
                jwks=published.jwks,
                suspended_client_ids=published.refused_clients,
            )
            await self._keyring.changed(published.version, within=self._repeat_after)


class SystemsService(SystemsServicer):
    """Answers `Systems/Check` from the registry."""

    def __init__(self, registry: ClientRegistry) -> None:
        self._registry = registry

    async def Check(  # noqa: N802  the contract's name
        self,
        request: CheckRequest,
        context: grpc.aio.ServicerContext[CheckRequest, Awaitable[CheckResponse]],
    ) -> CheckResponse:
        """Which systems are not known as the catalog has them; INVALID_ARGUMENT for too many."""
        if len(request.systems) > MOST_SYSTEMS:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"more than {MOST_SYSTEMS} systems")
        behind, newest = await self._registry.behind(
            {system.id: system.version for system in request.systems}
        )
        if behind:
            _log.debug("systems are behind the catalog", node=request.node, systems=len(behind))
        return CheckResponse(behind_ids=behind, newest_version=newest)
