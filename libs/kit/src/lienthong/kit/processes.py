"""The processes of the platform by name, and the ports that they and NATS have, before `port_offset`."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

PROCESSES: Final = ("gateway", "catalog", "identity", "exchange", "ledger")
PORTS: Final[Mapping[str, int]] = MappingProxyType(
    dict(zip(PROCESSES, (8080, 8101, 8102, 8103, 8104), strict=True))
)
"""The port that each process serves HTTP on."""
HEALTH_PORTS: Final[Mapping[str, int]] = MappingProxyType(
    dict(zip(PROCESSES, (8180, 8181, 8182, 8183, 8184), strict=True))
)
PEOPLE_PORT: Final = 8091
"""Where identity serves the pages on which people sign in: an origin of its own."""
CONSOLE: Final = "console"
CONSOLE_PORT: Final = 8090
"""Where the console serves pages to people's browsers."""
CONSOLE_HEALTH_PORT: Final = 8191
EDGE_PORT: Final = 8443
"""Where callers come with TLS, on a machine that has an edge."""
EDGE_HEALTH_PORT: Final = 8190
RPC_ABOVE_REST: Final = 1000
"""What the port of gRPC is above that of HTTP."""
NATS_PORT: Final = 4222
NATS_MONITORING_PORT: Final = 4322
"""Of the server that the embedded installation runs."""
