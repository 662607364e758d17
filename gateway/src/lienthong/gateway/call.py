"""What is known so far about one call, from its arrival to its record."""

from __future__ import annotations

from datetime import datetime

import msgspec

from lienthong.gateway.body import RequestBody
from lienthong.gateway.headers import Inbound
from lienthong.gateway.rooms import Room
from lienthong.gateway.table import ServiceRoute
from lienthong.gateway.templates import Operation

EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

MAX_METHOD = 32
"""Characters of a method; a longer one is refused, and cut in the record."""


class Call(msgspec.Struct, eq=False):
    """One request and its answer. Each stage fills in what it finds out; nothing is ever taken back."""

    tx: str
    """The transaction id."""
    received: datetime
    method: str
    path: bytes
    """Still percent-encoded, as it came."""
    query: bytes
    ip: str | None
    inbound: Inbound | None = None

    # match
    service: ServiceRoute | None = None
    operation: Operation | None = None
    room: Room | None = None
    rest: bytes = b""
    """The part of the path that the provider gets."""

    # authenticate, authorize
    client: str | None = None
    agreement: str | None = None
    purpose: str | None = None
    case: str | None = None
    user: str | None = None

    # forward
    trace: str | None = None
    """The traceparent that the provider gets."""
    forwarded: datetime | None = None
    upstream_status: int | None = None
    body: RequestBody | None = None
    """The request's body, when it has one; it may still be read while the answer streams."""
    request_bytes: int | None = None
    request_sha256: str | None = None

    # answer
    status: int | None = None
    error: str | None = None
    """The code of the problem, when the gateway or the caller failed."""
    answered: datetime | None = None
    response_bytes: int | None = None
    response_sha256: str | None = None
    aborted: bool = False
    """The caller went away, or the answer was broken off."""

    @property
    def service_name(self) -> str | None:
        """The service, or the process behind the room, as records name it."""
        if self.service is not None:
            return self.service.id
        return self.room.name if self.room is not None else None
