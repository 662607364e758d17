"""Calls as clients of X-Road make them: raw HTTP to /r1/, and a provider on a socket."""

from __future__ import annotations

import base64
import hashlib
import shutil
import socket
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
import pytest

from lienthong.contracts.catalog.v1 import routes_pb2
from tests.integration.gateway.world import (
    AGREEMENT,
    CONSUMER,
    OTHER_CONSUMER,
    PROVIDER,
    PURPOSE,
    SERVICE,
    World,
    agreement,
    assert_in_form,
    service,
    system,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.integration.gateway.peers import Exchange

R1 = "/r1/VN-BTN/GOV/H11.05/land/parcels-v1"
CLIENT = "VN-BTN/GOV/H11.01/one-stop"
PORTAL = "VN-BTN/GOV/H11.36.01/portal"
OLD = "H11.02/old-books"
HTTP = routes_pb2.XRoad(connection=routes_pb2.X_ROAD_CONNECTION_HTTP, networks=["127.0.0.1/32"])
CERTIFICATES = ("ab" * 32, "ef" * 32)
CERTIFICATE = routes_pb2.XRoad(connection=routes_pb2.X_ROAD_CONNECTION_CERTIFICATE, certificates=CERTIFICATES)


@pytest.fixture(scope="module")
def socket_path() -> Iterator[Path]:
    # The path of a Unix socket is short: folders of tests may be too long for it.
    folder = Path(tempfile.mkdtemp(prefix="lt-"))
    yield folder / "edge.sock"
    shutil.rmtree(folder)


@pytest.fixture
def edge(world: World, socket_path: Path) -> Iterator[httpx.Client]:
    """What a client sends that the edge has let in; the edge's own fields are the test's."""
    transport = httpx.HTTPTransport(uds=str(socket_path))
    with httpx.Client(transport=transport, base_url=world.url, headers={"X-Road-Client": CLIENT}) as client:
        yield client


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, socket_path: Path) -> Iterator[World]:
    """A gateway whose operator trusts this machine, with clients of each connection type."""
    world = World(
        tmp_path_factory.mktemp("xroad"),
        edge_socket=socket_path,
        unauthenticated_per_s=10_000,
        unauthenticated_burst=10_000,
        refused_burst=10_000,
        xroad_networks="127.0.0.0/8, ::1/128",
    )
    try:
        world.change(system(CONSUMER, xroad=HTTP))
        world.start()
        yield world
    finally:
        world.close()


def call(
    world: World,
    method: str,
    path: str,
    client: str | None = CLIENT,
    *,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
) -> httpx.Response:
    """A call as an X-Road consumer makes it: no token, the name of the client in a header."""
    named = {"X-Road-Client": client} if client is not None else {}
    with httpx.Client(base_url=world.url, trust_env=False, timeout=30) as consumer:
        return consumer.request(method, path, headers={**named, **(headers or {})}, content=content)


def refused(answer: httpx.Response, kind: str) -> dict[str, Any]:
    """The error document of a refusal of this type, with the status that goes with it."""
    document: dict[str, Any] = answer.json()
    assert list(document) == ["type", "message", "detail"]
    assert (document["type"], answer.headers["x-road-error"]) == (kind, kind)
    assert answer.status_code == (500 if kind.startswith("server.") else 400)
    assert answer.headers["content-type"] == "application/json;charset=utf-8"
    assert str(UUID(document["detail"])) == answer.headers["x-road-request-id"]
    return document


def test_a_call_passes_with_the_name_of_its_client_alone(world: World) -> None:
    answer = call(world, "GET", f"{R1}/parcels/7?details=all")
    assert (answer.status_code, answer.json()) == (200, {"ok": True})
    exchange = world.provider.seen[-1]
    assert exchange.request_line == "GET /parcels/7?details=all HTTP/1.1"
    request_id = answer.headers["x-road-request-id"]
    assert {name: exchange.header(name) for name in ("lgsp-client", "lgsp-purpose", "lgsp-agreement")} == {
        "lgsp-client": CONSUMER,
        "lgsp-purpose": PURPOSE,
        "lgsp-agreement": AGREEMENT,
    }
    assert exchange.header("x-road-client") == answer.headers["x-road-client"] == CLIENT
    assert exchange.header("x-road-request-id") == request_id == answer.headers["lgsp-transaction-id"]
    assert exchange.header("x-road-id") == answer.headers["x-road-id"] == f"VN-BTN-{request_id}"
    assert answer.headers["x-road-service"] == f"{CLIENT[:10]}/H11.05/land/parcels-v1"
    assert exchange.header("x-forwarded-prefix") == R1
    assert "x-road-error" not in answer.headers


