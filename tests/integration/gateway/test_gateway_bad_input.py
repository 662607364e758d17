"""Every request that must not pass: its problem document, and its record in the journal."""

from __future__ import annotations

import asyncio
import base64
import hmac
import http.client
import json
import socket
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from joserfc.jwk import ECKey, RSAKey

from lienthong.contracts.catalog.v1 import routes_pb2
from tests.integration.gateway.world import (
    API,
    CONSUMER,
    OTHER_CONSUMER,
    PROVIDER,
    SERVICE,
    agreement,
    assert_in_form,
    service,
    system,
)
from tests.support.ports import take_free_port
from tests.support.promises import allowed_s

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.gateway.peers import Behaviour, Exchange
    from tests.integration.gateway.world import World


@dataclass(frozen=True)
class Refused:
    """An answer of the gateway's own."""

    status: int
    headers: http.client.HTTPMessage
    problem: dict[str, Any]
    record: dict[str, Any]


def refused(
    world: World,
    path: str = f"{API}/parcels/1",
    *,
    method: str = "GET",
    token: str | None = None,
    headers: list[tuple[str, str]] | None = None,
    body: bytes = b"",
) -> Refused:
    """Send a request byte for byte, expect a problem, and find its record."""
    connection = http.client.HTTPConnection("127.0.0.1", world.port, timeout=20)
    connection.putrequest(method, path, skip_accept_encoding=True)
    sent = list(headers or [])
    if token is None:
        token = world.token()
    if token:
        sent.append(("Authorization", f"Bearer {token}"))
    if body:
        sent.append(("Content-Length", str(len(body))))
    for name, value in sent:
        connection.putheader(name, value)
    connection.endheaders(body or None)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    assert answer.headers["content-type"] == "application/problem+json"
    problem = json.loads(content)
    tx = answer.headers["lgsp-transaction-id"]
    assert problem["instance"] == tx
    assert problem["status"] == answer.status
    assert problem["type"] == f"urn:lgsp:problem:{problem['code']}"
    assert problem["title"]
    assert problem["detail"]
    assert problem["title_vi"]
    assert problem["detail_vi"]
    assert answer.headers["lgsp-error"] == problem["code"]
    record = world.record(tx)
    assert record["status"] == answer.status
    assert record["error"] == problem["code"]
    assert record["response_bytes"] == len(content)
    assert "aborted" not in record
    return Refused(answer.status, answer.headers, problem, record)


def test_an_unknown_service_is_refused(world: World) -> None:
    found = refused(world, "/api/H11.05/land/nothing-v1/x")
    assert (found.status, found.problem["code"]) == (404, "unknown-service")


@pytest.mark.parametrize("body", [b"", b"{}", b"x" * 1_000_000])
def test_a_caller_whose_body_is_not_read_is_told_that_the_connection_ends(world: World, body: bytes) -> None:
    """Else it sends its next request on a connection that is being closed."""
    path = "/api/H11.05/land/nothing-v1/x"
    found = refused(world, path, method="POST", body=body, headers=[] if body else [("Content-Length", "0")])
    assert found.status == 404
    assert found.headers.get("connection") == ("close" if body else None)


def test_an_unknown_path_is_refused(world: World) -> None:
    for path in ("/", "/nothing", "/api", "/api/H11.05/land", "/apis/H11.05/land/parcels-v1/parcels/1"):
        found = refused(world, path)
        assert (found.status, found.problem["code"]) == (404, "unknown-path"), path


def test_a_path_that_the_service_does_not_declare_is_refused(world: World) -> None:
    for path in (f"{API}/nothing", f"{API}/parcels/1/2", f"{API}/parcels/", API, f"{API}/"):
        found = refused(world, path)
        assert (found.status, found.problem["code"]) == (404, "unknown-operation"), path


def test_a_wrong_method_is_refused_and_told_which_are_right(world: World) -> None:
    found = refused(world, method="PATCH")
    assert (found.status, found.problem["code"]) == (405, "method-not-allowed")
    assert found.headers["allow"] == "DELETE, GET, HEAD, OPTIONS"


def test_a_call_without_a_token_is_refused(world: World) -> None:
    found = refused(world, token="")
    assert (found.status, found.problem["code"]) == (401, "no-token")
    assert found.headers["www-authenticate"].startswith("Bearer")
    assert "client" not in found.record


