"""An identity process inside the test: HTTP, gRPC, database and bus are real, only the clock may be set."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import uvicorn
from joserfc.jwk import ECKey, OKPKey, RSAKey

from lienthong.contracts.identity.v1 import keys_pb2, keys_pb2_grpc, systems_pb2_grpc
from lienthong.identity.background.timers import Timers
from lienthong.identity.bootstrap import IdentityCore, create_app, open_core, rotation_rules
from lienthong.identity.events import SystemEvent
from lienthong.identity.people.background import catalog_followers
from lienthong.identity.rpc import KeysService, SystemsService
from lienthong.identity.service import keyring
from lienthong.identity.settings import IdentitySettings
from lienthong.kit.bus import Bus, StreamSpec
from lienthong.kit.clock import SystemClock
from lienthong.kit.ids import uuid7
from lienthong.kit.rpc import open_channel, serve_rpc
from tests.support.ports import take_free_port
from tests.support.rpc import rpc_trust
from tests.support.waiting import ended, eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from grpc.aio import Server

    from lienthong.kit.clock import Clock

Key = ECKey | OKPKey | RSAKey

ISSUER = "https://lgsp.example"
TOKEN_ENDPOINT = f"{ISSUER}/oauth2/token"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SYSTEM = "H11.01/one-stop"
NOWHERE = "nats://127.0.0.1:9"
CATALOG = StreamSpec("CATALOG", ["catalog.>"])
JOURNAL = StreamSpec("JOURNAL", ["journal.>"])

RSA = RSAKey.generate_key(2048)
"""One for all tests: making one takes longer than most of them."""


def settings_for(folder: Path, database_url: str, nats_url: str = NOWHERE, **values: Any) -> IdentitySettings:  # noqa: ANN401
    """Settings of a process on this database whose key-encryption key lies in `folder`."""
    return IdentitySettings(
        home=folder,
        public_url=ISSUER,
        nats_url=nats_url,
        identity_database_url=database_url,
        identity_key_file=folder / "identity" / "key-encryption.jwk",
        **values,
    )


def key_file(folder: Path) -> Path:
    """A key-encryption key, as an operator makes it for PostgreSQL."""
    from lienthong.identity.domain.key_encryption import KeyEncryption
    from lienthong.identity.service.key_encryption_file import write_key_encryption

    path = folder / "identity" / "key-encryption.jwk"
    if not path.exists():
        write_key_encryption(path, KeyEncryption.generate())
    return path


@dataclass
class Process:
    """A running identity process."""

    core: IdentityCore
    bus: Bus
    settings: IdentitySettings
    url: str
    rpc_address: str
    http: httpx.AsyncClient
    clock: Clock

    async def register(
        self, key: Key, client_id: str = SYSTEM, *, version: int = 1, status: str = "active"
    ) -> None:
        """Make a client known, as the catalog's event would."""
        await self.core.registry.follow(
            SystemEvent.model_validate_json(system_event(client_id, [key], version=version, status=status))
        )

    async def ask(self, assertion: str | None, **parameters: str | None) -> httpx.Response:
        """Ask for a token with an assertion; a parameter of None is left out."""
        form: dict[str, str | None] = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion,
            **parameters,
        }
        return await self.http.post(
            "/oauth2/token", data={name: value for name, value in form.items() if value is not None}
        )

    def assertion(self, key: Key, client_id: str = SYSTEM, **changes: object) -> str:
        """A genuine assertion of this moment, but for the changed claims; `...` leaves a claim out."""
        return assertion(key, client_id, now=self.clock.now(), **changes)

    async def watch(self) -> AsyncIterator[keys_pb2.WatchResponse]:
        """Follow what verifiers must know."""
        async with open_channel(self.rpc_address, rpc_trust()) as channel:
            async for state in keys_pb2_grpc.KeysStub(channel).Watch(keys_pb2.WatchRequest(node="test")):
                yield state


def assertion(key: Key, client_id: str = SYSTEM, *, now: datetime | None = None, **changes: object) -> str:
    """A genuine assertion, but for the changed claims."""
    seconds = int((now or datetime.now(UTC)).timestamp())
    claims: dict[str, object] = {
        "iss": client_id,
        "sub": client_id,
        "aud": ISSUER,
        "iat": seconds,
        "exp": seconds + 60,
        "jti": uuid7(),
        **changes,
    }
    return sign(key, {name: value for name, value in claims.items() if value is not ...})


