"""One call: what arrived, what the stages have found out about it, and how it ended."""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

import msgspec

from lienthong.gateway.body import NoBody, RequestBody
from lienthong.gateway.context import NO_CONTEXT, CallContext
from lienthong.gateway.operations import OperationRoute
from lienthong.gateway.platform_routes import DocumentRoute, PlatformRoute
from lienthong.gateway.policy import Grant
from lienthong.gateway.table import ServiceRoute

MAX_METHOD = 32
"""Characters of a method; a longer one is refused, and cut off in the record."""


CALLER_STALLED = "caller-stalled"
"""In the record of an answer that the caller stopped reading: in place of the code of a problem, which could
not have been sent any more."""


class Exchange(msgspec.Struct, eq=False, gc=False):
    """The exchange with the provider; there is none unless a connection took the request."""

    forwarded: datetime
    """When the gateway began to forward the request."""
    status: int | None = None
    """Of the provider's response, once it has come."""


Permit: TypeAlias = tuple[OperationRoute, str, Grant]
"""What a call has that may be forwarded: the operation, the client and the grant."""


class Call(msgspec.Struct, eq=False):
    """A request and what is known about it so far.

    The stages take what they need as arguments and return what they find. What they return is noted here,
    each part once and as a whole, for those that describe the call wherever it ended: the record, the trace
    and the headers of the response.
    """

    tx: str
    """The transaction id."""
    received: datetime
    method: str
    path: bytes
    """Still percent-encoded, as it came."""
    query: bytes
    ip: str | None

    context: CallContext = NO_CONTEXT
    route: ServiceRoute | PlatformRoute | DocumentRoute | None = None
    operation: OperationRoute | None = None
    client: str | None = None
    grant: Grant | None = None
    trace: str | None = None
    """The traceparent that the provider gets."""
    body: RequestBody | NoBody | None = None
    """Of the request; it may still be read while the response streams."""
    exchange: Exchange | None = None

    @property
    def service_id(self) -> str | None:
        """The service called, a provider's or the platform's, as records name it."""
        return self.route.id if self.route is not None else None


class Answered(msgspec.Struct, frozen=True, gc=False):
    """The end of a call that was answered."""

    status: int
    at: datetime
    body_bytes: int
    body_sha256: str
    error: str | None = None
    """The code of the problem, when the gateway or the caller failed."""
    broken_off: bool = False
    """The response did not leave whole."""


class Abandoned(msgspec.Struct, frozen=True, gc=False):
    """The end of a call whose caller went away before there was a response."""

    at: datetime


Outcome: TypeAlias = Answered | Abandoned