def test_credentials_that_are_no_bearer_token_are_refused(world: World) -> None:
    found = refused(world, token="", headers=[("Authorization", "Basic dXNlcjpwYXNz")])
    assert (found.status, found.problem["code"]) == (401, "no-token")


def test_two_authorization_headers_are_refused(world: World) -> None:
    found = refused(world, headers=[("Authorization", f"Bearer {world.token()}")])
    assert (found.status, found.problem["code"]) == (400, "malformed-request")


def _tokens(world: World) -> Iterator[tuple[str, str]]:
    now = int(time.time())
    mine = world.identity.key
    yield "expired", world.token(exp=now - 60)
    yield "not_yet", world.token(nbf=now + 60)
    yield "audience", world.token(aud="urn:lgsp:ELSEWHERE")
    yield "issuer", world.token(iss="https://elsewhere.example")
    yield "typ", world.token(header_typ="JWT")
    yield "crit", world.token(header_crit=["kid"])
    stranger = ECKey.generate_key("P-256", {"kid": mine.kid or ""})
    yield "signature", world.identity.token(CONSUMER, stranger)
    yield "kid", world.identity.token(CONSUMER, ECKey.generate_key("P-256", auto_kid=True))
    rsa = RSAKey.generate_key(2048, {"kid": mine.kid or ""})
    yield "alg", world.identity.token(CONSUMER, rsa, header_alg="PS256")
    yield "alg", world.identity.token(CONSUMER, rsa, header_alg="RS256")
    head, claims, signature = world.token().split(".")
    yield "malformed", f"{head}.{claims}"
    yield "signature", f"{head}.{claims}.{signature[:-4]}AAAA"
    yield "malformed", "not-a-token"


def test_a_token_that_does_not_stand_is_refused_and_the_reason_told(world: World) -> None:
    for reason, token in _tokens(world):
        found = refused(world, token=token)
        assert (found.status, found.problem["code"]) == (401, "token-refused"), reason
        assert f": {reason}." in found.problem["detail"]
        assert 'error="invalid_token"' in found.headers["www-authenticate"]
        assert "client" not in found.record


def test_an_unsigned_token_and_one_signed_with_the_public_key_are_refused(world: World) -> None:
    claims, kid = world.token().split(".")[1], world.identity.key.kid or ""
    none_header = _b64(b'{"alg":"none","typ":"at+jwt","kid":"%s"}' % kid.encode())
    assert refused(world, token=f"{none_header}.{claims}.AAAA").problem["code"] == "token-refused"
    head = _b64(b'{"alg":"HS256","typ":"at+jwt","kid":"%s"}' % kid.encode())
    public_key = world.identity.key.as_pem(private=False)
    signature = _b64(hmac.digest(public_key, f"{head}.{claims}".encode(), "sha256"))
    assert refused(world, token=f"{head}.{claims}.{signature}").problem["code"] == "token-refused"


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def test_a_token_for_other_things_is_refused(world: World) -> None:
    found = refused(world, token=world.token(scope="events"))
    assert (found.status, found.problem["code"]) == (403, "insufficient-scope")
    assert found.record["client"] == CONSUMER


def test_a_client_without_an_agreement_is_refused(world: World) -> None:
    found = refused(world, token=world.token(OTHER_CONSUMER))
    assert (found.status, found.problem["code"]) == (403, "no-agreement")
    assert found.record["client"] == OTHER_CONSUMER
    assert found.record["service"] == SERVICE
    assert found.record["operation"] == "getParcel"


def test_a_client_that_is_no_system_of_the_catalog_is_refused(world: World) -> None:
    assert refused(world, token=world.token("operator")).problem["code"] == "no-agreement"


def test_an_operation_outside_the_agreement_is_refused(world: World) -> None:
    found = refused(world, f"{API}/secrets")
    assert (found.status, found.problem["code"]) == (403, "operation-not-in-agreement")


