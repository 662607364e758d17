"""A real catalog process, an identity that hands out its keys, and clients that hold tokens."""

from __future__ import annotations

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import grpc
import httpx
from joserfc import jwt
from joserfc.jwk import ECKey

from lienthong.contracts.identity.v1 import keys_pb2, keys_pb2_grpc, systems_pb2, systems_pb2_grpc
from lienthong.kit.ids import uuid7
from tests.support.fork_server import ForkedProcess, start_module
from tests.support.ports import give_back_offset, take_free_offset
from tests.support.rpc import rpc_trust

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

ISSUER = "http://gateway.test"
AUDIENCE = "urn:lgsp:VN-BTN"


class Identity:
    """Signs access tokens and tells whoever watches with which key, as the identity service does.

    It says that it has all systems but those in `lacks`.
    """

    def __init__(self) -> None:
        self.lacks: set[str] = set()
        self._key = ECKey.generate_key("P-256", {"kid": "test", "use": "sig", "alg": "ES256"}, private=True)
        self._server = grpc.server(ThreadPoolExecutor(8))
        # The stubs are typed for grpc.aio; a server of threads needs no loop and so outlives a test's.
        keys_pb2_grpc.add_KeysServicer_to_server(self, self._server)  # type: ignore[arg-type]
        systems_pb2_grpc.add_SystemsServicer_to_server(self, self._server)  # type: ignore[arg-type]
        credentials = rpc_trust().server_credentials()
        self.address = f"127.0.0.1:{self._server.add_secure_port('127.0.0.1:0', credentials)}"

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(0).wait()

    def Watch(  # noqa: N802 - the contract's name
        self, request: keys_pb2.WatchRequest, context: grpc.ServicerContext
    ) -> Iterator[keys_pb2.WatchResponse]:
        """Repeat the one state; ends with the watcher."""
        del request
        jwks = json.dumps({"keys": [self._key.as_dict(private=False)]})
        while context.is_active():
            yield keys_pb2.WatchResponse(version=1, issuer=ISSUER, jwks=jwks)
            time.sleep(0.2)

    def Check(  # noqa: N802 - the contract's name
        self, request: systems_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> systems_pb2.CheckResponse:
        """What is lacking was passed over."""
        del context
        asked = [system.id for system in request.systems]
        newest = max(system.version for system in request.systems) + 1
        return systems_pb2.CheckResponse(
            behind_ids=[system for system in asked if system in self.lacks], newest_version=newest
        )

    def token(self, client_id: str, scope: str = "api events", lifetime: int = 3600) -> str:
        """Issue an access token (RFC 9068)."""
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": client_id,
            "client_id": client_id,
            "scope": scope,
            "iat": now,
            "exp": now + lifetime,
            "jti": uuid7(),
        }
        return jwt.encode({"alg": "ES256", "typ": "at+jwt", "kid": "test"}, claims, self._key)


@dataclass
class Catalog:
    """A catalog process and how to reach it."""

    folder: Path
    identity: Identity
    environment: dict[str, str]
    process: ForkedProcess
    url: str
    rpc: str
    health: str
    clients: list[httpx.Client] = field(default_factory=list)

    def client(self, client_id: str, scope: str = "api events") -> httpx.Client:
        """An HTTP client with a token of its own."""
        headers = {"Authorization": f"Bearer {self.identity.token(client_id, scope)}"}
        client = httpx.Client(base_url=f"{self.url}/catalog/v1", headers=headers, timeout=30)
        self.clients.append(client)
        return client

    def operator(self) -> httpx.Client:
        """A client that may do everything."""
        return self.client("operator", "catalog:admin identity:admin")

    def replica(self) -> AbstractContextManager[Catalog]:
        """Start another process on the same database and bus."""
        return _running(self.folder / "replica", self.identity, self.environment)

    def restarted(self) -> AbstractContextManager[Catalog]:
        """Start a process in the place of this one, which has ended."""
        return _running(self.folder, self.identity, self.environment)

    def stop(self) -> int:
        """Ask it to end; its exit status."""
        self.process.terminate()
        return self.process.wait(60)


def running_catalog(
    folder: Path, identity: Identity, *, database_url: str, nats_url: str, patience_s: float = 60
) -> AbstractContextManager[Catalog]:
    """Start `python -m lienthong.catalog`, and return when it is ready."""
    environment = {
        "LIENTHONG_PUBLIC_URL": ISSUER,
        "LIENTHONG_NATS_URL": nats_url,
        "LIENTHONG_IDENTITY_RPC": identity.address,
        "LIENTHONG_PROVIDER_NETWORKS": "127.0.0.0/8",
        "LIENTHONG_RPC_DIR": str(rpc_trust().folder),
        "LIENTHONG_CATALOG_DATABASE_URL": database_url,
    }
    return _running(folder, identity, environment, patience_s)


@contextmanager
def _running(
    folder: Path, identity: Identity, environment: dict[str, str], patience_s: float = 60
) -> Iterator[Catalog]:
    folder.mkdir(parents=True, exist_ok=True)
    offset = take_free_offset()
    own = {"LIENTHONG_HOME": str(folder), "LIENTHONG_PORT_OFFSET": str(offset)}
    log = folder / "catalog.log"
    with log.open("ab") as output:
        process = start_module("lienthong.catalog", {**os.environ, **environment, **own}, output.fileno())
    catalog = Catalog(
        folder,
        identity,
        environment,
        process,
        url=f"http://127.0.0.1:{8101 + offset}",
        rpc=f"127.0.0.1:{9101 + offset}",
        health=f"http://127.0.0.1:{8181 + offset}/health/ready",
    )
    try:
        _wait_until_ready(catalog, log, patience_s)
        yield catalog
    finally:
        for client in catalog.clients:
            client.close()
        if process.poll() is None:
            process.kill()
        process.wait(20)
        give_back_offset(offset)


def _wait_until_ready(catalog: Catalog, log: Path, patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    while True:
        try:
            if httpx.get(catalog.health, timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        if catalog.process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the catalog did not become ready:\n{log.read_text()[-4000:]}")
        time.sleep(0.05)
