"""Envoy in front of a real gateway, as foreign clients meet it: curl, OpenSSL, and bytes."""

from __future__ import annotations

import http.client
import ipaddress
import json
import socket
import ssl
from contextlib import closing
from typing import TYPE_CHECKING

import httpx
import pytest

from lienthong.contracts.catalog.v1 import routes_pb2
from lienthong.edge import Authority, sha256
from tests.integration.edge.running import running_edge
from tests.integration.gateway.world import API, CONSUMER, system
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.edge.running import Edge


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    with running_edge(tmp_path_factory.mktemp("edge")) as edge:
        yield edge


@pytest.mark.parametrize(("option", "version"), [("--http1.1", "1.1"), ("--http2", "2")])
def test_curl_calls_with_tls(edge: Edge, option: str, version: str) -> None:
    status, seen, body = edge.curl(f"{API}/parcels/1", option)
    assert (status, seen) == (200, version)
    assert json.loads(body)


def test_curl_with_http_2_and_a_certificate_is_recorded_with_both(edge: Edge) -> None:
    certificate, key = edge.authority.client("one-stop", "H11.01/one-stop")
    forged = f'Hash={"cd" * 32};Subject="CN=somebody else"'
    status, version, _ = edge.curl(
        f"{API}/parcels/2", "--http2", "--cert", str(certificate), "--key", str(key),
        "--header", f"X-Forwarded-Client-Cert: {forged}", "--header", "X-Forwarded-For: 203.0.113.9",
    )  # fmt: skip
    assert (status, version) == (200, "2")
    record = edge.world.records()[-1]
    assert record["certificate"] == sha256(certificate)
    # For a caller on its own machine Envoy writes an address of that machine.
    assert record["ip"] not in ("203.0.113.9", None)
    ipaddress.ip_address(record["ip"])


def test_curl_calls_as_a_client_of_x_road_that_its_certificate_proves(edge: Edge) -> None:
    certificate, key = edge.authority.client("one-stop", "H11.01/one-stop")
    by_certificate = routes_pb2.XRoad(
        connection=routes_pb2.X_ROAD_CONNECTION_CERTIFICATE, certificates=[sha256(certificate)]
    )
    shows = ("--cert", str(certificate), "--key", str(key))
    of_another = [str(file) for file in edge.authority.client("portal", "H11.36.01/portal")]

    def called(*options: str) -> tuple[int, dict[str, object]]:
        client = "X-Road-Client: VN-BTN/GOV/H11.01/one-stop"
        path = "/r1/VN-BTN/GOV/H11.05/land/parcels-v1/parcels/7"
        status, _, body = edge.curl(path, "--header", client, *options, token=False)
        return status, json.loads(body)

    try:
        edge.world.change(system(CONSUMER, xroad=by_certificate))
        assert called(*shows) == (200, {"ok": True})
        record = edge.world.records()[-1]
        assert (record["client"], record["door"], record["certificate"]) == (
            CONSUMER,
            "xroad",
            sha256(certificate),
        )
        for options in ((), ("--cert", of_another[0], "--key", of_another[1])):
            status, document = called(*options)
            assert (status, document["type"]) == (500, "server.clientproxy.ssl_authentication_failed")
    finally:
        edge.world.change(system(CONSUMER))


def test_without_a_certificate_a_forged_one_means_nothing(edge: Edge) -> None:
    forged = f"X-Forwarded-Client-Cert: Hash={'cd' * 32}"
    status, _, _ = edge.curl(f"{API}/parcels/3", "--header", forged)
    assert (status, "certificate" in edge.world.records()[-1]) == (200, False)


def test_a_certificate_of_another_authority_is_refused(edge: Edge, tmp_path: Path) -> None:
    certificate, key = Authority(tmp_path / "foreign").client("stranger", "H11.01/one-stop")
    trust = edge.trust()
    trust.load_cert_chain(certificate, key)
    with httpx.Client(verify=trust, trust_env=False) as client, pytest.raises(httpx.TransportError):
        client.get(f"{edge.url}/health")


def test_a_servers_certificate_is_none_of_a_client(edge: Edge) -> None:
    trust = edge.trust()
    trust.load_cert_chain(*edge.authority.server("edge", ["localhost", "127.0.0.1"]))
    with httpx.Client(verify=trust, trust_env=False) as client, pytest.raises(httpx.TransportError):
        client.get(f"{edge.url}/health")


@pytest.mark.parametrize(
    ("version", "works"),
    [(ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_3, True)],
)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
def test_tls_below_1_2_is_refused(edge: Edge, version: ssl.TLSVersion, works: bool) -> None:
    trust = edge.trust()
    trust.set_ciphers("DEFAULT:@SECLEVEL=0")
    trust.minimum_version = trust.maximum_version = version
    plain = socket.create_connection(("localhost", edge.port), timeout=30)
    try:
        with trust.wrap_socket(plain, server_hostname="localhost") as connection:
            assert works
            assert connection.version() == {"TLSv1_2": "TLSv1.2", "TLSv1_3": "TLSv1.3"}[version.name]
    except (ssl.SSLError, ConnectionError):
        assert not works


@pytest.mark.parametrize(
    "path", ["/parcels/a%2Fb", "/parcels//1", "/parcels/%2e%2e/secrets", "/parcels/./1", "/parcels/a%20b"]
)
def test_the_path_reaches_the_gateway_as_it_came(edge: Edge, path: str) -> None:
    seen = edge.curl(f"{API}{path}", "--path-as-is", "--http2")[0]
    direct = http.client.HTTPConnection("127.0.0.1", edge.world.port, timeout=30)
    with closing(direct):
        direct.request("GET", f"{API}{path}", headers={"Authorization": f"Bearer {edge.world.token()}"})
        assert seen == direct.getresponse().status


def test_what_the_edge_answers_itself_is_a_problem_in_both_languages(edge: Edge) -> None:
    with httpx.Client(verify=edge.trust(), trust_env=False) as client:
        answer = client.get(f"{edge.url}/health", headers={"X-Long": "x" * 60_000})
    assert answer.status_code == 431
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert (document["status"], document["code"]) == (431, "http-error")
    assert "edge" in document["detail"]
    assert document["title_vi"] == "Yêu cầu không được chấp nhận"


def test_of_envoys_own_pages_only_readiness_and_figures_are_there(edge: Edge) -> None:
    def status(path: str) -> int:
        return httpx.get(f"http://127.0.0.1:{edge.health_port}{path}", trust_env=False).status_code

    assert [status(path) for path in ("/ready", "/stats/prometheus")] == [200, 200]
    assert [status(path) for path in ("/config_dump", "/certs", "/")] == [403, 403, 403]


def test_a_renewed_certificate_is_shown_without_a_restart(edge: Edge) -> None:
    def shown() -> bytes | None:
        with (
            socket.create_connection(("localhost", edge.port), timeout=30) as plain,
            edge.trust().wrap_socket(plain, server_hostname="localhost") as connection,
        ):
            return connection.getpeercert(binary_form=True)

    before = shown()
    folder = edge.authority.certificate.parent
    (folder / "edge.key").unlink()
    edge.authority.server("edge", ["localhost", "127.0.0.1"])
    wait_until(lambda: shown() != before, "the new certificate", within=60, every=0.1)
    assert edge.curl(f"{API}/parcels/1")[0] == 200
