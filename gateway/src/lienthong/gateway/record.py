"""Stages 5 and 8: the intent before a call is forwarded, and the record before its response leaves."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from lienthong.gateway.call import GATEWAY_LOST, MAX_METHOD, Answered
from lienthong.gateway.context import is_personal_number
from lienthong.gateway.failures import failed_side
from lienthong.gateway.journal.records import (
    CallRecord,
    IntentRecord,
    SampleRecord,
    continuing_of,
    encode,
    lost_of,
    opening_of,
)
from lienthong.gateway.journal.writer import AuditUnavailableError
from lienthong.gateway.platform_routes import PlatformRoute
from lienthong.gateway.table import ServiceRoute

if TYPE_CHECKING:
    from datetime import datetime

    from lienthong.gateway.call import Call, Outcome, Permit
    from lienthong.gateway.journal.records import Moment
    from lienthong.gateway.journal.sampling import CallCounts, Sample
    from lienthong.gateway.journal.writer import JournalWriter
    from lienthong.gateway.privacy import Privacy
    from lienthong.kit.clock import Clock
    from lienthong.kit.ids import NewId
    from lienthong.kit.rates import TokenBucket, TokenBuckets

_FIRST_ERROR_STATUS = 400


class Recorder:
    """Writes the records of calls into the journal.

    `unauthenticated` limits how many calls without a valid token are recorded one by one, `refused` how many
    refusals of each client; those beyond are counted in `counts`.
    """

    def __init__(
        self,
        journal: JournalWriter,
        privacy: Privacy,
        *,
        node: str,
        clock: Clock,
        new_id: NewId,
        unauthenticated: TokenBucket,
        refused: TokenBuckets,
        counts: CallCounts,
    ) -> None:
        self._journal = journal
        self._privacy = privacy
        self._node = node
        self._now = clock.now
        self._new_id = new_id
        self._unauthenticated = unauthenticated
        self._refused = refused
        self._counts = counts

    @property
    def available(self) -> bool:
        """Whether records can be made durable now."""
        return self._journal.available

    def require_available(self) -> None:
        """Let no call begin that could not be recorded.

        Raises:
            AuditUnavailableError: records cannot be made durable now.
        """
        if not self._journal.available:
            raise AuditUnavailableError("earlier records are not durable yet")

    async def intent(self, call: Call, route: ServiceRoute, permit: Permit) -> None:
        """Record, durably, that an authorized call is about to be forwarded.

        Raises:
            AuditUnavailableError: then the call must not be forwarded.
        """
        operation, client, grant = permit
        context, passage, persons = call.context, call.passage, call.persons
        record = IntentRecord(
            v=1,
            id=self._new_id(),
            kind="intent",
            tx=call.tx,
            at=timestamp(self._now()),
            node=self._node,
            client=client,
            ip=call.ip,
            certificate=call.certificate.sha256 if call.certificate is not None else None,
            service=route.id,
            operation=operation.id,
            method=call.method,
            target=self._target(call),
            agreement=grant.agreement,
            purpose=grant.purpose,
            case=context.case,
            user=self._privacy.hashed(context.user.encode()) if context.user is not None else None,
            represented=self._stated(passage.represented) if passage is not None else None,
            door=passage.door if passage is not None else None,
            message=self._stated(passage.message_id) if passage is not None else None,
            persons=persons.hashes(self._privacy) if persons is not None else None,
            person_count=persons.count() if persons is not None else None,
            person_commitment=persons.commitment(self._privacy) if persons is not None else None,
            received=timestamp(call.received),
            trace=call.trace,
        )
        _name_person(record, call)
        await self._journal.write(encode(record))

    def outcome(self, call: Call, outcome: Outcome) -> asyncio.Future[None] | None:
        """Record how a call ended; the future is done when the record is durable, and the response may leave.

        None for a call that is only counted, as those without a valid token and refusals may be.

        Raises:
            AuditUnavailableError: (the future) then the response must not leave.
        """
        if call.client is None:
            counted = _may_be_counted(call, outcome) and not self._unauthenticated.take()
        else:
            counted = _is_refused(call, outcome) and not self._refused.take(call.client)
        if counted and call.opened is None:
            self.count(call, outcome)
            return None
        return self._journal.write(encode(self._record(call, outcome)))

    def opening(self, call: Call, status: int) -> tuple[asyncio.Future[None], bytes]:
        """Record that an endless answer is about to leave; also returns the record.

        Raises:
            AuditUnavailableError: (the future) then it must not leave.
        """
        known = self._record(call, Answered(status, self._now(), 0, None))
        record = encode(opening_of(known))
        return self._journal.write(record), record

    def lost(self, opening: bytes) -> asyncio.Future[None]:
        """Record the end of an answer whose gateway was lost; of it there is only the opening record.

        Raises:
            ValueError: those bytes are no opening record.
            AuditUnavailableError: (the future) it is kept, and stored when that is possible.
        """
        at = timestamp(self._now())
        return self._journal.write(encode(lost_of(opening, self._new_id(), at, GATEWAY_LOST)))

    def continuing(self, call: Call, status: int, size: int, sha256: str) -> asyncio.Future[None]:
        """Record that an endless answer goes on, and what of it has passed.

        Raises:
            AuditUnavailableError: (the future) then it must not go on.
        """
        known = self._record(call, Answered(status, self._now(), size, sha256))
        return self._journal.write(encode(continuing_of(known)))

    def count(self, call: Call, outcome: Outcome) -> None:
        """Count a call instead of recording it."""
        status: int | None = None
        error: str | None = None
        if isinstance(outcome, Answered):
            status, error = outcome.status, outcome.error
        # A client has come past the routing table; of others the services that they name are not told apart.
        route, service = call.route, None
        if route is not None and (call.client is not None or not isinstance(route, ServiceRoute)):
            service = route.id
        self._counts.add((status, error, service, call.client), outcome.at)

    async def samples(self) -> None:
        """Record what was counted since the last time.

        Raises:
            AuditUnavailableError: the journal keeps the records and tries again by itself.
        """
        records = [encode(self._sample(sample)) for sample in self._counts.take()]
        # All are written at once, so that the journal keeps each of them even if another fails.
        outcomes = await asyncio.gather(*map(self._journal.write, records), return_exceptions=True)
        for failure in filter(None, outcomes):
            raise failure

    def _record(self, call: Call, outcome: Outcome) -> CallRecord:
        answered = outcome if isinstance(outcome, Answered) else None
        route, operation, grant = call.route, call.operation, call.grant
        context, exchange, body, quota = call.context, call.exchange, call.body, call.quota
        passage, persons = call.passage, call.persons
        at = timestamp(outcome.at)
        record = CallRecord(
            v=1,
            id=self._new_id(),
            kind="call",
            tx=call.tx,
            at=at,
            node=self._node,
            client=call.client,
            ip=call.ip,
            certificate=call.certificate.sha256 if call.certificate is not None else None,
            service=route.id if route is not None else None,
            operation=operation.id if operation is not None else None,
            method=call.method[:MAX_METHOD],
            target=self._target(call),
            agreement=grant.agreement if grant is not None else None,
            purpose=grant.purpose if grant is not None else None,
            case=context.case,
            user=self._privacy.hashed(context.user.encode()) if context.user is not None else None,
            represented=self._stated(passage.represented) if passage is not None else None,
            door=passage.door if passage is not None else None,
            message=self._stated(passage.message_id) if passage is not None else None,
            persons=persons.hashes(self._privacy) if persons is not None else None,
            person_count=persons.count() if persons is not None else None,
            person_commitment=persons.commitment(self._privacy) if persons is not None else None,
            persons_unread=persons.unread or None if persons is not None else None,
            status=answered.status if answered is not None else None,
            error=outcome.error,
            failed=failed_side(call, outcome),
            upstream=_chosen_address(call),
            upstream_status=exchange.status if exchange is not None else None,
            received=timestamp(call.received),
            forwarded=timestamp(exchange.forwarded) if exchange is not None else None,
            responded=_known(exchange.responded) if exchange is not None else None,
            opened=_known(call.opened),
            answered=at if answered is not None else None,
            request_bytes=body.size if body is not None else None,
            request_sha256=body.sha256 if body is not None else None,
            response_bytes=answered.body_bytes if answered is not None else None,
            response_sha256=answered.body_sha256 if answered is not None else None,
            fields_removed=call.fields_removed if answered is not None else None,
            request_check=call.request_check,
            answer_check=call.answer_check,
            trace=call.trace,
            aborted=True if answered is None or answered.broken_off else None,
            limit=quota.refusal.limit.value if quota is not None and quota.refusal is not None else None,
            replays=call.replays,
        )
        _name_person(record, call)
        return record

    def _target(self, call: Call) -> str:
        return self._privacy.hashed(call.path + call.query)

    def _stated(self, text: str | None) -> str | None:
        """What a caller stated, as it is kept: a personal number as a keyed hash."""
        if text is None or not is_personal_number(text.rpartition("/")[2]):
            return text
        return self._privacy.hashed(text.encode())

    def _sample(self, sample: Sample) -> SampleRecord:
        record_id = self._new_id()
        return SampleRecord(
            v=1,
            id=record_id,
            kind="refused-sample",
            tx=record_id,
            at=timestamp(self._now()),
            node=self._node,
            client=sample.reason.client,
            service=sample.reason.service,
            status=sample.reason.status,
            error=sample.reason.error,
            count=sample.count,
            since=timestamp(sample.since),
            aborted=True if sample.reason.status is None else None,
        )


def _name_person(record: CallRecord | IntentRecord, call: Call) -> None:
    """Name the person whose token it was, and through whose hands that came."""
    token = call.token
    if token is not None and token.person is not None:
        record.acts_for = token.person.id
        record.actors = list(token.actors) or None


def timestamp(moment: datetime) -> Moment:
    """What is written as RFC 3339 with microseconds, e.g. `2026-11-23T06:30:00.123456Z`; `moment` is in UTC.

    msgspec writes a datetime so, and faster than anything else does, but leaves out a fraction of zero.
    """
    return moment if moment.microsecond else f"{moment:%Y-%m-%dT%H:%M:%S}.000000Z"


def _known(moment: datetime | None) -> Moment | None:
    return None if moment is None else timestamp(moment)


def _chosen_address(call: Call) -> str | None:
    """The address that was called, where the service has several."""
    route, exchange = call.route, call.exchange
    if exchange is None or not isinstance(route, ServiceRoute) or not route.upstreams.several:
        return None
    return exchange.address.text


def _is_refused(call: Call, outcome: Outcome) -> bool:
    """Whether an authenticated call was refused: before it reached a provider, or by the platform itself."""
    if isinstance(call.route, PlatformRoute):
        refused = isinstance(outcome, Answered) and outcome.status >= _FIRST_ERROR_STATUS
    else:
        refused = call.exchange is None and isinstance(outcome, Answered) and outcome.error is not None
    return refused and not (isinstance(outcome, Answered) and outcome.broken_off)


def _may_be_counted(call: Call, outcome: Outcome) -> bool:
    """Whether anyone could repeat such a call endlessly: refusals and reads, but no token that was issued."""
    if not isinstance(outcome, Answered) or outcome.error is not None:
        return True
    return outcome.status >= _FIRST_ERROR_STATUS or call.method in ("GET", "HEAD", "OPTIONS")