def test_what_the_caller_states_is_passed_mapped_and_recorded(world: World) -> None:
    stated = {
        "X-Road-Id": "fa2e18a5-c2cb-4d09-b994-f57727f7c3fb",
        "X-Road-UserId": "VN079090000001",
        "X-Road-Issue": "HS-2026-0001",
        "X-Road-Represented-Party": "COM/3400123456",
        "X-Road-Security-Server": "VN-BTN/GOV/H11.01/ss1",
        "X-Powered-By": "PHP/5.2.17",
    }
    answer = call(world, "GET", f"{R1}/parcels/7", headers={**stated, "User-Agent": "theirs/1.0"})
    assert answer.status_code == 200
    assert answer.headers["x-road-id"] == stated["X-Road-Id"]
    exchange = world.provider.seen[-1]
    assert {name: exchange.header(name.lower()) for name in stated} == stated
    assert (exchange.header("lgsp-case-id"), exchange.header("lgsp-user")) == ("HS-2026-0001", "079090000001")
    assert exchange.header("user-agent") is None
    record = world.record(answer.headers["x-road-request-id"])
    assert_in_form([record])
    assert {name: record[name] for name in ("client", "service", "operation", "agreement", "purpose")} == {
        "client": CONSUMER,
        "service": SERVICE,
        "operation": "getParcel",
        "agreement": AGREEMENT,
        "purpose": PURPOSE,
    }
    assert (record["door"], record["case"], record["message"]) == (
        "xroad",
        "HS-2026-0001",
        stated["X-Road-Id"],
    )
    assert record["represented"] == "COM/3400123456"
    with world.client() as native:
        same = native.get(f"/api/{SERVICE}/parcels/7", headers={"LGSP-User": "079090000001"})
    assert world.record(same.headers["lgsp-transaction-id"])["user"] == record["user"]


def test_a_person_who_is_represented_is_recorded_as_a_keyed_hash(world: World) -> None:
    answer = call(world, "GET", f"{R1}/parcels/7", headers={"X-Road-Represented-Party": "NGO/079090000001"})
    record = world.record(answer.headers["x-road-request-id"])
    assert record["represented"].startswith("hmac-sha256:")
    assert world.provider.seen[-1].header("x-road-represented-party") == "NGO/079090000001"


def test_an_accept_is_passed_and_json_wanted_without_one(world: World) -> None:
    raw(
        world,
        b"GET %b/parcels/7 HTTP/1.1\r\nHost: g\r\nX-Road-Client: %b\r\n\r\n" % (R1.encode(), CLIENT.encode()),
    )
    assert world.provider.seen[-1].header("accept") == "application/json"
    call(world, "GET", f"{R1}/parcels/7", headers={"Accept": "application/xml"})
    assert world.provider.seen[-1].header("accept") == "application/xml"


def raw(world: World, request: bytes) -> dict[bytes, bytes]:
    """Send bytes; the fields of the answer."""
    with closing(socket.create_connection(("127.0.0.1", world.port), timeout=30)) as connection:
        connection.sendall(request)
        received = b""
        while b"\r\n\r\n" not in received:
            received += connection.recv(65_536)
    lines = received.split(b"\r\n\r\n")[0].split(b"\r\n")[1:]
    return {name: value for name, _, value in (line.partition(b": ") for line in lines)}


