"""The gateway's peers, as small as the contracts allow: a catalog, an identity, a provider."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from typing import TYPE_CHECKING

import grpc
import grpc.aio
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from lienthong.contracts.catalog.v1 import (
    directory_pb2,
    directory_pb2_grpc,
    routes_pb2,
    routes_pb2_grpc,
)
from lienthong.contracts.identity.v1 import keys_pb2, keys_pb2_grpc
from lienthong.kit.ids import uuid7
from tests.support.rpc import rpc_trust

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

    Behaviour = Callable[["Exchange"], Awaitable[None]]

_HEARTBEAT_S = 1.0


class StubCatalog(routes_pb2_grpc.RoutesServicer):
    """Routes/Watch over resources that a test sets and removes."""

    def __init__(self) -> None:
        self.version = 1
        self._resources: dict[tuple[int, str], routes_pb2.Resource] = {}
        self._watchers: set[asyncio.Queue[routes_pb2.WatchResponse]] = set()

    def set(self, *resources: routes_pb2.Resource) -> None:
        """Add or change resources, in one delta."""
        for resource in resources:
            self._resources[resource.key.kind, resource.key.id] = resource
        self._tell(upserts=resources)

    def remove(self, kind: routes_pb2.ResourceKind.ValueType, resource_id: str) -> None:
        """Remove one resource."""
        del self._resources[kind, resource_id]
        self._tell(removals=[routes_pb2.ResourceKey(kind=kind, id=resource_id)])

    def services_of(self, system: str) -> list[str]:
        """The ids of the services of a system."""
        return sorted(
            item.service.id for item in self._resources.values() if item.service.system_id == system
        )

    def set_silently(self, resource: routes_pb2.Resource) -> None:
        """Change something without telling the watchers."""
        self._resources[resource.key.kind, resource.key.id] = resource
        self.version += 1

    def _tell(
        self,
        upserts: Iterable[routes_pb2.Resource] = (),
        removals: Iterable[routes_pb2.ResourceKey] = (),
    ) -> None:
        before, self.version = self.version, self.version + 1
        delta = routes_pb2.Delta(
            from_version=before, to_version=self.version, upserts=upserts, removals=removals
        )
        for watcher in self._watchers:
            watcher.put_nowait(routes_pb2.WatchResponse(delta=delta))

    async def Watch(  # noqa: N802  the contract's name
        self,
        request: routes_pb2.WatchRequest,
        context: object,
    ) -> AsyncIterator[routes_pb2.WatchResponse]:
        queue: asyncio.Queue[routes_pb2.WatchResponse] = asyncio.Queue()
        self._watchers.add(queue)
        try:
            wanted = [item for (kind, _), item in self._resources.items() if kind in request.kinds]
            yield routes_pb2.WatchResponse(
                snapshot=routes_pb2.Snapshot(version=self.version, resources=wanted)
            )
            while True:
                try:
                    async with asyncio.timeout(_HEARTBEAT_S):
                        update = await queue.get()
                    yield update
                except TimeoutError:
                    yield routes_pb2.WatchResponse(heartbeat=routes_pb2.Heartbeat(version=self.version))
        finally:
            self._watchers.discard(queue)


class StubDirectory(directory_pb2_grpc.DirectoryServicer):
    """What the catalog says besides routes: names that a test sets, and documents."""

    def __init__(self, catalog: StubCatalog) -> None:
        self._catalog = catalog
        self.clients: list[directory_pb2.Client] = []
        self.documents: dict[str, str] = {}
        self.asked = 0
        """How often all clients were asked for."""

    async def Clients(  # noqa: N802  the contract's name
        self, request: directory_pb2.ClientsRequest, context: object
    ) -> AsyncIterator[directory_pb2.ClientsResponse]:
        self.asked += 1
        for client in self.clients:
            yield directory_pb2.ClientsResponse(clients=[client])

    async def Services(  # noqa: N802  the contract's name
        self, request: directory_pb2.ServicesRequest, context: object
    ) -> directory_pb2.ServicesResponse:
        return directory_pb2.ServicesResponse(ids=self._catalog.services_of(request.system_id))

    async def OpenApi(  # noqa: N802  the contract's name
        self,
        request: directory_pb2.OpenApiRequest,
        context: grpc.aio.ServicerContext[
            directory_pb2.OpenApiRequest, Awaitable[directory_pb2.OpenApiResponse]
        ],
    ) -> directory_pb2.OpenApiResponse:
        if request.service_id not in self.documents:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such service")
        return directory_pb2.OpenApiResponse(document=self.documents[request.service_id])


class StubIdentity(keys_pb2_grpc.KeysServicer):
    """Keys/Watch, and tokens signed by its key."""

    def __init__(self, issuer: str, audience: str) -> None:
        self.issuer = issuer
        self.audience = audience
        self.key = ECKey.generate_key("P-256", auto_kid=True)
        self.suspended: list[str] = []
        self._version = 1
        self._changed = asyncio.Event()

    def token(self, client: str, signer: ECKey | OKPKey | RSAKey | None = None, **overrides: object) -> str:
        """An access token; `overrides` replace claims, and header members after `header_`. None removes."""
        now = int(time.time())
        signer = signer or self.key
        header: dict[str, object] = {"typ": "at+jwt", "alg": "ES256", "kid": signer.kid}
        claims: dict[str, object] = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": client,
            "client_id": client,
            "scope": "api events",
            "iat": now,
            "exp": now + 300,
            "jti": uuid7(),
        }
        for name, value in overrides.items():
            part, member = (header, name[7:]) if name.startswith("header_") else (claims, name)
            part[member] = value
            if value is None:
                del part[member]
        return jwt.encode(header, claims, signer, algorithms=["ES256", "EdDSA", "PS256", "RS256", "Ed25519"])

    def suspend(self, *clients: str) -> None:
        """Refuse these clients, and only these."""
        self.suspended = list(clients)
        self._tell()

    def rotate(self) -> None:
        """Sign with a new key; the old one is gone."""
        self.key = ECKey.generate_key("P-256", auto_kid=True)
        self._tell()

    def _tell(self) -> None:
        self._version += 1
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def Watch(  # noqa: N802  the contract's name
        self,
        request: keys_pb2.WatchRequest,
        context: object,
    ) -> AsyncIterator[keys_pb2.WatchResponse]:
        while True:
            changed = self._changed
            yield keys_pb2.WatchResponse(
                version=self._version,
                issuer=self.issuer,
                jwks=json.dumps({"keys": [self.key.as_dict(private=False)]}),
                suspended_client_ids=self.suspended,
            )
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_HEARTBEAT_S):
                    await changed.wait()


class RpcPeer:
    """A gRPC server on a fixed port that can be away for a while."""

    def __init__(self, port: int, register: Callable[[grpc.aio.Server], None]) -> None:
        self.address = f"127.0.0.1:{port}"
        self._register = register
        self._server: grpc.aio.Server | None = None

    @property
    def running(self) -> bool:
        """Whether it is not away."""
        return self._server is not None

    async def start(self) -> None:
        """Serve."""
        self._server = grpc.aio.server()
        self._register(self._server)
        self._server.add_secure_port(self.address, rpc_trust().server_credentials())
        await self._server.start()

    async def stop(self) -> None:
        """Be away."""
        if self._server is not None:
            await self._server.stop(None)
            self._server = None


class Exchange:
    """One request that reached a provider, and its answer, both as bytes."""

    def __init__(
        self, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: bytes
    ) -> None:
        self.request_line, *lines = head.split("\r\n")
        self.headers = [(line.partition(": ")[0].lower(), line.partition(": ")[2]) for line in lines if line]
        self.reader = reader
        self.writer = writer
        self.body = body

    def header(self, name: str) -> str | None:
        """The first header of this name."""
        return next((value for known, value in self.headers if known == name), None)

    async def answer(self, body: bytes = b'{"ok":true}', status: str = "200 OK", headers: str = "") -> None:
        """Answer with a body of declared size."""
        self.writer.write(
            f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{headers}"
            f"content-length: {len(body)}\r\n\r\n".encode()
            + (body if not self.request_line.startswith("HEAD") else b"")
        )
        await self.writer.drain()


class Provider:
    """An HTTP/1.1 server whose behaviour for each path a test chooses, down to the bytes."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.seen: list[Exchange] = []
        self.behaviours: dict[str, Behaviour] = {}
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=1 << 20)

    async def stop(self) -> None:
        """Refuse connections."""
        if self._server is not None:
            self._server.close()
            for connection in list(self._connections):
                connection.close()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            while not writer.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                exchange = Exchange(head, reader, writer, b"")
                path = exchange.request_line.split(" ")[1].partition("?")[0]
                behaviour = self.behaviours.get(path)
                streams = behaviour is not None and getattr(behaviour, "streams", False)
                if not streams:
                    exchange.body = await _read_body(exchange)
                self.seen.append(exchange)
                if behaviour is None:
                    await exchange.answer()
                else:
                    await behaviour(exchange)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._connections.discard(writer)
            writer.close()


async def _read_body(exchange: Exchange) -> bytes:
    length = exchange.header("content-length")
    if length is not None:
        return await exchange.reader.readexactly(int(length))
    body = b""
    if (exchange.header("transfer-encoding") or "").lower() == "chunked":
        while size := int(await exchange.reader.readuntil(b"\n"), 16):
            body += await exchange.reader.readexactly(size)
            await exchange.reader.readuntil(b"\n")
        await exchange.reader.readuntil(b"\n")
    return body
