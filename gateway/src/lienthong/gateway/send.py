"""The lower half of forwarding: which of a provider's addresses gets a request, and what failures become."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from lienthong.gateway import problems
from lienthong.gateway.call import Exchange
from lienthong.gateway.http1.errors import (
    ExchangeTooLongError,
    ProviderBrokenError,
    ProviderError,
    ProviderRefusedError,
    ProviderTimeoutError,
    ProviderUnreachableError,
    UploadTimeoutError,
)
from lienthong.gateway.platform_routes import PlatformRoute
from lienthong.kit.rates import TokenBucket

if TYPE_CHECKING:
    from datetime import datetime

    from lienthong.gateway.body import RequestBody
    from lienthong.gateway.call import Call
    from lienthong.gateway.http1.address import Address
    from lienthong.gateway.http1.balance import Balance
    from lienthong.gateway.http1.checks import HealthChecks
    from lienthong.gateway.http1.connection import Connection
    from lienthong.gateway.http1.limits import TimeLimits
    from lienthong.gateway.http1.pool import Pool
    from lienthong.gateway.http1.request import ProviderRequest
    from lienthong.gateway.http1.upstreams import Upstreams
    from lienthong.kit.clock import Clock
    from lienthong.kit.problems import ProblemError

_ONLY_READING = frozenset(("GET", "HEAD", "OPTIONS", "QUERY"))
"""Safe methods (RFC 9110 section 9.2.1, and 4 of the draft of QUERY): sent again, they do nothing twice."""
_REPEATS_PER_S, _REPEATS_AT_ONCE = 10.0, 100.0
"""Of one worker: a provider that closes connections all the time does not get everything twice."""
_NOT_OF_ADDRESS = (UploadTimeoutError, ExchangeTooLongError, ProviderRefusedError)
"""What says nothing of whether the address is well."""

_log = structlog.get_logger(__name__)


class Sending:
    """A request, and where it goes.

    `body` is what is sent after the head, while the response is waited for. A request that has to be sent
    `once` is never repeated: a proof in it may be used already.
    """

    __slots__ = ("body", "forwarded", "limits", "once", "pool", "request", "upstreams")

    def __init__(
        self,
        pool: Pool,
        request: ProviderRequest,
        body: RequestBody | None,
        upstreams: Upstreams,
        limits: TimeLimits,
        forwarded: datetime,
        *,
        once: bool,
    ) -> None:
        self.pool = pool
        self.request = request
        self.body = body
        self.upstreams = upstreams
        self.limits = limits
        self.forwarded = forwarded
        self.once = once


class Sender:
    """Sends requests; no exchange takes longer than `longest_s` seconds."""

    def __init__(self, clock: Clock, checks: HealthChecks, *, longest_s: float) -> None:
        self._checks = checks
        self._time = asyncio.get_running_loop().time
        self._now = clock.now
        self._longest_s = longest_s
        self._repeats = TokenBucket(per_second=_REPEATS_PER_S, burst=_REPEATS_AT_ONCE, now=clock.monotonic)

    async def send(self, call: Call, sending: Sending) -> Connection:
        """Send the request to the first address that accepts a connection, and wait for the response's head.

        Raises:
            ProblemError: platform-unavailable, circuit-open, provider-unreachable, provider-address-refused,
                provider-broken, provider-timeout, request-timeout.
        """
        limits, upstreams = sending.limits, sending.upstreams
        began = self._time()
        until = began + min(limits.total_s or self._longest_s, self._longest_s)
        connect_until = min(began + max(limits.first_byte_s, limits.connect_s or 0), until)
        addresses = upstreams.in_order()
        balance = sending.pool.balance if upstreams.watched else None
        if upstreams.checks is not None:
            self._checks.called(upstreams, sending.pool)
        failure: ProblemError | None = None
        for address in addresses if balance is None else balance.ordered(upstreams, addresses):
            if balance is not None and not balance.enter(upstreams, address):
                continue
            entered = 0.0 if balance is None else balance.now()
            try:
                connection = await self._attempt(call, sending, address, connect_until, until)
            except BaseException as reason:
                if balance is not None:
                    _note_failure(balance, upstreams, address, reason, entered)
                if not isinstance(reason, ProviderError):
                    raise
                problem = failure_of(reason, call, address.text)
                if isinstance(reason, ProviderUnreachableError):
                    failure = problem
                elif isinstance(reason, ProviderRefusedError):
                    failure = failure or problem
                else:
                    raise problem from None
            else:
                if balance is not None:
                    balance.answered(upstreams, address, connection.status, entered)
                return connection
        if failure is None and balance is not None and addresses:
            raise problems.circuit_open(upstreams.name, balance.wait_s(upstreams))
        raise failure or _unreachable(call)

    async def _attempt(
        self, call: Call, sending: Sending, address: Address, connect_until: float, until: float
    ) -> Connection:
        """Send the request to one address.

        A connection that was kept may have been closed at this very moment: a request that only reads is
        then sent once more.

        Raises:
            ProviderError: there was no response.
        """
        pool, body, limits = sending.pool, sending.body, sending.limits
        connection = pool.idle(address.origin)
        may_repeat = (
            connection is not None and body is None and not sending.once and call.method in _ONLY_READING
        )
        while True:
            if connection is None:
                connection = await pool.connect(address.origin, connect_until, limits.connect_s)
            call.exchange = exchange = Exchange(sending.forwarded, address)
            try:
                connection.begin(
                    sending.request.to(address), bodiless=call.method == "HEAD", limits=limits, until=until
                )
                if body is not None:
                    connection.upload(body.chunks(), chunked=body.length is None)
                await connection.head()
            except BaseException as error:
                connection.end()
                if (
                    may_repeat
                    and connection.silent
                    and isinstance(error, ProviderBrokenError)
                    and self._repeats.take()
                ):
                    connection, may_repeat = None, False
                    continue
                raise
            exchange.status, exchange.responded = connection.status, self._now()
            return connection


def _note_failure(
    balance: Balance, upstreams: Upstreams, address: Address, reason: BaseException, entered: float
) -> None:
    if isinstance(reason, ProviderError) and not isinstance(reason, _NOT_OF_ADDRESS):
        balance.failed(upstreams, address, reason, entered)
    else:
        balance.left(upstreams, address)


def failure_of(error: ProviderError, call: Call, address: str) -> ProblemError:
    """Log what went wrong at the provider, and say it as a problem."""
    overdue = isinstance(error, ExchangeTooLongError)
    if not overdue or call.opened is None:
        # That an endless answer is ended is no failure.
        cause = str(error)
        _log.warning("provider failed", tx=call.tx, service=call.service_id, address=address, cause=cause)
    if isinstance(error, ProviderUnreachableError):
        return _unreachable(call)
    if isinstance(error, ProviderRefusedError):
        return problems.provider_address_refused(error.reason.value)
    if isinstance(error, UploadTimeoutError):
        return problems.request_timeout()
    if overdue and call.exchange is not None:
        call.exchange.overdue = True
    return (
        problems.provider_timeout() if isinstance(error, ProviderTimeoutError) else problems.provider_broken()
    )


def _unreachable(call: Call) -> ProblemError:
    """Whose fault it is, callers are told: a provider's, or the platform's own."""
    own = isinstance(call.route, PlatformRoute)
    return problems.platform_unavailable() if own else problems.provider_unreachable()