@pytest.mark.parametrize("framing", ["none", "length", "chunks", "empty chunks"])
@pytest.mark.parametrize("own_id", [True, False], ids=["own id", "no id"])
def test_the_hash_is_that_of_the_request_as_it_was_written(
    world: World, framing: str, *, own_id: bool
) -> None:
    fields = [
        b"X-Road-Client: " + CLIENT.encode(),
        b"X-Road-Request-Hash: theirs",
        b"Accept:\tapplication/json ",
    ]
    body = {"length": b"abcdef", "chunks": b"abcdef"}.get(framing, b"")
    target = R1.encode() + (b"/parcels/7?a=%C4%91&b" if framing == "none" else b"/parcels?")
    if own_id:
        fields.append(b"x-ROAD-id: 17")
    head = [
        b"%b %b HTTP/1.1" % (b"GET" if framing == "none" else b"POST", target),
        b"Host: g",
        b"User-Agent: x",
    ]
    if framing == "length":
        head.append(b"Content-Length: 6")
    elif framing != "none":
        head.append(b"Transfer-Encoding: chunked")
    sent = {"length": body, "chunks": b"2\r\nab\r\n4\r\ncdef\r\n0\r\n\r\n", "empty chunks": b"0\r\n\r\n"}
    answer = raw(world, b"\r\n".join([*head, *fields, b"", sent.get(framing, b"")]))
    request_id = answer[b"x-road-request-id"]
    expected = [b"GET" if framing == "none" else b"POST", target, b"X-Road-Client:" + CLIENT.encode()]
    expected += [b"Accept:application/json"]
    expected += (
        [b"x-ROAD-id:17", b"X-Road-Request-Id:" + request_id]
        if own_id
        else [
            b"X-Road-Request-Id:" + request_id,
            b"X-Road-Id:VN-BTN-" + request_id,
        ]
    )
    digest = hashlib.sha512(b"".join(line + b"\r\n" for line in expected)).digest()
    if body:
        digest = hashlib.sha512(digest + hashlib.sha512(body).digest()).digest()
    assert answer[b"x-road-request-hash"] == base64.b64encode(digest)


def test_a_providers_own_words_are_replaced_and_its_errors_pass(world: World) -> None:
    async def failing(exchange: Exchange) -> None:
        spoken = (
            "X-Road-Id: x\r\nX-Road-Error: x\r\nX-Road-Request-Hash: x\r\nX-Road-Client: x\r\nServer: y\r\n"
        )
        await exchange.answer(b'{"type":"own"}', "503 Busy", f"{spoken}Location: /parcels/8\r\n")

    world.provider.behaviours["/parcels/9"] = failing
    answer = call(world, "GET", f"{R1}/parcels/9", headers={"X-Road-Id": "17"})
    assert (answer.status_code, answer.json()) == (503, {"type": "own"})
    assert "x-road-error" not in answer.headers
    assert "server" not in answer.headers
    assert answer.headers.get_list("x-road-id") == ["17"]
    assert answer.headers.get_list("x-road-client") == [CLIENT]
    assert len(base64.b64decode(answer.headers["x-road-request-hash"])) == 64
    assert answer.headers["location"] == f"{R1}/parcels/8"


def test_rights_are_those_of_the_agreement_by_method_and_path(world: World) -> None:
    assert call(world, "POST", f"{R1}/parcels", content=b"{}").status_code == 200
    assert call(world, "HEAD", f"{R1}/parcels/7").status_code == 200
    denied = "server.serverproxy.access_denied"
    refused(call(world, "GET", f"{R1}/secrets"), denied)
    refused(call(world, "DELETE", f"{R1}/parcels/7"), denied)
    refused(call(world, "PATCH", f"{R1}/parcels/7"), denied)
    refused(call(world, "GET", f"{R1}/nothing/at/all"), denied)
    refused(call(world, "GET", f"{R1}"), denied)


def test_the_limits_of_the_agreement_hold_through_this_door(world: World) -> None:
    world.change(agreement(limits=routes_pb2.Limits(per_minute=2)))
    try:
        answers = [call(world, "GET", f"{R1}/parcels/7") for _ in range(3)]
    finally:
        world.change(agreement())
    assert [answer.status_code for answer in answers] == [200, 200, 500]
    document = refused(answers[2], "server.serverproxy.access_denied")
    assert "limits.perMinute" in document["message"]
    refusal = answers[2].headers
    assert (refusal["lgsp-error"], "retry-after" in refusal) == ("quota-exceeded", True)
    assert answers[0].headers["ratelimit"] == '"per-minute";r=1;t=60'
    record = world.record(answers[2].headers["x-road-request-id"])
    assert (record["error"], record["limit"]) == ("quota-exceeded", "per-minute")


