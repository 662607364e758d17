"""What a door has found out about one call."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lienthong.gateway.request_headers import RequestHeaders
    from lienthong.gateway.targets import ServiceTarget
    from lienthong.gateway.xroad.dialect import Dialect
    from lienthong.gateway.xroad.systems import XRoadSystem


class Visit:
    """A call of a provider's service that came through a door, as the stages take it."""

    __slots__ = ("dialect", "head", "headers", "system", "target")

    def __init__(
        self,
        dialect: Dialect,
        system: XRoadSystem,
        target: ServiceTarget,
        headers: RequestHeaders,
        head: bytes | None,
    ) -> None:
        self.dialect = dialect
        self.system = system
        """The system that calls, which has proved itself."""
        self.target = target
        self.headers = headers
        """Those of the request, with what the provider gets of them."""
        self.head = head
        """The digest of the request's head, where the answer needs it."""
