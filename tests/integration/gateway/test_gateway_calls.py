"""Calls that pass: what the provider gets, what the caller gets, what the journal keeps."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import socket
from typing import TYPE_CHECKING

import pytest

from tests.integration.gateway.world import (
    AGREEMENT,
    API,
    CONSUMER,
    OTHER_CONSUMER,
    PURPOSE,
    SERVICE,
    agreement,
    assert_in_form,
    service,
)
from tests.support.ports import take_free_port

if TYPE_CHECKING:
    from tests.integration.gateway.peers import Exchange
    from tests.integration.gateway.world import World

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def last(world: World) -> Exchange:
    """What reached the provider last."""
    return world.provider.seen[-1]


def test_a_call_reaches_the_provider_and_is_recorded_with_everything_known(world: World) -> None:
    with world.client() as client:
        answer = client.get(
            f"{API}/parcels/1?x=%C4%91&y='2'",
            headers={"LGSP-Case-Id": "H11.01-0001", "LGSP-User": "079090000001", "traceparent": TRACEPARENT},
        )
    assert (answer.status_code, answer.content) == (200, b'{"ok":true}')
    tx = answer.headers["lgsp-transaction-id"]
    expected = {
        "lgsp-transaction-id": tx,
        "lgsp-client": CONSUMER,
        "lgsp-service": SERVICE,
        "lgsp-agreement": AGREEMENT,
        "lgsp-purpose": PURPOSE,
        "lgsp-case-id": "H11.01-0001",
        "lgsp-user": "079090000001",
        "traceparent": TRACEPARENT,
    }
    assert {name: answer.headers[name] for name in expected} == expected
    assert {name: last(world).header(name) for name in expected} == expected
    assert "lgsp-error" not in answer.headers
    assert last(world).header("authorization") is None
    assert last(world).header("host") == f"127.0.0.1:{world.provider.port}"

    record = world.record(tx)
    key = bytes.fromhex((world.folder / "home/gateway/privacy.key").read_text())
    target = f"{API}/parcels/1?x=%C4%91&y='2'".encode()
    assert list(record) == [
        *("v", "id", "kind", "tx", "at", "node", "client", "ip", "service", "operation", "method", "target"),
        *("agreement", "purpose", "case", "user", "status", "upstream_status"),
        *("received", "forwarded", "responded", "answered", "request_bytes", "request_sha256"),
        *("response_bytes", "response_sha256", "trace"),
    ]
    assert record["target"] == "hmac-sha256:" + hmac.digest(key, target, "sha256").hex()
    assert record["user"] == "hmac-sha256:" + hmac.digest(key, b"079090000001", "sha256").hex()
    assert record["received"] <= record["forwarded"] <= record["responded"] <= record["answered"]
    assert record["answered"] == record["at"]
    assert record["response_sha256"] == hashlib.sha256(b'{"ok":true}').hexdigest()
    assert record["request_sha256"] == hashlib.sha256(b"").hexdigest()
    known = {
        "v": 1,
        "kind": "call",
        "client": CONSUMER,
        "ip": "127.0.0.1",
        "service": SERVICE,
        "operation": "getParcel",
        "method": "GET",
        "agreement": AGREEMENT,
        "purpose": PURPOSE,
        "case": "H11.01-0001",
        "status": 200,
        "upstream_status": 200,
        "request_bytes": 0,
        "response_bytes": 11,
        "trace": TRACEPARENT,
    }
    assert {name: record[name] for name in known} == known


def test_neither_path_nor_person_stands_in_the_journal_or_the_log(world: World) -> None:
    with world.client() as client:
        client.get(f"{API}/parcels/secret-number-079?name=nguyen", headers={"LGSP-User": "079199999999"})
        world.provider.behaviours["/parcels/secret-number-080"] = _hang_up
        client.get(f"{API}/parcels/secret-number-080?name=nguyen", headers={"LGSP-User": "079199999999"})
    text = str(world.records()) + world.log.read_text()
    for secret in ("secret-number", "nguyen", "079199999999"):
        assert secret not in text


async def _hang_up(exchange: Exchange) -> None:
    exchange.writer.close()


def test_the_path_goes_to_the_provider_byte_for_byte(world: World) -> None:
    with world.client() as client:
        client.get(f"{API}/parcels/%C4%90%e1%ba%a5t-~!$&'()*+,;=:@?q=a%20b&r=%2e%2e/&s=|{{}}")
    sent = last(world).request_line
    assert sent == "GET /parcels/%C4%90%e1%ba%a5t-~!$&'()*+,;=:@?q=a%20b&r=%2e%2e/&s=|{} HTTP/1.1"


def test_a_question_mark_that_nothing_follows_goes_to_the_provider(world: World) -> None:
    with socket.create_connection(("127.0.0.1", world.port)) as caller:
        head = f"GET {API}/parcels/1? HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {world.token()}\r\n\r\n"
        caller.sendall(head.encode())
        assert caller.recv(4096).startswith(b"HTTP/1.1 200")
    assert last(world).request_line == "GET /parcels/1? HTTP/1.1"


def test_an_upstream_may_stand_below_a_path(world: World) -> None:
    world.change(service([f"{world.provider.url}/base/"]))
    with world.client() as client:
        world.wait(
            lambda: client.get(f"{API}/parcels/1").is_success and "/base/" in last(world).request_line,
            "/base",
        )
    assert last(world).request_line == "GET /base/parcels/1 HTTP/1.1"
    _put_service_back(world)


def _put_service_back(world: World) -> None:
    world.change(service([world.provider.url], max_request_bytes=20_000_000))


def test_a_body_goes_through_and_is_digested(world: World) -> None:
    body = b'{"owner":"\xe1\xba\xa4n"}'
    with world.client() as client:
        answer = client.post(f"{API}/parcels", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 200
    assert (last(world).body, last(world).header("content-length")) == (body, str(len(body)))
    assert last(world).header("content-type") == "application/json"
    record = world.record(answer.headers["lgsp-transaction-id"])
    assert record["request_bytes"] == len(body)
    assert record["request_sha256"] == hashlib.sha256(body).hexdigest()


def test_the_caller_cannot_speak_in_the_gateways_name(world: World) -> None:
    forged = {
        "LGSP-Client": "H11.99/other",
        "LGSP_Client": "H11.99/other",
        "LGSP-Transaction-Id": "mine",
        "LGSP-Agreement": "mine",
        "Lgsp-Anything": "x",
        "X-Forwarded-For": "10.0.0.1",
        "X_Forwarded_For": "10.0.0.1",
        "Forwarded": "for=10.0.0.1",
        "X-HTTP-Method-Override": "DELETE",
        "X-Method-Override": "DELETE",
        "X-Original-URL": "/secrets",
        "X-Rewrite-URL": "/secrets",
        "X-Real-IP": "10.0.0.1",
        "Client-Cert": ":AAAA:",
        "X-Mine": "stays",
    }
    with world.client() as client:
        answer = client.get(f"{API}/parcels/1", headers=forged)
    sent = last(world)
    own = {"lgsp-client": CONSUMER, "lgsp-agreement": AGREEMENT}
    for name in forged:
        lower = name.lower()
        assert [value for known, value in sent.headers if known == lower] == (
            ["stays"]
            if lower == "x-mine"
            else [answer.headers["lgsp-transaction-id"]]
            if lower == "lgsp-transaction-id"
            else [own[lower]]
            if lower in own
            else []
        ), name


def test_headers_of_the_connection_stay_on_their_side(world: World) -> None:
    async def connection_headers(exchange: Exchange) -> None:
        await exchange.answer(
            headers="Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n"
            "Proxy-Authenticate: Basic\r\nUpgrade: h2c\r\nX-End: 2\r\nLGSP-Error: forged\r\n"
            "LGSP-Client: forged\r\n"
        )

    world.provider.behaviours["/parcels/hops"] = connection_headers
    with world.client() as client:
        answer = client.get(
            f"{API}/parcels/hops",
            headers={
                "Connection": "keep-alive, X-Mine",
                "X-Mine": "1",
                "TE": "trailers",
                "Proxy-Authorization": "Basic x",
                "X-Theirs": "2",
            },
        )
    names = {name for name, _ in last(world).headers}
    assert names.isdisjoint({"x-mine", "te", "proxy-authorization", "keep-alive"})
    assert last(world).header("x-theirs") == "2"
    for name in ("x-hop", "keep-alive", "proxy-authenticate", "upgrade", "lgsp-error"):
        assert name not in answer.headers, name
    assert answer.headers["x-end"] == "2"
    assert answer.headers["lgsp-client"] == CONSUMER


def test_a_providers_own_error_passes_untouched(world: World) -> None:
    async def failing(exchange: Exchange) -> None:
        await exchange.answer(b'{"mine":1}', "503 Service Unavailable", "Retry-After: 7\r\n")

    world.provider.behaviours["/parcels/failing"] = failing
    with world.client() as client:
        answer = client.get(f"{API}/parcels/failing")
    assert (answer.status_code, answer.content) == (503, b'{"mine":1}')
    assert answer.headers["retry-after"] == "7"
    assert "lgsp-error" not in answer.headers
    record = world.record(answer.headers["lgsp-transaction-id"])
    assert (record["status"], record["upstream_status"]) == (503, 503)
    assert "error" not in record


def test_a_redirect_passes_and_is_not_followed(world: World) -> None:
    async def moved(exchange: Exchange) -> None:
        await exchange.answer(b"", "307 Temporary Redirect", "Location: /secrets\r\n")

    world.provider.behaviours["/parcels/moved"] = moved
    with world.client() as client:
        answer = client.get(f"{API}/parcels/moved")
    assert (answer.status_code, answer.headers["location"]) == (307, f"{API}/secrets")
    assert last(world).request_line.startswith("GET /parcels/moved")


def test_a_compressed_answer_passes_as_it_is(world: World) -> None:
    packed = gzip.compress(b'{"a":1}' * 100)

    async def compressed(exchange: Exchange) -> None:
        await exchange.answer(packed, headers="Content-Encoding: gzip\r\n")

    world.provider.behaviours["/parcels/packed"] = compressed
    with world.client() as client:
        answer = client.get(f"{API}/parcels/packed")
    assert answer.content == b'{"a":1}' * 100
    record = world.record(answer.headers["lgsp-transaction-id"])
    assert record["response_bytes"] == len(packed)
    assert record["response_sha256"] == hashlib.sha256(packed).hexdigest()


def test_repeated_headers_stay_apart(world: World) -> None:
    async def links(exchange: Exchange) -> None:
        await exchange.answer(headers="Link: </a>\r\nLink: </b>\r\n")

    world.provider.behaviours["/parcels/links"] = links
    with world.client() as client:
        answer = client.get(f"{API}/parcels/links", headers=[("X-Many", "1"), ("X-Many", "2")])
    assert answer.headers.get_list("link") == ["</a>", "</b>"]
    assert [value for name, value in last(world).headers if name == "x-many"] == ["1", "2"]


def test_text_in_headers_reaches_the_provider_as_utf8(world: World) -> None:
    sent = {b"X-Name": "Ấp Đông".encode(), b"LGSP-Case-Id": "Hồ sơ 1".encode()}
    with world.client() as client:
        client.get(f"{API}/parcels/1", headers=sent)
    found = {name: value.encode("latin-1").decode() for name, value in last(world).headers}
    assert (found["x-name"], found["lgsp-case-id"]) == ("Ấp Đông", "Hồ sơ 1")


def test_a_header_of_the_answer_that_is_not_ascii_passes_byte_for_byte(world: World) -> None:
    async def raw(exchange: Exchange) -> None:
        exchange.writer.write(
            "HTTP/1.1 200 OK\r\nx-name: Ấp\r\nx-other: 1\r\ncontent-length: 2\r\n\r\nok".encode()
        )
        await exchange.writer.drain()

    world.provider.behaviours["/parcels/raw"] = raw
    with world.client() as client:
        answer = client.get(f"{API}/parcels/raw")
    assert (answer.status_code, answer.content, answer.headers["x-other"]) == (200, b"ok", "1")
    assert (b"x-name", "Ấp".encode()) in answer.headers.raw


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_answers_without_a_body_have_none(world: World, status: str) -> None:
    async def bodiless(exchange: Exchange) -> None:
        exchange.writer.write(f'HTTP/1.1 {status}\r\netag: "1"\r\n\r\n'.encode())
        await exchange.writer.drain()

    world.provider.behaviours["/parcels/none"] = bodiless
    with world.client() as client:
        for _ in range(2):
            answer = client.get(f"{API}/parcels/none")
            assert (answer.status_code, answer.content) == (int(status[:3]), b"")
            assert answer.headers["etag"] == '"1"'
            assert "transfer-encoding" not in answer.headers
    assert world.record(answer.headers["lgsp-transaction-id"])["response_bytes"] == 0


def test_head_tells_the_size_and_sends_nothing(world: World) -> None:
    with world.client() as client:
        answer = client.head(f"{API}/parcels/1")
        assert (answer.status_code, answer.headers["content-length"], answer.content) == (200, "11", b"")
        assert client.get(f"{API}/parcels/1").status_code == 200
        refusal = client.head(f"{API}/nothing")
        assert (refusal.status_code, refusal.content) == (404, b"")
    record = world.record(answer.headers["lgsp-transaction-id"])
    assert (record["operation"], record["response_bytes"]) == ("headParcel", 0)
    assert world.record(refusal.headers["lgsp-transaction-id"])["response_bytes"] == 0


def test_an_answer_without_a_declared_size_is_whole(world: World) -> None:
    async def until_close(exchange: Exchange) -> None:
        exchange.writer.write(b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 1000)
        await exchange.writer.drain()
        exchange.writer.close()

    world.provider.behaviours["/parcels/old"] = until_close
    with world.client() as client:
        answer = client.get(f"{API}/parcels/old")
    assert answer.content == b"x" * 1000


def test_a_made_traceparent_is_the_same_everywhere(world: World) -> None:
    with world.client() as client:
        for sent in ({}, {"traceparent": "00-0-0-01"}, {"traceparent": f"00-{'0' * 32}-{'1' * 16}-01"}):
            answer = client.get(f"{API}/parcels/1", headers=sent)
            trace = answer.headers["traceparent"]
            assert trace.split("-")[1] == answer.headers["lgsp-transaction-id"].replace("-", "")
            assert last(world).header("traceparent") == trace
            assert world.record(answer.headers["lgsp-transaction-id"])["trace"] == trace


def test_a_token_bound_to_nothing_is_taken(world: World) -> None:
    with world.client(world.token(cnf=None) if "cnf" in world.token() else world.token()) as client:
        assert client.get(f"{API}/parcels/1").status_code == 200


def test_upstreams_take_turns_and_a_dead_one_is_passed_over(world: World) -> None:
    dead = f"http://127.0.0.1:{take_free_port()}"
    world.change(service([dead, world.provider.url, world.second_provider.url]))
    with world.client() as client:
        before = len(world.second_provider.seen)
        world.wait(
            lambda: client.get(f"{API}/parcels/1").is_success and len(world.second_provider.seen) > before,
            "the other upstream",
        )
        counts = len(world.provider.seen), len(world.second_provider.seen)
        answers = [client.get(f"{API}/parcels/1").status_code for _ in range(12)]
        posted = client.post(f"{API}/parcels", content=iter([b"a", b"b"]))
    assert answers == [200] * 12
    assert posted.status_code == 200
    assert len(world.provider.seen) - counts[0] >= 4
    assert len(world.second_provider.seen) - counts[1] >= 4
    _put_service_back(world)


def test_a_provider_that_hangs_up_is_not_asked_again(world: World) -> None:
    """It may have done what it was asked to: only a connection that never stood is tried elsewhere."""
    world.provider.behaviours["/parcels"] = _hang_up
    world.change(service([world.provider.url, world.provider.url]))
    try:
        before = len(world.provider.seen)
        with world.client() as client:
            answer = client.post(f"{API}/parcels")
        assert answer.json()["code"] == "provider-broken"
        assert len(world.provider.seen) == before + 1
    finally:
        del world.provider.behaviours["/parcels"]
        _put_service_back(world)


def test_of_several_agreements_the_oldest_that_fits_is_taken(world: World) -> None:
    token = world.token(OTHER_CONSUMER)
    world.change(
        agreement("b-later", consumer=OTHER_CONSUMER, purposes=["p1", "p2"]),
        agreement("c-other", consumer=OTHER_CONSUMER, purposes=["p3"], operations=["listParcels"]),
    )
    with world.client(token) as client:
        world.wait(
            lambda: client.get(f"{API}/parcels/1", headers={"LGSP-Purpose": "p1"}).is_success, "b-later"
        )
        assert (
            client.get(f"{API}/parcels", headers={"LGSP-Purpose": "p2"}).headers["lgsp-agreement"]
            == "b-later"
        )
        assert client.get(f"{API}/parcels").headers["lgsp-agreement"] == "c-other"
        assert client.get(f"{API}/parcels/1").json()["code"] == "purpose-not-in-agreement"
    for agreement_id in ("b-later", "c-other"):
        world.remove_agreement(agreement_id)


# the platform's own services


@pytest.mark.parametrize(
    ("path", "service_name", "client_id"),
    [
        # Identity takes no access tokens: there nobody is let in by one.
        ("/oauth2/token", "lienthong/identity", None),
        ("/.well-known/oauth-authorization-server", "lienthong/identity", None),
        ("/catalog/v1/services", "lienthong/catalog", CONSUMER),
        ("/exchange/v1/subscriptions/a/pull", "lienthong/exchange", CONSUMER),
        ("/audit/tile/0/x001/234.p/5", "lienthong/ledger", CONSUMER),
    ],
)
def test_a_service_of_the_platform_gets_the_authorization_and_its_calls_are_recorded(
    world: World, path: str, service_name: str, client_id: str | None
) -> None:
    token = world.token()
    with world.client(token) as client:
        answer = client.post(f"{path}?a=1", content=b"grant", headers={"LGSP-Client": "forged"})
    assert answer.status_code == 200
    sent = world.platform.seen[-1]
    assert sent.request_line == f"POST {path}?a=1 HTTP/1.1"
    assert (sent.body, sent.header("authorization")) == (b"grant", f"Bearer {token}")
    assert sent.header("lgsp-client") == client_id
    assert sent.header("lgsp-transaction-id") == answer.headers["lgsp-transaction-id"]
    record = world.record(answer.headers["lgsp-transaction-id"])
    assert (record["service"], record.get("client"), record["status"]) == (service_name, client_id, 200)
    assert "agreement" not in record


def test_a_service_of_the_platform_decides_about_callers_itself(world: World) -> None:
    async def refusing(exchange: Exchange) -> None:
        await exchange.answer(
            b'{"code":"no-token"}', "401 Unauthorized", "LGSP-Error: no-token\r\nWWW-Authenticate: Bearer\r\n"
        )

    world.platform.behaviours["/catalog/v1/agencies"] = refusing
    with world.client("") as client:
        answer = client.get("/catalog/v1/agencies")
    assert (answer.status_code, answer.headers["lgsp-error"]) == (401, "no-token")
    sent = world.platform.seen[-1]
    assert (sent.header("lgsp-client"), sent.header("authorization")) == (None, None)
    record = world.record(answer.headers["lgsp-transaction-id"])
    assert (record["status"], record.get("client"), record["upstream_status"]) == (401, None, 401)


@pytest.mark.parametrize(
    "credentials", ["Bearer rubbish", "Bearer a.b.c", "Bearer\t{}", "Bearer \xa0{}", "Basic dTpw"]
)
def test_a_service_of_the_platform_never_sees_credentials_that_the_gateway_cannot_read(
    world: World, credentials: str
) -> None:
    asked = len(world.platform.seen)
    headers = {b"Authorization": credentials.format(world.token()).encode("latin-1")}
    with world.client("") as client:
        answer = client.get("/catalog/v1/agencies", headers=headers)
    assert (answer.status_code, answer.headers["lgsp-error"] in ("no-token", "token-refused")) == (401, True)
    assert len(world.platform.seen) == asked
    record = world.record(answer.headers["lgsp-transaction-id"])
    assert (record["service"], record["status"], record.get("client")) == ("lienthong/catalog", 401, None)


def test_connections_are_kept_for_many_calls(world: World) -> None:
    with socket.create_connection(("127.0.0.1", world.port), timeout=10) as connection:
        request = (
            f"GET {API}/parcels/1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {world.token()}\r\n\r\n"
        ).encode()
        for _ in range(3):
            connection.sendall(request)
            head = b""
            while b'{"ok":true}' not in head:
                head += connection.recv(4096)
            assert head.startswith(b"HTTP/1.1 200 OK")


def test_every_record_of_the_calls_has_the_documented_form(world: World) -> None:
    with world.client() as client:
        client.get(f"{API}/parcels/1")
        client.get(f"{API}/nothing")
    assert_in_form(world.records())