def test_a_purpose_outside_the_agreement_is_refused(world: World) -> None:
    found = refused(world, headers=[("LGSP-Purpose", "curiosity")])
    assert (found.status, found.problem["code"]) == (403, "purpose-not-in-agreement")
    assert "purpose" not in found.record


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("agreement-pending", {"status": routes_pb2.AGREEMENT_STATUS_REQUESTED}),
        ("agreement-not-yet-valid", {"valid_from": datetime(2300, 1, 1, tzinfo=UTC)}),
        ("agreement-expired", {"valid_to": datetime(2020, 1, 1, tzinfo=UTC)}),
        ("agreement-revoked", {"status": routes_pb2.AGREEMENT_STATUS_REVOKED}),
    ],
)
def test_only_its_consumer_is_told_of_an_agreement_that_is_not_in_force(
    world: World, code: str, state: dict[str, Any]
) -> None:
    world.change(agreement("portal-parcels", consumer=OTHER_CONSUMER, **state))
    try:
        wait_for_code(world, world.token(OTHER_CONSUMER), code)
        found = refused(world, token=world.token(OTHER_CONSUMER))
        assert (found.status, found.problem["code"]) == (403, code)
        assert "portal-parcels" in found.problem["detail"]
        assert "agreement" not in found.record
        assert refused(world, token=world.token(PROVIDER)).problem["code"] == "no-agreement"
        assert refused(world, token="").problem["code"] == "no-token"
    finally:
        world.remove_agreement("portal-parcels")
    wait_for_code(world, world.token(OTHER_CONSUMER), "no-agreement")


def test_several_purposes_need_one_to_be_stated(world: World) -> None:
    world.change(agreement("portal-parcels", consumer=OTHER_CONSUMER, purposes=["a", "b"]))
    token = world.token(OTHER_CONSUMER)
    wait_for_code(world, token, "purpose-not-in-agreement")
    with world.client(token) as client:
        answer = client.get(f"{API}/parcels/1", headers={"LGSP-Purpose": "b"})
    assert answer.status_code == 200
    world.remove_agreement("portal-parcels")
    wait_for_code(world, token, "no-agreement")


def wait_for_code(world: World, token: str, code: str | None) -> None:
    """Wait until the gateway answers with this problem, or with none."""

    def answered() -> bool:
        with world.client(token) as client:
            return bool(client.get(f"{API}/parcels/1").headers.get("lgsp-error") == code)

    world.wait(answered, f"calls get {code}")


def test_a_suspended_client_is_refused(world: World) -> None:
    world.change(system(CONSUMER, suspended=True))
    wait_for_code(world, world.token(), "client-suspended")
    found = refused(world)
    assert (found.status, found.record["client"]) == (403, CONSUMER)
    world.change(system(CONSUMER))
    wait_for_code(world, world.token(), None)


def test_a_suspended_service_is_refused(world: World) -> None:
    world.change(service([world.provider.url], suspended=True))
    wait_for_code(world, world.token(), "unknown-service")
    world.change(service([world.provider.url], max_request_bytes=20_000_000))
    wait_for_code(world, world.token(), None)


def test_a_path_that_is_not_normal_is_recorded_without_a_service(world: World) -> None:
    for path in (f"{API}/parcels/%2e%2e/secrets", "/oauth2/../catalog/v1/apply", "/catalog//v1/apply", "*"):
        found = refused(world, path)
        assert (found.status, found.problem["code"]) == (400, "path-not-normal")
        assert "service" not in found.record
        assert "target" in found.record


def test_a_body_that_declares_to_be_too_large_is_refused_before_it_is_read(world: World) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", world.port, timeout=20)
    connection.putrequest("POST", f"{API}/parcels")
    connection.putheader("Authorization", f"Bearer {world.token()}")
    connection.putheader("Content-Length", "20000001")
    connection.endheaders()
    answer = connection.getresponse()
    problem = json.loads(answer.read())
    assert (answer.status, problem["code"]) == (413, "request-too-large")
    assert f"20000000 bytes, the most that {SERVICE} takes" in problem["detail"]
    for text in (problem["detail"], problem["detail_vi"]):
        assert "maxRequestBytes" in text
    assert world.record(answer.headers["lgsp-transaction-id"])["error"] == "request-too-large"
    connection.close()


@pytest.mark.parametrize("declared", [True, False])
def test_who_sends_the_platform_too_much_is_told_the_setting(world: World, declared: bool) -> None:
    body = b"x" * (25 * 1024 * 1024 + 1)
    parts = iter([body[:4_000_000], body[4_000_000:]])
    with world.client() as client:
        answer = client.post("/catalog/v1/apply", content=body if declared else parts)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (413, "request-too-large")
    for text in (problem["detail"], problem["detail_vi"]):
        assert "26214400 byte" in text
        assert "LIENTHONG_CATALOG_MAX_REQUEST_BYTES" in text


