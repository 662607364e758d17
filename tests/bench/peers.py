"""What the gateway is measured beside: the upstream itself, and three ways to stand in front of it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.ports import take_free_port

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """What Envoy must check of an access token."""

    issuer: str
    audience: str
    client_id: str


PATH = "/parcels/1"
BODY = json.dumps(
    {"id": 1, "sheet": 12, "number": 345, "area": 250.5, "useType": "ODT", "address": "12 Nguyễn Tất Thành"},
    ensure_ascii=False,
).ljust(200)
LARGE_PATH = "/parcels/large"
LARGE_BODY = json.dumps(
    {
        "total": 78,
        "items": [
            {
                "parcelId": f"59301-6-{number}",
                "area": 123.5,
                "owners": [{"fullName": "Nguyễn Văn A", "personId": "079203001234", "share": "1/2"}],
                "address": {"street": "1 Trần Hưng Đạo", "ward": "Phú Thủy", "province": "Lâm Đồng"},
                "useType": "ODT",
                "sheet": 12,
                "number": number,
            }
            for number in range(78)
        ],
    },
    ensure_ascii=False,
    separators=(",", ":"),
)
"""About 20 KiB, as departments' lists are."""

NGINX = """\
daemon off;
pid {home}/nginx-{port}.pid;
error_log {home}/nginx-{port}.log;
worker_processes 1;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {home}/body-{port};
  proxy_temp_path {home}/proxy-{port};
  fastcgi_temp_path {home}/fastcgi-{port};
  uwsgi_temp_path {home}/uwsgi-{port};
  scgi_temp_path {home}/scgi-{port};
  keepalive_requests 100000000;
  {upstream}
  server {{ listen 127.0.0.1:{port} reuseport; location / {{ {location} }} }}
}}
"""


@contextmanager
def process(command: list[str], *, port: int, core: int, **environment: str) -> Iterator[None]:
    """Run `command` on one core until the block ends; enters when `port` accepts connections."""
    started = subprocess.Popen(
        ["taskset", "-c", str(core), *command],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, started)
        yield
    finally:
        started.terminate()
        started.wait(20)


@contextmanager
def upstream(home: Path, port: int, core: int) -> Iterator[None]:
    """nginx that answers every request with the same 200 bytes of JSON, but one with 20 KiB."""
    # A text in nginx's configuration has less than 4 KiB.
    parts = [LARGE_BODY[at : at + 1000] for at in range(0, len(LARGE_BODY), 1000)]
    texts = " ".join(f"set $part{number} '{part}';" for number, part in enumerate(parts))
    whole = "".join(f"${{part{number}}}" for number in range(len(parts)))
    location = (
        f"default_type application/json; return 200 '{BODY}'; }} "
        f"location = {LARGE_PATH} {{ default_type application/json; {texts} return 200 '{whole}';"
    )
    with _nginx(home, port, core, upstream="", location=location):
        yield


@contextmanager
def nginx_proxy(home: Path, port: int, core: int, upstream_port: int) -> Iterator[None]:
    """nginx as a plain reverse proxy with kept-alive connections."""
    location = 'proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection "";'
    servers = (
        f"upstream up {{ server 127.0.0.1:{upstream_port}; keepalive 256; keepalive_requests 100000000; }}"
    )
    with _nginx(home, port, core, upstream=servers, location=location):
        yield


@contextmanager
def envoy(
    home: Path, port: int, core: int, upstream_port: int, jwks: str, token: TokenFacts
) -> Iterator[None]:
    """Envoy that checks the token's signature and claims, allows its client, and logs over gRPC."""
    log_port = take_free_port()
    config = home / "envoy.json"
    config.write_text(json.dumps(_envoy_config(port, upstream_port, log_port, jwks, token)))
    binary = str(Path(sys.executable).with_name("envoy"))
    command = [binary, "-c", str(config), "--concurrency", "1", "--disable-hot-restart", "-l", "error"]
    with (
        process(
            [sys.executable, "-m", "tests.bench.access_log", str(log_port)], port=log_port, core=1 - core
        ),
        process(command, port=port, core=core),
    ):
        yield