def sign(key: Key, claims: Mapping[str, object], **header: object) -> str:
    """A JWS of any header over any claims, by the algorithm of the key's type."""
    from base64 import urlsafe_b64encode

    from joserfc.jws import JWSRegistry

    algorithm = {"EC": "ES256", "OKP": "EdDSA", "RSA": "PS256"}[key.key_type]

    def encode(content: bytes) -> str:
        return urlsafe_b64encode(content).rstrip(b"=").decode()

    head = encode(json.dumps({"alg": algorithm, **header}).encode())
    signed = f"{head}.{encode(json.dumps(claims).encode())}"
    return f"{signed}.{encode(JWSRegistry.algorithms[algorithm].sign(signed.encode(), key))}"


def system_event(
    client_id: str, keys: list[Key], *, version: int, status: str = "active", action: str = "upserted"
) -> bytes:
    """An event of `catalog.system`."""
    return json.dumps(
        {
            "version": version,
            "kind": "System",
            "id": client_id,
            "action": action,
            "resource": {
                "apiVersion": "lienthong/v1",
                "kind": "System",
                "metadata": {"id": client_id},
                "spec": {
                    "name": {"vi": "Một cửa", "en": "One-stop"},
                    "jwks": {"keys": [key.as_dict(private=False) for key in keys]},
                },
                "status": status,
            },
        }
    ).encode()


@asynccontextmanager
async def running(
    settings: IdentitySettings,
    *,
    clock: Clock | None = None,
    wait_for_bus: bool = True,
    port: int | None = None,
    certain_s: float = 60.0,
) -> AsyncIterator[Process]:
    """An identity process, from its migrations to its loops.

    For `certain_s` it believes what it has read in its database: for longer than a busy machine keeps this
    process, with all that is in it, from reading it again.
    """
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(keyring, "CERTAIN_SECONDS", certain_s)
        async with _running(settings, clock, wait_for_bus=wait_for_bus, port=port) as process:
            yield process


@asynccontextmanager
async def _running(
    settings: IdentitySettings, clock: Clock | None, *, wait_for_bus: bool, port: int | None
) -> AsyncIterator[Process]:
    key_file(settings.home)
    bus = await Bus.connect(settings.nats_url, "identity", wait=wait_for_bus and settings.nats_url != NOWHERE)
    core = await open_core(settings, bus, clock=clock)
    timers = Timers(core.keyring, core.authentication, rotation_rules(settings))
    loops = [
        timers.follow_replicas,
        timers.rotate_keys,
        timers.forget_assertions,
        core.relay.run,
        core.openid.notices.run,
    ]
    if settings.nats_url != NOWHERE:
        loops += [one.run for one in catalog_followers(bus, core.registry, core.people.mergers)]
    tasks = [asyncio.create_task(loop()) for loop in loops]
    port = port or take_free_port()
    app = create_app(settings, core, rpc_trust())
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None))
    serving = asyncio.create_task(server.serve())

    def register(grpc: Server) -> None:
        keys = KeysService(core.keyring, settings.issuer, repeat_after=0.3)
        keys_pb2_grpc.add_KeysServicer_to_server(keys, grpc)
        systems_pb2_grpc.add_SystemsServicer_to_server(SystemsService(core.registry), grpc)

    rpc = await serve_rpc("127.0.0.1:0", register, rpc_trust())
    await eventually(lambda: server.started)
    url = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient(base_url=url, timeout=30) as http:
            yield Process(core, bus, settings, url, f"127.0.0.1:{rpc.port}", http, clock or SystemClock())
    finally:
        server.should_exit = True
        await ended("the HTTP server", serving)
        await ended("the gRPC server", rpc.stop(0))
        for task in tasks:
            task.cancel()
        outcomes = await ended("the loops", asyncio.gather(*tasks, return_exceptions=True))
        await ended("the bus", bus.close())
        await ended("the database", core.database.close())
    assert all(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes), outcomes


@asynccontextmanager
async def watching(process: Process) -> AsyncIterator[list[keys_pb2.WatchResponse]]:
    """What a watcher of `Keys/Watch` has been sent so far, newest last."""
    states: list[keys_pb2.WatchResponse] = []

    async def follow() -> None:
        async for state in process.watch():
            states.append(state)  # noqa: PERF401 - seen while it grows

    task = asyncio.create_task(follow())
    try:
        await eventually(lambda: bool(states))
        yield states
    finally:
        task.cancel()
        await ended("the watcher", asyncio.gather(task, return_exceptions=True))
