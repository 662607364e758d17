"""What calls are decided by at this moment. Each part is immutable and is swapped whole."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lienthong.gateway.authenticate import Authenticator
    from lienthong.gateway.table import RoutingTable


@dataclass(slots=True)
class Live:
    """The present routing table and keys; None while there are none that are recent enough."""

    table: RoutingTable | None = None
    authenticator: Authenticator | None = None
    able_to_decide: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once both have been there."""