@pytest.mark.parametrize(
    "path",
    [
        "/parcels/../secrets",
        "/parcels/%2e%2e/secrets",
        "/parcels/..;x/secrets",
        "//secrets",
        "/parcels%2f7",
        "/%252e%252e/secrets",
    ],
)
def test_a_path_that_cannot_be_normalised_is_refused(world: World, path: str) -> None:
    seen = len(world.provider.seen)
    answer = raw(
        world,
        b"GET %b%b HTTP/1.1\r\nHost: g\r\nX-Road-Client: %b\r\n\r\n"
        % (R1.encode(), path.encode(), CLIENT.encode()),
    )
    assert answer[b"x-road-error"] == b"client.bad_request"
    assert len(world.provider.seen) == seen


@pytest.mark.parametrize(
    ("client", "kind"),
    [
        (None, "invalid_client_identifier"),
        ("VN-BTN", "invalid_client_identifier"),
        ("VN-BTN/GOV/H11.01/one-stop/more", "invalid_client_identifier"),
        ("VN-BTN//H11.01/one-stop", "invalid_client_identifier"),
        ("VN-BTN/GOV/H11.01/one%zzstop", "invalid_client_identifier"),
        ("VN-BTN/GOV/H11.01/%ff", "invalid_client_identifier"),
        ("x" * 2000, "invalid_client_identifier"),
        ("VN-BTN/GOV/H11.01", "unknown_member"),
        ("VN-BTN/COM/H11.01/one-stop", "unknown_member"),
        ("EE/GOV/H11.01/one-stop", "unknown_member"),
        ("VN-BTN/GOV/H11.01/nobody", "unknown_member"),
    ],
)
def test_a_client_that_is_none_is_refused(world: World, client: str | None, kind: str) -> None:
    refused(call(world, "GET", f"{R1}/parcels/7", client), f"server.clientproxy.{kind}")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/r1/VN-BTN/GOV/H11.05/land", "client.bad_request"),
        ("/r1/VN-BTN/GOV/H11.05/nowhere/parcels-v1/parcels/7", "server.clientproxy.unknown_member"),
        ("/r1/VN-BTN/COM/H11.05/land/parcels-v1/parcels/7", "server.clientproxy.unknown_member"),
        ("/r1/EE/GOV/H11.05/land/parcels-v1/parcels/7", "server.clientproxy.unknown_member"),
        ("/r1/VN-BTN/GOV/H11.05/land/parcels-v2/parcels/7", "server.serverproxy.unknown_service"),
    ],
)
def test_a_service_that_is_none_is_refused(world: World, path: str, kind: str) -> None:
    refused(call(world, "GET", path), kind)


@pytest.mark.parametrize(
    ("field", "value", "kind"),
    [
        ("X-Road-Security-Server", "VN-BTN/GOV/H11.01", "server.clientproxy.invalid_security_server"),
        ("X-Road-Security-Server", "EE/GOV/H11.01/ss1", "server.clientproxy.invalid_security_server"),
        ("X-Road-Represented-Party", "A/B/C", "client.bad_request"),
        ("X-Road-Issue", "079090000001", "client.bad_request"),
        ("X-Road-UserId", "x" * 300, "client.bad_request"),
        ("X-Road-Id", "", "client.bad_request"),
    ],
)
def test_a_malformed_statement_is_refused(world: World, field: str, value: str, kind: str) -> None:
    refused(call(world, "GET", f"{R1}/parcels/7", headers={field: value}), kind)


def test_an_error_is_xml_for_those_who_want_it(world: World) -> None:
    answer = call(world, "GET", f"{R1}/secrets", headers={"Accept": "text/html, text/*;q=0.5"})
    assert answer.headers["content-type"] == "text/xml;charset=utf-8"
    assert "<error><type>server.serverproxy.access_denied</type><message>" in answer.text


