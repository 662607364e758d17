"""Envoy in front of a real gateway, as foreign clients meet it: curl, OpenSSL, and bytes."""

from __future__ import annotations

import http.client
import ipaddress
import json
import shutil
import socket
import ssl
import subprocess
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from lienthong.edge import Authority, EdgeFiles, binary, sha256, write_config
from tests.integration.gateway.world import API, World
from tests.support.ports import take_free_port
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Edge:
    """A running edge, and who signs for it."""

    world: World
    authority: Authority
    port: int
    health_port: int

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def curl(self, path: str, *options: str) -> tuple[int, str, str]:
        """Status, version of HTTP and body of an answer to curl."""
        command = [
            "curl", "--silent", "--show-error", "--cacert", str(self.authority.certificate),
            "--header", f"Authorization: Bearer {self.world.token()}",
            "--write-out", "\n%{http_code} %{http_version}", *options, f"{self.url}{path}",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
        body, _, told = done.stdout.rpartition("\n")
        status, version = told.split()
        return int(status), version, body

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.authority.certificate))


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    folder = tmp_path_factory.mktemp("edge")
    # The path of a Unix socket is short: folders of tests may be too long for it.
    short = Path(tempfile.mkdtemp(prefix="lt-"))
    world = World(tmp_path_factory.mktemp("world"), edge_socket=short / "edge.sock")
    authority = Authority(folder / "authority")
    certificate, key = authority.server("edge", ["localhost", "127.0.0.1"])
    edge = Edge(world, authority, take_free_port(), take_free_port())
    files = EdgeFiles(certificate, key, authority.certificate, short / "edge.sock")
    config = write_config(
        folder / "envoy", files, host="127.0.0.1", port=edge.port, health_port=edge.health_port
    )
    with (folder / "envoy.log").open("wb") as log:
        envoy = subprocess.Popen(
            [binary(), "-c", str(config), "--concurrency", "1", "--disable-hot-restart", "-l", "warning"],
            stdout=log,
            stderr=log,
        )
    try:
        world.start()
        wait_until(lambda: ready(edge), lambda: (folder / "envoy.log").read_text(), within=30, every=0.05)
        yield edge
    finally:
        envoy.terminate()
        envoy.wait(20)
        world.close()
        shutil.rmtree(short)


def ready(edge: Edge) -> bool:
    try:
        answer = httpx.get(f"http://127.0.0.1:{edge.health_port}/ready", trust_env=False)
    except httpx.HTTPError:
        return False
    return answer.status_code == httpx.codes.OK


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
    plain = socket.create_connection(("localhost", edge.port), timeout=10)
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
    direct = http.client.HTTPConnection("127.0.0.1", edge.world.port, timeout=10)
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
            socket.create_connection(("localhost", edge.port), timeout=10) as plain,
            edge.trust().wrap_socket(plain, server_hostname="localhost") as connection,
        ):
            return connection.getpeercert(binary_form=True)

    before = shown()
    folder = edge.authority.certificate.parent
    (folder / "edge.key").unlink()
    edge.authority.server("edge", ["localhost", "127.0.0.1"])
    wait_until(lambda: shown() != before, "the new certificate", within=20, every=0.1)
    assert edge.curl(f"{API}/parcels/1")[0] == 200