@contextmanager
def forwarder(port: int, core: int, upstream_port: int) -> Iterator[None]:
    """FastAPI and httpx, forwarding and nothing else."""
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "tests.bench.forwarder:app",
        "--port",
        str(port),
        "--no-access-log",
    ]
    with process(command, port=port, core=core, BENCH_UPSTREAM=f"http://127.0.0.1:{upstream_port}"):
        yield


def _wait_for(port: int, started: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if started.poll() is not None:
            raise RuntimeError(f"{started.args!r} ended with status {started.returncode}")
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=0.2):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"{started.args!r} did not open port {port}")


@contextmanager
def _nginx(home: Path, port: int, core: int, *, upstream: str, location: str) -> Iterator[None]:
    binary = shutil.which("nginx") or "/usr/sbin/nginx"
    config = home / f"nginx-{port}.conf"
    config.write_text(NGINX.format(home=home, port=port, upstream=upstream, location=location))
    with process([binary, "-c", str(config)], port=port, core=core):
        yield


def _envoy_config(
    port: int, upstream_port: int, log_port: int, jwks: str, token: TokenFacts
) -> dict[str, Any]:
    extension = "type.googleapis.com/envoy.extensions"
    jwt = {
        "@type": f"{extension}.filters.http.jwt_authn.v3.JwtAuthentication",
        "providers": {
            "identity": {
                "issuer": token.issuer,
                "audiences": [token.audience],
                "local_jwks": {"inline_string": jwks},
                "payload_in_metadata": "claims",
                "jwt_cache_config": {"jwt_cache_size": 1000},
            }
        },
        "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "identity"}}],
    }
    client_matches = {
        "metadata": {
            "filter": "envoy.filters.http.jwt_authn",
            "path": [{"key": "claims"}, {"key": "client_id"}],
            "value": {"string_match": {"exact": token.client_id}},
        }
    }
    get = {"header": {"name": ":method", "string_match": {"exact": "GET"}}}
    rbac = {
        "@type": f"{extension}.filters.http.rbac.v3.RBAC",
        "rules": {
            "action": "ALLOW",
            "policies": {"agreement": {"permissions": [get], "principals": [client_matches]}},
        },
    }
    access_log = {
        "@type": f"{extension}.access_loggers.grpc.v3.HttpGrpcAccessLogConfig",
        "common_config": {
            "log_name": "calls",
            "transport_api_version": "V3",
            "grpc_service": {"envoy_grpc": {"cluster_name": "access_log"}},
        },
    }
    manager = {
        "@type": f"{extension}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "bench",
        "access_log": [{"name": "grpc", "typed_config": access_log}],
        "http_filters": [
            {"name": "envoy.filters.http.jwt_authn", "typed_config": jwt},
            {"name": "envoy.filters.http.rbac", "typed_config": rbac},
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{extension}.filters.http.router.v3.Router"},
            },
        ],
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "upstream"}}],
                }
            ]
        },
    }
    chain = {"filters": [{"name": "http", "typed_config": manager}]}
    http2 = {
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": f"{extension}.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {"http2_protocol_options": {}},
        }
    }
    return {
        "static_resources": {
            "listeners": [{"name": "bench", "address": _address(port), "filter_chains": [chain]}],
            "clusters": [
                _cluster("upstream", upstream_port),
                {**_cluster("access_log", log_port), "typed_extension_protocol_options": http2},
            ],
        }
    }


def _cluster(name: str, port: int) -> dict[str, Any]:
    endpoint = {"endpoint": {"address": _address(port)}}
    assignment = {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]}
    return {"name": name, "type": "STATIC", "connect_timeout": "1s", "load_assignment": assignment}


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
