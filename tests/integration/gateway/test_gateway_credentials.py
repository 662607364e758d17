"""A real gateway shows providers what they ask for, and keeps it from everyone else."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import httpx
import pytest

from lienthong.contracts.catalog.v1 import routes_pb2 as pb
from tests.integration.gateway.certificates import make_authority
from tests.integration.gateway.world import API, PROVIDER, service
from tests.support.ports import take_free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.integration.gateway.peers import Exchange
    from tests.integration.gateway.world import World

SECRET = "s3cret-value"
TOKEN_PATH = "/oauth2/token"


@pytest.fixture
def issuer(world: World) -> Iterator[list[Exchange]]:
    """A token endpoint at the second provider; the requests that it got."""
    asked: list[Exchange] = []

    async def issue(exchange: Exchange) -> None:
        asked.append(exchange)
        body = {"access_token": f"{SECRET}-{len(asked)}", "token_type": "bearer", "expires_in": 3600}
        await exchange.answer(json.dumps(body).encode())

    world.second_provider.behaviours[TOKEN_PATH] = issue
    yield asked
    world.second_provider.behaviours.clear()


@pytest.fixture(autouse=True)
def put_back(world: World) -> Iterator[None]:
    yield
    world.provider.behaviours.clear()
    world.change(service([world.provider.url], max_request_bytes=20_000_000))


def given(world: World, name: str, **members: str) -> None:
    """Give the gateway a secret."""
    folder = world.folder / "home" / "gateway" / "secrets"
    folder.mkdir(parents=True, exist_ok=True)
    for member, value in members.items():
        (folder / f"{PROVIDER.replace('/', '_')}_{name}.{member}").write_text(value + "\n")


def asking(world: World, *credentials: pb.Credential, x_road: pb.XRoadClient | None = None) -> None:
    """Have the service ask for credentials."""
    resource = service([world.provider.url], max_request_bytes=20_000_000)
    resource.service.credentials.extend(credentials)
    if x_road is not None:
        resource.service.x_road.CopyFrom(x_road)
    world.change(resource)


def oauth2(world: World, secret: str, scope: str = "", *, in_body: bool = False) -> pb.Credential:
    url = world.second_provider.url + TOKEN_PATH
    return pb.Credential(
        secret=secret, oauth2=pb.OAuth2Credential(token_url=url, scope=scope, in_body=in_body)
    )


def call(world: World, method: str = "GET", path: str = "/parcels/1", **options: object) -> httpx.Response:
    with world.client() as client:
        return client.request(method, API + path, **options)  # type: ignore[arg-type]


def seen(world: World, method: str = "GET", path: str = "/parcels/1", **options: object) -> Exchange:
    answer = call(world, method, path, **options)
    assert answer.status_code == httpx.codes.OK, answer.text
    assert SECRET not in answer.text + str(answer.headers)
    return world.provider.seen[-1]


def nowhere(world: World) -> None:
    """No secret is in the log or in a record."""
    written = world.log.read_text() + "".join(map(str, world.records()))
    encoded = base64.b64encode(SECRET.encode()).decode().rstrip("=")
    assert SECRET not in written
    assert encoded not in written


def test_a_static_header_and_no_other_of_that_name(world: World) -> None:
    given(world, "key", value=SECRET)
    asking(world, pb.Credential(secret="key", header=pb.HeaderCredential(name="x-api-key")))
    exchange = seen(world, headers={"X-Api-Key": "mine", "x_api_key": "mine", "X-Api-Keys": "other"})
    assert exchange.header("x-api-key") == SECRET
    assert "mine" not in str(exchange.headers)
    assert exchange.header("x-api-keys") == "other"
    nowhere(world)


def test_basic(world: World) -> None:
    given(world, "basic", username="lgsp", password=SECRET)
    asking(world, pb.Credential(secret="basic", basic=pb.BasicCredential()))
    authorization = seen(world).header("authorization")
    assert authorization == "Basic " + base64.b64encode(f"lgsp:{SECRET}".encode()).decode()
    nowhere(world)


def test_lgspaccesstoken_beside_an_access_token(world: World, issuer: list[Exchange]) -> None:
    given(world, "core", client_id="lgsp", client_secret=SECRET)
    given(world, "keys", access_key="AK", secret_key=SECRET, app_name="LGSP", partner_code="H11")
    asking(world, oauth2(world, "core"), pb.Credential(secret="keys", lgsp_access_token=pb.LgspAccessToken()))
    exchange = seen(world, headers={"lgspaccesstoken": "mine"})
    shown = json.loads(base64.b64decode(exchange.header("lgspaccesstoken") or ""))
    assert shown == {"AccessKey": "AK", "SecretKey": SECRET, "AppName": "LGSP", "PartnerCode": "H11"}
    assert exchange.header("authorization") == f"Bearer {SECRET}-1"
    assert "mine" not in str(exchange.headers)
    nowhere(world)


@pytest.mark.parametrize("in_body", [False, True])
def test_one_token_serves_many_calls(world: World, issuer: list[Exchange], in_body: bool) -> None:
    name = f"client-{int(in_body)}"
    given(world, name, client_id="lg sp", client_secret=SECRET)
    asking(world, oauth2(world, name, in_body=in_body, scope="read write"))
    assert {seen(world).header("authorization") for _ in range(5)} == {f"Bearer {SECRET}-1"}
    (request,) = issuer
    form = {key: value for key, (value,) in parse_qs(request.body.decode()).items()}
    assert (form.pop("grant_type"), form.pop("scope")) == ("client_credentials", "read write")
    if in_body:
        assert form == {"client_id": "lg sp", "client_secret": SECRET}
        assert request.header("authorization") is None
    else:
        assert form == {}
        assert request.header("authorization") == (
            "Basic " + base64.b64encode(f"lg+sp:{SECRET}".encode()).decode()
        )
    nowhere(world)


def test_a_changed_secret_gets_a_new_token(world: World, issuer: list[Exchange]) -> None:
    given(world, "changing", client_id="lgsp", client_secret="before")
    asking(world, oauth2(world, "changing"))
    seen(world)
    given(world, "changing", client_id="lgsp", client_secret="after")
    world.wait(lambda: call(world).is_success and len(issuer) == 2, "the changed secret")
    assert base64.b64decode((issuer[1].header("authorization") or "")[6:]) == b"lgsp:after"


def test_a_token_endpoint_that_fails_is_the_providers_fault(world: World) -> None:
    given(world, "failing", client_id="lgsp", client_secret=SECRET)
    asked: list[Exchange] = []

    async def refuse(exchange: Exchange) -> None:
        asked.append(exchange)
        body = {"error": "invalid_client", "error_description": SECRET}
        await exchange.answer(json.dumps(body).encode(), "401 Unauthorized")

    world.second_provider.behaviours[TOKEN_PATH] = refuse
    asking(world, oauth2(world, "failing"))
    before = len(world.provider.seen)
    answers = [call(world) for _ in range(5)]
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (502, "provider-token-unavailable")
        assert answer.json()["detail"].endswith("it answers 401, invalid_client. The request was not sent.")
        assert answer.headers["retry-after"].isdecimal()
        record = world.record(answer.headers["lgsp-transaction-id"])
        assert (record["error"], record.get("upstream_status")) == ("provider-token-unavailable", None)
    assert len(world.provider.seen) == before
    assert asked
    nowhere(world)


BROKEN = {
    "no JSON": b"<html>",
    "no token": b"{}",
    "another kind": b'{"access_token":"x","token_type":"mac"}',
    "a line break": b'{"access_token":"x\\r\\nset-cookie: a","token_type":"bearer"}',
    "a list": b"[]",
    "large": b'{"access_token":"' + b"x" * 70_000 + b'"}',
}


@pytest.mark.parametrize("kind", BROKEN)
def test_an_answer_that_has_no_token_is_none(world: World, kind: str) -> None:
    name = kind.replace(" ", "-").lower()
    given(world, name, client_id="lgsp", client_secret=SECRET)
    world.second_provider.behaviours[TOKEN_PATH] = lambda exchange: exchange.answer(BROKEN[kind])
    asking(world, oauth2(world, name))
    assert call(world).json()["code"] == "provider-token-unavailable"


def test_a_token_endpoint_inside_is_not_asked(world: World) -> None:
    given(world, "inside", client_id="lgsp", client_secret=SECRET)
    credential = pb.Credential(
        secret="inside", oauth2=pb.OAuth2Credential(token_url=f"http://127.0.0.1:{world.health_port}/token")
    )
    asking(world, credential)
    answer = call(world)
    assert (answer.status_code, answer.json()["code"]) == (502, "provider-token-unavailable")
    assert "a port of the platform itself" in answer.json()["detail"]


def test_a_missing_secret_is_told_until_it_is_there(
    new_world: Callable[..., World],
) -> None:
    world = new_world()
    world.start()
    asking(world, pb.Credential(secret="later", basic=pb.BasicCredential()))
    answer = call(world)
    assert (answer.status_code, answer.json()["code"]) == (503, "provider-credentials-missing")
    assert f"{PROVIDER}/later" in answer.json()["detail"]
    assert world.provider.seen == []
    ready = httpx.get(f"http://127.0.0.1:{world.health_port}/health/ready", trust_env=False).json()
    assert ready["status"] == "degraded"
    assert "H11.05_land_later.username" in ready["conditions"]["secrets"]["reason"]
    assert '"credentials": "H11.05/land/later"' in world.log.read_text()
    given(world, "later", username="lgsp", password=SECRET)
    world.wait(lambda: call(world).status_code == 200, "the secret")
    ready = httpx.get(f"http://127.0.0.1:{world.health_port}/health/ready", trust_env=False).json()
    assert ready["status"] == "ready"


def test_secrets_come_from_the_environment_too(new_world: Callable[..., World]) -> None:
    world = new_world(secrets=json.dumps({f"{PROVIDER}/key.value": SECRET}))
    world.start()
    asking(world, pb.Credential(secret="key", header=pb.HeaderCredential(name="x-api-key")))
    assert seen(world).header("x-api-key") == SECRET
    nowhere(world)


def test_x_road_gets_its_headers_and_its_path(world: World) -> None:
    client, named = "VN/GOV/H11.01/lgsp", "VN/GOV/G09/population/citizens"
    asking(world, x_road=pb.XRoadClient(client=client, service=named))
    forged = {"X-Road-Client": "me", "X-Road-Id": "me", "X-Road-Issue": "me", "x_road_userid": "me"}
    exchange = seen(world, path="/parcels/1?a=b%20c", headers=forged | {"LGSP-User": "012345678901"})
    assert exchange.request_line == f"GET /r1/{named}/parcels/1?a=b%20c HTTP/1.1"
    road = {name: value for name, value in exchange.headers if name.startswith("x-road")}
    assert road == {
        "x-road-client": client,
        "x-road-id": exchange.header("lgsp-transaction-id"),
        "x-road-userid": "012345678901",
    }
    assert "me" not in [value for _, value in exchange.headers]


def test_a_provider_of_an_own_authority_that_asks_for_a_certificate(world: World, tmp_path: Path) -> None:
    authority, stranger = make_authority("authority"), make_authority("stranger")
    server, client = authority.issue("127.0.0.1"), authority.issue("gateway")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    (tmp_path / "server.pem").write_text(server.certificate + server.key)
    context.load_cert_chain(tmp_path / "server.pem")
    context.load_verify_locations(cadata=authority.certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    subjects: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (await reader.readuntil(b"\r\n\r\n")) != b"":
            (((_, name),),) = writer.get_extra_info("peercert")["subject"]
            subjects.append(name)
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")

    port = take_free_port()

    async def start() -> asyncio.Server:
        return await asyncio.start_server(serve, "127.0.0.1", port, ssl=context)

    listener = world.loop.run(start())
    try:
        given(world, "mtls", crt=client.certificate, key=client.key)
        given(world, "ca", ca=authority.certificate)
        given(world, "strange", ca=stranger.certificate)

        def asks(**tls: str) -> httpx.Response:
            resource = service([f"https://127.0.0.1:{port}"])
            resource.service.tls.CopyFrom(pb.ProviderTls(**tls))
            world.change(resource)
            return call(world)

        assert asks(certificate="mtls", authority="ca").status_code == 200
        assert subjects == ["gateway"]
        # A connection that is open already is not lent to a service without the certificate.
        assert asks(authority="ca").json()["code"] in ("provider-broken", "provider-unreachable")
        assert asks(certificate="mtls").json()["code"] == "provider-unreachable"
        assert asks(certificate="mtls", authority="strange").json()["code"] == "provider-unreachable"
        given(world, "broken", crt=client.certificate, key=server.key)
        assert asks(certificate="broken", authority="ca").json()["code"] == "provider-credentials-missing"
        assert subjects == ["gateway"]
        assert client.key.splitlines()[2] not in world.log.read_text()
    finally:
        listener.close()