def test_with_the_connection_http_only_trusted_networks_that_the_manifest_names_prove_a_client(
    world: World,
) -> None:
    elsewhere = routes_pb2.XRoad(connection=routes_pb2.X_ROAD_CONNECTION_HTTP, networks=["127.0.0.2/32"])
    failed = "server.clientproxy.ssl_authentication_failed"
    try:
        world.change(system(CONSUMER, xroad=elsewhere))
        answer = call(world, "GET", f"{R1}/parcels/7")
        assert "LIENTHONG_GATEWAY_XROAD_NETWORKS" in refused(answer, failed)["message"]
        record = world.record(answer.headers["x-road-request-id"])
        assert "client" not in record
        assert (record["error"], record["door"]) == ("client-not-proven", "xroad")
    finally:
        world.change(system(CONSUMER, xroad=HTTP))


def test_networks_that_the_operator_does_not_trust_prove_nobody(new_world: Callable[..., World]) -> None:
    world = new_world()
    world.change(system(CONSUMER, xroad=HTTP))
    world.start()
    refused(call(world, "GET", f"{R1}/parcels/7"), "server.clientproxy.ssl_authentication_failed")


def test_without_a_connection_type_the_access_token_proves_the_client_and_no_other(world: World) -> None:
    failed = "server.clientproxy.ssl_authentication_failed"
    world.change(agreement("portal-parcels", consumer=OTHER_CONSUMER))
    refused(call(world, "GET", f"{R1}/parcels/7", PORTAL), failed)
    tokens = {client: f"Bearer {world.token(client)}" for client in (CONSUMER, OTHER_CONSUMER)}
    good = call(world, "GET", f"{R1}/parcels/7", PORTAL, headers={"Authorization": tokens[OTHER_CONSUMER]})
    assert good.status_code == 200
    assert world.provider.seen[-1].header("authorization") is None
    other = call(world, "GET", f"{R1}/parcels/7", PORTAL, headers={"Authorization": tokens[CONSUMER]})
    assert CONSUMER in refused(other, failed)["message"]
    assert world.record(other.headers["x-road-request-id"])["client"] == CONSUMER


def test_an_authorization_that_is_the_providers_passes_and_an_access_token_does_not(world: World) -> None:
    call(world, "GET", f"{R1}/parcels/7", headers={"Authorization": "Basic dTpw"})
    assert world.provider.seen[-1].header("authorization") == "Basic dTpw"
    token = f"Bearer {world.token()}"
    assert call(world, "GET", f"{R1}/parcels/7", headers={"Authorization": token}).status_code == 200
    assert world.provider.seen[-1].header("authorization") is None
    expired = f"Bearer {world.token(exp=1)}"
    failed = "server.clientproxy.ssl_authentication_failed"
    refused(call(world, "GET", f"{R1}/parcels/7", headers={"Authorization": expired}), failed)
    other = f"Bearer {world.token(OTHER_CONSUMER)}"
    refused(call(world, "GET", f"{R1}/parcels/7", headers={"Authorization": other}), failed)


