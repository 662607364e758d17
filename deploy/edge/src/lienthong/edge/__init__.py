"""The TLS edge: Envoy in front of a gateway, and a development authority for machines without one."""

from lienthong.edge.authority import Authority, sha256
from lienthong.edge.config import EdgeFiles, binary, cluster_config_with_http3, write_config
from lienthong.edge.program import SOCKET, LocalEdge, local_edge
from lienthong.edge.settings import EdgeSettings

__all__ = [
    "SOCKET",
    "Authority",
    "EdgeFiles",
    "EdgeSettings",
    "LocalEdge",
    "binary",
    "cluster_config_with_http3",
    "local_edge",
    "sha256",
    "write_config",
]