def test_a_body_that_turns_out_too_large_is_refused(world: World) -> None:
    # On a machine that is busy 20 MB take longer than the two seconds that the provider has.
    world.change(service([world.provider.url], timeout_ms=60_000, max_request_bytes=20_000_000))

    def chunks() -> Iterator[bytes]:
        for _ in range(21):
            yield b"x" * 1_000_000

    with world.client() as client:
        answer = client.post(f"{API}/parcels", content=chunks())
    assert (answer.status_code, answer.json()["code"]) == (413, "request-too-large")
    assert "maxRequestBytes" in answer.json()["detail"]
    record = world.record(answer.headers["lgsp-transaction-id"])
    assert record["error"] == "request-too-large"
    assert record["client"] == CONSUMER
    world.change(service([world.provider.url], max_request_bytes=20_000_000))


def test_headers_that_are_too_large_are_refused(world: World) -> None:
    found = refused(world, headers=[("X-Large", "x" * 33_000)])
    assert (found.status, found.problem["code"]) == (431, "headers-too-large")


def test_a_query_that_is_too_large_is_refused(world: World) -> None:
    assert refused(world, f"{API}/parcels/1?q={'x' * 33_000}").problem["code"] == "headers-too-large"


def test_a_method_that_is_too_long_is_refused_and_cut_in_the_record(world: World) -> None:
    found = refused(world, "/catalog/v1/services", method="X" * 70_000)
    assert (found.status, found.problem["code"]) == (400, "malformed-request")
    assert found.record["method"] == "X" * 32


def test_a_head_of_whatever_size_is_refused_with_a_problem_and_recorded(world: World) -> None:
    for fields in ([("X-Huge", "x" * 1_000_000)], [(f"X-{number}", "x") for number in range(101)]):
        found = refused(world, headers=fields)
        assert (found.status, found.problem["code"]) == (431, "headers-too-large")
        assert found.headers.get("connection") == ("close" if len(fields) == 1 else None)
        assert found.record["method"] == "GET"


def exchanged(world: World, data: bytes) -> tuple[int, dict[str, str], dict[str, Any]]:
    """Send bytes, read to the end of the connection: status, fields and problem of the answer."""
    with socket.create_connection(("127.0.0.1", world.port), timeout=20) as connection:
        connection.sendall(data)
        answer = b""
        while part := connection.recv(1 << 16):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    line, *lines = head.decode().split("\r\n")
    fields = dict(line.split(": ", 1) for line in lines)
    assert int(fields["content-length"]) == len(body), "nothing follows"
    return int(line.split(" ")[1]), fields, json.loads(body)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01", "tls"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "version"),
        (b"lorem ipsum dolor sit amet\r\n\r\n", "malformed"),
    ],
)
def test_what_is_no_request_gets_a_problem_and_is_counted(world: World, data: bytes, reason: str) -> None:
    status, fields, problem = exchanged(world, data)
    assert (status, fields["lgsp-error"], fields["connection"]) == (400, "malformed-request", "close")
    assert problem["instance"] == fields["lgsp-transaction-id"]

    def counted() -> bool:
        figures = httpx.get(f"http://127.0.0.1:{world.health_port}/metrics", trust_env=False).text
        name = "lienthong_http_connections_dropped_total"
        lines = [line for line in figures.splitlines() if line.startswith(name)]
        return any(f'reason="{reason}"' in line and not line.endswith(" 0.0") for line in lines)

    world.wait(counted, "the figure")

    def sampled() -> bool:
        return any(
            record["kind"] == "refused-sample" and record.get("error") == "malformed-request"
            for record in world.records()
        )

    world.wait(sampled, "the count is in the journal")


@pytest.mark.parametrize(
    "header",
    [
        ("LGSP-Case-Id", "x" * 257),
        ("LGSP-Case-Id", "a\tb"),
        ("LGSP-User", ""),
        ("X-Odd", "caf\xe9"),
    ],
)
def test_a_header_that_cannot_be_taken_over_is_refused(world: World, header: tuple[str, str]) -> None:
    found = refused(world, headers=[header])
    assert (found.status, found.problem["code"]) == (400, "malformed-request")


# providers that fail


async def _garbage(exchange: Exchange) -> None:
    exchange.writer.write(b"lorem ipsum dolor sit amet\r\n\r\n")
    await exchange.writer.drain()
    exchange.writer.close()


