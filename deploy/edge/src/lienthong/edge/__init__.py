"""The TLS edge: Envoy in front of a gateway, and a development authority for machines without one."""

from lienthong.edge.authority import Authority, sha256
from lienthong.edge.config import EdgeFiles, binary, write_config
from lienthong.edge.program import SOCKET, LocalEdge, local_edge

__all__ = [
    "SOCKET",
    "Authority",
    "EdgeFiles",
    "LocalEdge",
    "binary",
    "local_edge",
    "sha256",
    "write_config",
]
