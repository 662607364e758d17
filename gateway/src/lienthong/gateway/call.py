"""One call: what arrived, what the stages have found out about it, and how it ended."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, TypeAlias

from lienthong.gateway.body import EMPTY_SHA256
from lienthong.gateway.context import NO_CONTEXT
from lienthong.gateway.operations import OperationRoute
from lienthong.gateway.policy import Grant

if TYPE_CHECKING:
    from datetime import datetime

    from lienthong.gateway.body import NoBody, RequestBody
    from lienthong.gateway.body_checks import CheckOutcome
    from lienthong.gateway.context import CallContext
    from lienthong.gateway.digests import WantedDigests
    from lienthong.gateway.edge import Certificate
    from lienthong.gateway.http1.address import Address
    from lienthong.gateway.limits.limiter import Quota
    from lienthong.gateway.passage import Passage
    from lienthong.gateway.persons import Persons
    from lienthong.gateway.platform_routes import OwnRoute
    from lienthong.gateway.soap.version import SoapVersion
    from lienthong.gateway.table import ServiceRoute
    from lienthong.kit.tokens import AccessToken

MAX_METHOD = 32
"""Characters of a method; a longer one is refused, and cut off in the record."""


CALLER_STALLED = "caller-stalled"
"""In the record of an answer that the caller stopped reading: in place of the code of a problem, which could
not have been sent any more."""

ENDED_BY_GATEWAY = "answer-ended"
"""In the record of an endless answer that the gateway brought to its end: its time was over, or the gateway
was stopped. Its caller may ask again."""

GATEWAY_STOPPED = "gateway-stopped"
"""In the record of a call that the gateway cut off when it was stopped: it took longer than calls are waited
for then. Its caller may ask again."""

GATEWAY_LOST = "gateway-lost"
"""In the record of an endless answer whose gateway ended before it could record the end; another one did."""


class Exchange:
    """The exchange with the provider; there is none unless a connection took the request."""

    __slots__ = ("address", "forwarded", "overdue", "responded", "status")

    def __init__(self, forwarded: datetime, address: Address) -> None:
        self.forwarded = forwarded
        """When the gateway began to forward the request."""
        self.address = address
        """Where it was forwarded to."""
        self.status: int | None = None
        """Of the provider's response, once it has come."""
        self.responded: datetime | None = None
        """When its head had come."""
        self.overdue = False
        """Whether it ended because the time for all of it was over, whichever side took that."""


Permit: TypeAlias = tuple[OperationRoute, str, Grant]
"""What a call has that may be forwarded: the operation, the client and the grant."""


class Call:
    """A request and what is known about it so far.

    The stages take what they need as arguments and return what they find. What they return is noted here,
    each part once and as a whole, for those that describe the call wherever it ended: the record, the trace
    and the headers of the response.
    """

    __slots__ = (
        "answer_check",
        "body",
        "certificate",
        "client",
        "context",
        "digests",
        "exchange",
        "fields_removed",
        "for_page",
        "grant",
        "ip",
        "method",
        "opened",
        "operation",
        "passage",
        "path",
        "persons",
        "query",
        "quota",
        "received",
        "replays",
        "request_check",
        "route",
        "soap",
        "token",
        "trace",
        "tx",
    )

    def __init__(
        self, tx: str, received: datetime, method: str, path: bytes, query: bytes, ip: str | None
    ) -> None:
        self.tx = tx
        """The transaction id."""
        self.received = received
        self.method = method
        self.path = path
        """Still percent-encoded, as it came."""
        self.query = query
        """Likewise, with the question mark before it."""
        self.ip = ip
        self.certificate: Certificate | None = None
        """What the caller showed at the edge, if it came that way."""
        self.context: CallContext = NO_CONTEXT
        self.route: ServiceRoute | OwnRoute | None = None
        self.operation: OperationRoute | None = None
        self.soap: SoapVersion | None = None
        """In which version of SOAP the caller is told that something failed; None: as RFC 9457 says it."""
        self.client: str | None = None
        self.token: AccessToken | None = None
        """What the client was known by."""
        self.grant: Grant | None = None
        self.quota: Quota | None = None
        """What the agreement's limits said; None without any."""
        self.trace: str | None = None
        """The traceparent that the provider gets."""
        self.body: RequestBody | NoBody | None = None
        """Of the request; it may still be read while the response streams."""
        self.exchange: Exchange | None = None
        self.opened: datetime | None = None
        """When an endless answer began to leave; None: this one has an end, or there is none."""
        self.fields_removed: int | None = None
        """Members and elements that were taken out of the provider's answer, where the agreement names those
        that leave."""
        self.request_check: CheckOutcome | None = None
        self.answer_check: CheckOutcome | None = None
        """What became of checking its bodies; None: they were not to be checked."""
        self.persons: Persons | None = None
        """The persons that it names; None where its operation does not say where that is."""
        self.digests: WantedDigests | None = None
        """What the caller wants stated of the answer's body; None: nothing."""
        self.for_page: list[bytes] | None = None
        """The fields, as written, that let a page of another origin read the answer."""
        self.replays: str | None = None
        """The transaction whose answer was kept and is given again; None: this call was forwarded."""
        self.passage: Passage | None = None
        """How it came through X-Road's or GovStack's door; None: it did not."""

    @property
    def is_bound(self) -> bool:
        """Whether nobody else could have called with what the client was known by: a token that is bound to
        what the caller showed, or a certificate by itself."""
        if self.token is not None and self.token.confirmation is not None:
            return True
        return self.passage is not None and self.passage.certificate_proves

    @property
    def proved_key(self) -> str | None:
        """The key that its token is bound to, which the caller has proved to hold; None for another token."""
        bound = self.token.confirmation if self.token is not None else None
        return bound.key if bound is not None else None

    @property
    def service_id(self) -> str | None:
        """The service called, a provider's or the platform's, as records name it."""
        return self.route.id if self.route is not None else None


class Answered:
    """The end of a call that was answered."""

    __slots__ = ("_body", "_body_sha256", "at", "body_bytes", "broken_off", "error", "status")

    def __init__(
        self,
        status: int,
        at: datetime,
        body_bytes: int,
        body_sha256: str | None,
        error: str | None = None,
        *,
        body: bytes = b"",
        broken_off: bool = False,
    ) -> None:
        self.status = status
        self.at = at
        self.body_bytes = body_bytes
        self._body_sha256 = body_sha256
        self._body = body
        """Where its digest is not known yet."""
        self.error = error
        """The code of the problem, when the gateway or the caller failed."""
        self.broken_off = broken_off
        """The response did not leave whole."""

    @property
    def body_sha256(self) -> str:
        """Of what was sent, in hex; formed when it is asked for, as most refusals are only counted."""
        if self._body_sha256 is None:
            self._body_sha256 = hashlib.sha256(self._body).hexdigest() if self._body else EMPTY_SHA256
        return self._body_sha256


class Abandoned:
    """The end of a call whose caller went away before there was a response, or was cut off (`error`)."""

    __slots__ = ("at", "error")

    def __init__(self, at: datetime, error: str | None = None) -> None:
        self.at = at
        self.error = error


Outcome: TypeAlias = Answered | Abandoned