async def _hang_up(exchange: Exchange) -> None:
    exchange.writer.close()


async def _cut_off(exchange: Exchange) -> None:
    exchange.writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n12345")
    await exchange.writer.drain()
    exchange.writer.close()


async def _bad_chunk(exchange: Exchange) -> None:
    exchange.writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nnot-a-size\r\n")
    await exchange.writer.drain()
    exchange.writer.close()


async def _other_protocol(exchange: Exchange) -> None:
    exchange.writer.write(b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n")
    await exchange.writer.drain()


async def _endless_head(exchange: Exchange) -> None:
    exchange.writer.write(b"HTTP/1.1 200 OK\r\nx: " + b"x" * 2_000_000 + b"\r\n\r\n")
    await exchange.writer.drain()


async def _coded_twice(exchange: Exchange) -> None:
    coding = b"transfer-encoding: chunked\r\n"
    exchange.writer.write(b"HTTP/1.1 200 OK\r\n" + 2 * coding + b"\r\n2\r\n{}\r\n0\r\n\r\n")
    await exchange.writer.drain()


async def _two_lengths(exchange: Exchange) -> None:
    exchange.writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\n{}")
    await exchange.writer.drain()


@pytest.mark.parametrize(
    ("behaviour", "cause"),
    [
        (_garbage, "not an HTTP response"),
        (_hang_up, ""),
        (_cut_off, ""),
        (_bad_chunk, "not an HTTP response"),
        (_other_protocol, ""),
        (_endless_head, ""),
        (_coded_twice, "Transfer-Encoding"),
        (_two_lengths, "not an HTTP response"),
    ],
)
def test_a_provider_that_does_not_speak_http_is_told_apart(
    world: World, behaviour: Behaviour, cause: str
) -> None:
    world.provider.behaviours["/parcels/broken"] = behaviour
    found = refused(world, f"{API}/parcels/broken")
    assert (found.status, found.problem["code"]) == (502, "provider-broken")
    assert found.record["client"] == CONSUMER
    assert "forwarded" in found.record
    (line,) = [line for line in world.log.read_text().splitlines() if found.record["tx"] in line]
    assert "provider failed" in line
    assert cause in line


async def _slow_head(exchange: Exchange) -> None:
    await asyncio.sleep(5)
    await exchange.answer()


async def _slow_body(exchange: Exchange) -> None:
    exchange.writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n12345")
    await exchange.writer.drain()
    await asyncio.sleep(5)


@pytest.mark.parametrize("behaviour", [_slow_head, _slow_body])
def test_a_provider_that_is_too_slow_is_not_waited_for(world: World, behaviour: Behaviour) -> None:
    limits = routes_pb2.Timeouts(first_byte_ms=2000, idle_ms=2000)
    world.change(service([world.provider.url], timeouts=limits, max_request_bytes=20_000_000))
    world.provider.behaviours["/parcels/slow"] = behaviour
    began = time.monotonic()
    found = refused(world, f"{API}/parcels/slow")
    assert (found.status, found.problem["code"]) == (504, "provider-timeout")
    assert 1.8 < time.monotonic() - began < allowed_s(4)


def test_a_service_of_the_platform_that_is_down_is_no_fault_of_a_provider(world: World) -> None:
    world.loop.run(world.platform.stop())
    try:
        found = refused(world, "/audit/v1/entries")
    finally:
        world.loop.run(world.platform.start())
    assert (found.status, found.problem["code"]) == (503, "platform-unavailable")
    assert "lienthong status" in found.problem["advice"]


def test_a_provider_that_is_down_is_unreachable(world: World) -> None:
    world.change(service([f"http://127.0.0.1:{take_free_port()}"], max_request_bytes=20_000_000))
    wait_for_code(world, world.token(), "provider-unreachable")
    found = refused(world)
    assert (found.status, found.problem["code"]) == (502, "provider-unreachable")
    assert "upstream_status" not in found.record
    assert "forwarded" not in found.record
    world.change(service([world.provider.url], max_request_bytes=20_000_000))
    wait_for_code(world, world.token(), None)


def test_every_record_of_refusals_has_the_documented_form(world: World) -> None:
    with world.client() as client:
        client.get(f"{API}/parcels/1")
        client.get(f"{API}/nothing")
    assert_in_form(world.records())
