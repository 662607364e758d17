"""HTTP/3 at the edge (RFC 9114): a second listener, on the UDP port of the same number.

It is made of the listener for TCP, so that what holds for one holds for the other. Only what differs stands
in `http3.yaml`.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Final

_ANNOUNCED_FOR_S: Final = 3600
"""How long callers may remember that there is HTTP/3; one that cannot reach it goes on over TCP."""


def with_http3(envoy: dict[str, Any], differing: dict[str, Any], *, port: int) -> dict[str, Any]:
    """The configuration `envoy` with a listener for HTTP/3 beside that for TCP.

    `differing` is the content of `http3.yaml`. `port` is where callers reach both, which answers over
    HTTP/1.1 and HTTP/2 tell them in `Alt-Svc` (RFC 7838 §3).
    """
    made = deepcopy(envoy)
    listeners = made["static_resources"]["listeners"]
    (tcp,) = listeners
    udp = deepcopy(tcp) | deepcopy(differing["listener"])
    udp["address"]["socket_address"]["protocol"] = "UDP"
    (chain,) = udp["filter_chains"]
    tls = chain["transport_socket"]["typed_config"]
    chain["transport_socket"] = deepcopy(differing["transport_socket"])
    chain["transport_socket"]["typed_config"]["downstream_tls_context"] = {
        "require_client_certificate": tls["require_client_certificate"],
        "common_tls_context": {
            name: secrets
            for name, secrets in tls["common_tls_context"].items()
            if name not in ("alpn_protocols", "tls_params")
        },
    }
    manager = _manager(udp)
    del manager["http2_protocol_options"]
    manager |= deepcopy(differing["manager"])
    _manager(tcp)["route_config"]["response_headers_to_add"] = [
        {
            "header": {"key": "alt-svc", "value": f'h3=":{port}"; ma={_ANNOUNCED_FOR_S}'},
            "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
        }
    ]
    listeners.append(udp)
    made["overload_manager"]["actions"].append(deepcopy(differing["overload_action"]))
    return made


def _manager(listener: dict[str, Any]) -> dict[str, Any]:
    """What takes calls: Envoy's HTTP connection manager."""
    (chain,) = listener["filter_chains"]
    (filter_,) = chain["filters"]
    manager: dict[str, Any] = filter_["typed_config"]
    return manager
