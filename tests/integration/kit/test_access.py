"""A service's endpoints, tokens and the live copy of the keys, over real sockets."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import httpx
import pytest
from fastapi import Depends, FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey

from lienthong.contracts.identity.v1 import keys_pb2, keys_pb2_grpc
from lienthong.kit.access import Access, Caller, require
from lienthong.kit.clock import ManualClock
from lienthong.kit.keys import KeysReplica, keys_replica
from lienthong.kit.replica_copy import DiskCopy
from lienthong.kit.rest import install_problem_handlers
from lienthong.kit.rpc import open_channel, serve_rpc
from lienthong.kit.shown import Shown
from lienthong.kit.tokens import Confirmation, TokenVerifier
from tests.support.rpc import rpc_trust
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

CLOCK = ManualClock()
KEY = ECKey.generate_key("P-256", {"kid": "k1"})
JWKS = json.dumps({"keys": [KEY.as_dict(private=False)]})


class Identity(keys_pb2_grpc.KeysServicer):
    """Hands out one state after the other."""

    def __init__(self) -> None:
        self.states: asyncio.Queue[keys_pb2.WatchResponse] = asyncio.Queue()

    async def Watch(self, request: Any, context: Any) -> AsyncIterator[keys_pb2.WatchResponse]:  # noqa: ANN401, N802
        while True:
            yield await self.states.get()


def token(**changed: object) -> str:
    now = int(CLOCK.now().timestamp())
    usual: dict[str, Any] = {
        "iss": "i", "aud": "a", "sub": "H11.05/land", "client_id": "H11.05/land",
        "scope": "api catalog:admin", "iat": now, "exp": now + 300, "jti": "j",
    }  # fmt: skip
    return jwt.encode({"alg": "ES256", "typ": "at+jwt", "kid": "k1"}, usual | changed, KEY)


@pytest.fixture
def identity() -> Identity:
    return Identity()


@pytest.fixture
async def replica(identity: Identity, tmp_path: Path) -> AsyncIterator[KeysReplica]:
    server = await serve_rpc(
        "127.0.0.1:0",
        lambda server: keys_pb2_grpc.add_KeysServicer_to_server(identity, server),
        rpc_trust(),
    )
    channel = open_channel(f"127.0.0.1:{server.port}", rpc_trust())
    replica = keys_replica(
        channel,
        DiskCopy(tmp_path / "keys.copy"),
        CLOCK,
        node="test",
        issuer="i",
        max_age=timedelta(days=1),
    )
    running = asyncio.create_task(replica.run())
    yield replica
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await channel.close()
    await server.stop(0)


@pytest.fixture
async def client(replica: KeysReplica) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    install_problem_handlers(app)
    app.state.access = Access(replica.fresh, TokenVerifier("i", "a", CLOCK), Shown(rpc_trust(), CLOCK))

    @app.get("/anyone")
    async def anyone(caller: Annotated[Caller, Depends(require())]) -> dict[str, str]:
        return {"client": caller.client_id, "agency": caller.agency}

    @app.get("/operator")
    async def operator(caller: Annotated[Caller, Depends(require("catalog:admin"))]) -> str:
        return caller.client_id

    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as opened:
        yield opened


async def tell(
    identity: Identity, replica: KeysReplica, version: int, *suspended: str, jwks: str = JWKS
) -> None:
    """Send a state and wait until it was taken."""
    state = keys_pb2.WatchResponse(version=version, jwks=jwks, suspended_client_ids=suspended)
    identity.states.put_nowait(state)
    await eventually(lambda: replica.state is not None and replica.state.version == version)


async def get(client: httpx.AsyncClient, path: str, bearer: str | None) -> httpx.Response:
    return await client.get(path, headers={"Authorization": f"Bearer {bearer}"} if bearer is not None else {})


async def test_before_the_keys_came_nobody_is_believed_or_accused(client: httpx.AsyncClient) -> None:
    answer = await get(client, "/anyone", token())
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (
        503,
        "not-ready",
        "1",
    )


async def test_a_valid_token_says_who_calls(
    client: httpx.AsyncClient, identity: Identity, replica: KeysReplica
) -> None:
    await tell(identity, replica, 1)
    answer = await get(client, "/anyone", token())
    assert answer.json() == {"client": "H11.05/land", "agency": "H11.05"}
    assert (await get(client, "/anyone", token(sub="operator", client_id="operator"))).json()["agency"] == ""
    assert (await get(client, "/operator", token())).status_code == 200


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Basic YTpi", "bearer"])
async def test_without_a_token_one_is_told_how_to_get_one(
    client: httpx.AsyncClient, identity: Identity, replica: KeysReplica, authorization: str | None
) -> None:
    await tell(identity, replica, 1)
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = await client.get("/anyone", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "no-token")
    challenge = answer.headers["www-authenticate"]
    assert challenge == 'Bearer realm="lienthong", DPoP realm="lienthong", algs="ES256 EdDSA PS256"'


async def test_a_refused_token_names_the_reason(
    client: httpx.AsyncClient, identity: Identity, replica: KeysReplica
) -> None:
    await tell(identity, replica, 1)
    answer = await get(client, "/anyone", token(aud="other"))
    assert (answer.status_code, answer.json()["code"], answer.json()["reason"]) == (
        401,
        "token-refused",
        "audience",
    )
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_without_the_scope_one_is_told_which(
    client: httpx.AsyncClient, identity: Identity, replica: KeysReplica
) -> None:
    await tell(identity, replica, 1)
    answer = await get(client, "/operator", token(scope="api catalog:administrator"))
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient-scope")
    assert 'scope="catalog:admin"' in answer.headers["www-authenticate"]


async def test_a_suspended_client_is_refused_as_soon_as_it_is_told_and_let_in_again(
    client: httpx.AsyncClient, identity: Identity, replica: KeysReplica
) -> None:
    await tell(identity, replica, 1, "H11.05/land")
    answer = await get(client, "/anyone", token())
    assert (answer.status_code, answer.json()["code"]) == (403, "client-suspended")
    await tell(identity, replica, 2)
    assert (await get(client, "/anyone", token())).status_code == 200


async def test_keys_that_cannot_be_read_leave_the_last_ones_standing(
    client: httpx.AsyncClient, identity: Identity, replica: KeysReplica
) -> None:
    await tell(identity, replica, 1)
    identity.states.put_nowait(keys_pb2.WatchResponse(version=2, jwks="broken", suspended_client_ids=["x"]))
    await eventually(lambda: not replica.ready)
    # It asks for everything then; the watch that it left may take a state that nobody reads.
    identity.states.put_nowait(keys_pb2.WatchResponse(version=2, issuer="i", jwks=JWKS))
    await tell(identity, replica, 3)
    assert replica.ready
    assert (await get(client, "/anyone", token())).status_code == 200


async def test_a_token_bound_to_a_certificate_comes_with_it_as_a_gateway_says(
    client: httpx.AsyncClient, identity: Identity, replica: KeysReplica
) -> None:
    await tell(identity, replica, 1)
    certificate, tx = "ab" * 32, uuid7_of(CLOCK)
    bound = token(cnf=Confirmation(certificate).claim())
    certificates = Shown(rpc_trust(), CLOCK).certificates

    async def ask(shown: bytes | None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {bound}", "LGSP-Transaction-Id": tx}
        if shown is not None:
            headers["LGSP-Client-Certificate"] = shown.decode()
        return await client.get("/anyone", headers=headers)

    assert (await ask(certificates.written(certificate, tx))).status_code == 200
    for shown in (None, certificate.encode(), certificates.written("cd" * 32, tx)):
        answer = await ask(shown)
        assert (answer.status_code, answer.json()["code"]) == (401, "certificate-mismatch")
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_a_token_bound_to_a_key_comes_from_its_holder_as_a_gateway_says(
    client: httpx.AsyncClient, identity: Identity, replica: KeysReplica
) -> None:
    await tell(identity, replica, 1)
    key, tx = KEY.thumbprint(), uuid7_of(CLOCK)
    bound, unbound = token(cnf=Confirmation(key=key).claim()), token()
    keys = Shown(rpc_trust(), CLOCK).keys

    async def ask(authorization: str, shown: bytes | None) -> tuple[int, str | None]:
        headers = {"Authorization": authorization, "LGSP-Transaction-Id": tx}
        if shown is not None:
            headers["LGSP-Client-Key"] = shown.decode()
        answer = await client.get("/anyone", headers=headers)
        return answer.status_code, answer.json().get("reason")

    proved = keys.written(key, tx)
    assert await ask(f"DPoP {bound}", proved) == (200, None)
    assert await ask(f"DPoP {bound}", None) == (401, "missing")
    assert await ask(f"DPoP {bound}", key.encode()) == (401, "missing")
    assert await ask(f"DPoP {bound}", keys.written("x" * 43, tx)) == (401, "key")
    assert await ask(f"Bearer {bound}", proved) == (401, "bearer")
    assert await ask(f"DPoP {unbound}", proved) == (401, "unbound")
    assert await ask(f"Bearer {unbound}", None) == (200, None)


def uuid7_of(clock: ManualClock) -> str:
    milliseconds = int(clock.now().timestamp() * 1000)
    return f"{milliseconds >> 16:08x}-{milliseconds & 0xFFFF:04x}-7000-8000-000000000000"
