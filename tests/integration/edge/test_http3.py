"""The edge over HTTP/3, as a foreign client meets it: what holds over TCP holds here too."""

from __future__ import annotations

import http.client
import ipaddress
import json
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from lienthong.edge import Authority, sha256
from lienthong.kit.tokens import Confirmation
from tests.integration.edge.running import running_edge
from tests.integration.gateway.world import API
from tests.support.http3 import call_http3
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.edge.running import Edge
    from tests.support.http3 import Http3Answer

FORGED = f'Hash={"cd" * 32};Subject="CN=somebody else"'


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    with running_edge(tmp_path_factory.mktemp("edge"), http3=True) as edge:
        yield edge


def call(
    edge: Edge,
    path: str,
    *fields: tuple[str, str],
    token: str | None = None,
    shown: tuple[Path, Path] | None = None,
    method: str = "GET",
    body: bytes = b"",
) -> Http3Answer:
    given = ("authorization", f"Bearer {token or edge.world.token()}")
    return call_http3(
        f"{edge.url}{path}",
        authority=edge.authority.certificate,
        shown=shown,
        fields=[given, *fields],
        method=method,
        body=body,
    )


def test_a_call_with_a_token_is_served_and_recorded(edge: Edge) -> None:
    answer = call(edge, f"{API}/parcels/1")
    assert (answer.status, json.loads(answer.body)) == (200, {"ok": True})
    record = edge.world.records()[-1]
    assert (record["tx"], "certificate" in record) == (answer.fields["lgsp-transaction-id"], False)


def test_a_body_passes_whole(edge: Edge) -> None:
    # More than the windows of a stream and of a connection: the edge lets go on as the gateway reads.
    sent = b"x" * 3_000_000
    answer = call(
        edge, f"{API}/parcels", ("content-type", "application/octet-stream"), method="POST", body=sent
    )
    assert answer.status == 200
    assert edge.world.records()[-1]["request_bytes"] == len(sent)


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_answers_over_tcp_say_that_there_is_http_3(edge: Edge, version: str) -> None:
    status, _, head = edge.curl(f"{API}/parcels/1", version, "--head")
    announced = [line for line in head.lower().splitlines() if line.startswith("alt-svc:")]
    assert (status, announced) == (200, [f'alt-svc: h3=":{edge.port}"; ma=3600'])


def test_answers_over_http_3_announce_nothing(edge: Edge) -> None:
    assert "alt-svc" not in call(edge, f"{API}/parcels/1").fields


def test_a_certificate_is_recorded_and_nothing_that_a_caller_says_of_one(edge: Edge) -> None:
    shown = edge.authority.client("one-stop", "H11.01/one-stop")
    fields = (("x-forwarded-client-cert", FORGED), ("x-forwarded-for", "203.0.113.9"))
    assert call(edge, f"{API}/parcels/2", *fields, shown=shown).status == 200
    record = edge.world.records()[-1]
    assert record["certificate"] == sha256(shown[0])
    # For a caller on its own machine Envoy writes an address of that machine.
    assert record["ip"] not in ("203.0.113.9", None)
    ipaddress.ip_address(record["ip"])


def test_without_a_certificate_a_forged_one_means_nothing(edge: Edge) -> None:
    assert call(edge, f"{API}/parcels/3", ("x-forwarded-client-cert", FORGED)).status == 200
    assert "certificate" not in edge.world.records()[-1]


def test_a_token_that_is_bound_to_a_certificate_is_good_with_that_one_alone(edge: Edge) -> None:
    own = edge.authority.client("one-stop", "H11.01/one-stop")
    of_another = edge.authority.client("portal", "H11.36.01/portal")
    token = edge.world.token(cnf=Confirmation(sha256(own[0])).claim())
    forged = ("x-forwarded-client-cert", f"Hash={sha256(own[0])}")
    assert call(edge, f"{API}/parcels/4", token=token, shown=own).status == 200
    for shown in (of_another, None):
        refused = call(edge, f"{API}/parcels/4", forged, token=token, shown=shown)
        assert (refused.status, json.loads(refused.body)["code"]) == (401, "certificate-mismatch")


def test_a_certificate_of_another_authority_is_refused(edge: Edge, tmp_path: Path) -> None:
    foreign = Authority(tmp_path / "foreign").client("stranger", "H11.01/one-stop")
    with pytest.raises(ConnectionError, match="unknown CA"):
        call(edge, f"{API}/parcels/1", shown=foreign)


def test_a_servers_certificate_is_none_of_a_client(edge: Edge) -> None:
    servers = edge.authority.server("edge", ["localhost", "127.0.0.1"])
    with pytest.raises(ConnectionError, match="unsupported certificate"):
        call(edge, f"{API}/parcels/1", shown=servers)


def test_no_connection_rests_on_an_earlier_one(edge: Edge) -> None:
    """Without tickets there is no early data, which could be sent again, and every certificate is checked."""
    shown = edge.authority.client("one-stop", "H11.01/one-stop")
    assert [call(edge, f"{API}/parcels/1", shown=one).tickets for one in (shown, None)] == [0, 0]


@pytest.mark.parametrize("path", ["/parcels/a%2Fb", "/parcels//1", "/parcels/%2e%2e/secrets"])
def test_the_path_reaches_the_gateway_as_it_came(edge: Edge, path: str) -> None:
    seen = call(edge, f"{API}{path}").status
    direct = http.client.HTTPConnection("127.0.0.1", edge.world.port, timeout=30)
    with closing(direct):
        direct.request("GET", f"{API}{path}", headers={"Authorization": f"Bearer {edge.world.token()}"})
        assert seen == direct.getresponse().status


def test_a_head_that_is_too_long_is_refused_by_the_gateway_or_ends_the_connection(edge: Edge) -> None:
    answer = call(edge, f"{API}/parcels/1", ("x-long", "x" * 40_000))
    assert (answer.status, json.loads(answer.body)["code"]) == (431, "headers-too-large")
    # RFC 9114 §4.2.2: the edge has said how much it takes.
    with pytest.raises(ConnectionError):
        call(edge, f"{API}/parcels/1", ("x-long", "x" * 60_000))
    assert call(edge, f"{API}/parcels/1").status == 200


def test_a_renewed_certificate_is_shown_without_a_restart(edge: Edge) -> None:
    def status() -> int | None:
        try:
            return call_http3(
                f"https://renewed.example:{edge.port}/health", authority=edge.authority.certificate
            ).status
        except ConnectionError:
            return None

    assert status() is None
    edge.authority.server("edge", ["localhost", "127.0.0.1", "renewed.example"])
    wait_until(lambda: status() is not None, "the new certificate", within=60, every=0.1)
    assert call(edge, f"{API}/parcels/1").status == 200
