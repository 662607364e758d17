"""Settings of the edge of an embedded installation."""

from __future__ import annotations

from lienthong.kit.settings import Settings


class EdgeSettings(Settings):
    """What the embedded installation reads of its edge; in Kubernetes components say it."""

    edge_http3: bool = True
    """Whether the edge of an embedded installation also speaks HTTP/3, on the UDP port of the same number,
    and tells callers so (`Alt-Svc`). In Kubernetes the component `deploy/edge/http3` adds it."""