def shown(certificate: str, **fields: str) -> dict[str, str]:
    """What the edge writes of a caller that showed a certificate."""
    return {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Client-Cert": f"Hash={certificate}", **fields}


def test_with_the_connection_certificate_one_of_the_manifest_proves_the_client(
    world: World, edge: httpx.Client
) -> None:
    try:
        world.change(system(CONSUMER, xroad=CERTIFICATE))
        for certificate in CERTIFICATES:
            answer = edge.get(f"{R1}/parcels/7", headers=shown(certificate))
            assert answer.status_code == 200
            record = world.record(answer.headers["x-road-request-id"])
            assert_in_form([record])
            assert (record["client"], record["certificate"], record["door"]) == (
                CONSUMER,
                certificate,
                "xroad",
            )
        basic = edge.get(f"{R1}/parcels/7", headers=shown(CERTIFICATES[0], Authorization="Basic dTpw"))
        assert basic.status_code == 200
        assert world.provider.seen[-1].header("authorization") == "Basic dTpw"
    finally:
        world.change(system(CONSUMER, xroad=HTTP))


def test_another_certificate_or_none_proves_nobody_also_with_a_token(
    world: World, edge: httpx.Client
) -> None:
    failed = "server.clientproxy.ssl_authentication_failed"
    token = f"Bearer {world.token()}"
    try:
        world.change(system(CONSUMER, xroad=CERTIFICATE))
        other = edge.get(f"{R1}/parcels/7", headers=shown("cd" * 32, Authorization=token))
        assert "cd" * 32 in refused(other, failed)["message"]
        record = world.record(other.headers["x-road-request-id"])
        assert (record["error"], record["certificate"]) == ("client-not-proven", "cd" * 32)
        assert "client" not in record
        none = edge.get(f"{R1}/parcels/7", headers={"Authorization": token})
        assert "came with none" in refused(none, failed)["message"]
        forged = call(world, "GET", f"{R1}/parcels/7", headers=shown(CERTIFICATES[0], Authorization=token))
        assert "came with none" in refused(forged, failed)["message"]
        edge.headers["X-Road-Client"] = PORTAL
        another = edge.get(f"{R1}/parcels/7", headers=shown(CERTIFICATES[0]))
        refused(another, failed)
    finally:
        world.change(system(CONSUMER, xroad=HTTP))


def test_beside_its_certificate_a_client_may_send_its_own_token_and_no_other(
    world: World, edge: httpx.Client
) -> None:
    try:
        world.change(system(CONSUMER, xroad=CERTIFICATE))
        tokens = {client: f"Bearer {world.token(client)}" for client in (CONSUMER, OTHER_CONSUMER)}
        headers = shown(CERTIFICATES[0], Authorization=tokens[CONSUMER])
        assert edge.get(f"{R1}/parcels/7", headers=headers).status_code == 200
        assert world.provider.seen[-1].header("authorization") is None
        headers["Authorization"] = tokens[OTHER_CONSUMER]
        other = edge.get(f"{R1}/parcels/7", headers=headers)
        refused(other, "server.clientproxy.ssl_authentication_failed")
    finally:
        world.change(system(CONSUMER, xroad=HTTP))


def test_a_certificate_satisfies_what_requires_a_bound_token(world: World, edge: httpx.Client) -> None:
    bound = [routes_pb2.STATEMENT_BOUND_TOKEN]
    try:
        world.change(service([world.provider.url], requires=bound))
        by_network = call(world, "GET", f"{R1}/parcels/7")
        refused(by_network, "server.clientproxy.ssl_authentication_failed")
        assert by_network.headers["lgsp-error"] == "bound-token-required"
        world.change(system(CONSUMER, xroad=CERTIFICATE))
        assert edge.get(f"{R1}/parcels/7", headers=shown(CERTIFICATES[0])).status_code == 200
    finally:
        world.change(system(CONSUMER, xroad=HTTP), service([world.provider.url]))


def test_whoever_shows_a_certificate_at_the_edge_may_list_the_clients(edge: httpx.Client) -> None:
    accepts = {"Accept": "application/json"}
    listed = edge.get("/listClients", headers=shown("cd" * 32, **accepts))
    assert (listed.status_code, list(listed.json())) == (200, ["member"])
    nobody = edge.get("/listClients", headers={"X-Forwarded-For": "203.0.113.7", **accepts})
    refused(nobody, "server.clientproxy.ssl_authentication_failed")


def test_a_connection_of_a_later_catalog_lets_nobody_in(world: World) -> None:
    later = routes_pb2.XRoad.FromString(b"\x08\x63")
    world.change(system(OLD, xroad=later))
    answer = call(world, "GET", f"{R1}/parcels/7", "VN-BTN/GOV/H11.02/old-books")
    refused(answer, "server.clientproxy.ssl_authentication_failed")


def test_a_suspended_client_and_a_suspended_service_are_refused(world: World) -> None:
    try:
        world.change(system(CONSUMER, suspended=True, xroad=HTTP))
        refused(call(world, "GET", f"{R1}/parcels/7"), "server.clientproxy.unknown_member")
        world.change(system(CONSUMER, xroad=HTTP), service([world.provider.url], suspended=True))
        refused(call(world, "GET", f"{R1}/parcels/7"), "server.serverproxy.service_disabled")
    finally:
        world.change(system(CONSUMER, xroad=HTTP), service([world.provider.url]))


def test_of_several_purposes_the_one_is_taken_that_the_manifest_names(world: World) -> None:
    denied = "server.serverproxy.access_denied"
    purposes = routes_pb2.XRoad(
        connection=routes_pb2.X_ROAD_CONNECTION_HTTP, networks=["127.0.0.1"], purpose="audit"
    )
    try:
        world.change(agreement(purposes=(PURPOSE, "audit")))
        refused(call(world, "GET", f"{R1}/parcels/7"), denied)
        own = call(world, "GET", f"{R1}/parcels/7", headers={"LGSP-Purpose": PURPOSE})
        assert own.headers["lgsp-purpose"] == PURPOSE
        world.change(system(CONSUMER, xroad=purposes))
        assert call(world, "GET", f"{R1}/parcels/7").headers["lgsp-purpose"] == "audit"
        world.change(agreement())
        assert call(world, "GET", f"{R1}/parcels/7").headers["lgsp-purpose"] == PURPOSE
    finally:
        world.change(agreement(), system(CONSUMER, xroad=HTTP))


def test_what_a_service_requires_is_asked_for_in_the_words_of_x_road(world: World) -> None:
    required = [routes_pb2.STATEMENT_CASE, routes_pb2.STATEMENT_USER]
    try:
        world.change(service([world.provider.url], requires=required))
        document = refused(call(world, "GET", f"{R1}/parcels/7"), "client.missing_header")
        assert "X-Road-Issue, X-Road-UserId" in document["message"]
        stated = {"X-Road-Issue": "1", "X-Road-UserId": "VN1"}
        assert call(world, "GET", f"{R1}/parcels/7", headers=stated).status_code == 200
    finally:
        world.change(service([world.provider.url]))


def test_a_provider_that_is_away_is_a_fault_of_the_providers_side(world: World) -> None:
    try:
        world.change(service(["http://127.0.0.1:1"]))
        refused(call(world, "GET", f"{R1}/parcels/7"), "server.serverproxy.network_error")
    finally:
        world.change(service([world.provider.url]))


def test_a_write_ahead_call_has_its_intent_with_the_same_words(world: World) -> None:
    try:
        world.change(service([world.provider.url], write_ahead=True))
        answer = call(world, "GET", f"{R1}/parcels/7", headers={"X-Road-Represented-Party": "H11.02"})
        intent = world.record(answer.headers["x-road-request-id"], "intent")
        assert (intent["represented"], intent["door"]) == ("H11.02", "xroad")
        assert_in_form([intent])
    finally:
        world.change(service([world.provider.url]))


def test_a_large_answer_streams_with_its_fields(world: World) -> None:
    async def large(exchange: Exchange) -> None:
        await exchange.answer(b"x" * 600_000)

    world.provider.behaviours["/parcels/8"] = large
    answer = call(world, "GET", f"{R1}/parcels/8")
    assert (len(answer.content), answer.headers["x-road-client"]) == (600_000, CLIENT)
    assert "x-road-request-hash" in answer.headers


def test_natively_the_words_of_x_road_stay_out(world: World) -> None:
    with world.client() as native:
        answer = native.get(f"/api/{SERVICE}/parcels/7", headers={"X-Road-Client": PORTAL})
    assert answer.status_code == 200
    assert world.provider.seen[-1].header("x-road-client") is None
    assert not [name for name in answer.headers if name.startswith("x-road")]
    assert PROVIDER in SERVICE


def test_a_service_of_soap_is_not_called_by_the_rest_protocol(world: World) -> None:
    try:
        soap = service([world.provider.url])
        soap.service.soap.SetInParent()
        world.change(soap)
        seen = len(world.provider.seen)
        refused(call(world, "POST", f"{R1}/parcels", content=b"<x/>"), "server.serverproxy.service_type")
        assert len(world.provider.seen) == seen
        listed = call(world, "GET", "/r1/VN-BTN/GOV/H11.05/land/listMethods").json()
        assert listed == {"service": []}
    finally:
        world.change(service([world.provider.url]))
