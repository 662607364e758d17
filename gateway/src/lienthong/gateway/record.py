"""Stage 5, record: what happened becomes durable before the caller gets the answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from lienthong.gateway.call import MAX_METHOD
from lienthong.gateway.journal.records import Record, encode, timestamp
from lienthong.gateway.journal.sampling import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from lienthong.gateway.call import Call
    from lienthong.gateway.journal.journal import Journal
    from lienthong.gateway.journal.sampling import Budget, Counts, Sample
    from lienthong.gateway.privacy import Privacy
    from lienthong.kit.clock import Clock
    from lienthong.kit.ids import NewId

_FIRST_ERROR_STATUS = 400


class Recorder:
    """Writes the records of calls into the journal."""

    def __init__(
        self,
        journal: Journal,
        privacy: Privacy,
        *,
        node: str,
        clock: Clock,
        new_id: NewId,
        strangers: Budget,
        counts: Counts,
    ) -> None:
        self._journal = journal
        self._privacy = privacy
        self._node = node
        self._clock = clock
        self._new_id = new_id
        self._strangers = strangers
        self._counts = counts

    @property
    def available(self) -> bool:
        """Whether records can become durable now."""
        return self._journal.available

    async def intent(self, call: Call) -> None:
        """Record, durably, that a call is about to be forwarded: for services that ask for write-ahead.

        Raises:
            AuditUnavailableError: then the call must not be forwarded.
        """
        await self._journal.write(encode(self._record(call, "intent", self._clock.now())))

    async def outcome(self, call: Call) -> None:
        """Record, durably, how a call ended; strangers beyond their budget are only counted.

        Raises:
            AuditUnavailableError: then the answer must not leave.
        """
        now = call.answered or self._clock.now()
        if call.client is None and _may_be_counted(call) and not self._strangers.take():
            self.count(call)
            return
        await self._journal.write(encode(self._record(call, "call", now)))

    def count(self, call: Call) -> None:
        """Count a call instead of recording it."""
        room = call.room.name if call.room is not None else None
        self._counts.add(Reason(call.status or 0, call.error, room), self._clock.now())

    async def samples(self) -> None:
        """Record what was counted since the last time.

        Raises:
            AuditUnavailableError: the journal keeps the records and tries again by itself.
        """
        records = [encode(self._sample(sample)) for sample in self._counts.take()]
        # All are handed over, so that the journal keeps each of them whatever becomes of the others.
        outcomes = await asyncio.gather(*map(self._journal.write, records), return_exceptions=True)
        for failure in filter(None, outcomes):
            raise failure

    def _record(self, call: Call, kind: str, now: datetime) -> Record:
        if call.body is not None:
            call.request_bytes, call.request_sha256 = call.body.size, call.body.sha256
        path = call.path + b"?" + call.query if call.query else call.path
        return Record(
            v=1,
            id=self._new_id(),
            kind=kind,  # type: ignore[arg-type]
            tx=call.tx,
            at=timestamp(now),
            node=self._node,
            client=call.client,
            ip=call.ip,
            service=call.service_name,
            operation=call.operation.id if call.operation is not None else None,
            method=call.method[:MAX_METHOD],
            target=self._privacy.hashed(path),
            agreement=call.agreement,
            purpose=call.purpose,
            case=call.case,
            user=self._privacy.hashed(call.user.encode()) if call.user is not None else None,
            status=call.status,
            error=call.error,
            upstream_status=call.upstream_status,
            received=timestamp(call.received),
            forwarded=timestamp(call.forwarded) if call.forwarded is not None else None,
            answered=timestamp(call.answered) if call.answered is not None else None,
            request_bytes=call.request_bytes,
            request_sha256=call.request_sha256,
            response_bytes=call.response_bytes,
            response_sha256=call.response_sha256,
            trace=call.trace,
            aborted=call.aborted or None,
        )

    def _sample(self, sample: Sample) -> Record:
        record_id = self._new_id()
        return Record(
            v=1,
            id=record_id,
            kind="refused-sample",
            tx=record_id,
            at=timestamp(self._clock.now()),
            node=self._node,
            service=sample.reason.service,
            status=sample.reason.status,
            error=sample.reason.error,
            count=sample.count,
            since=timestamp(sample.since),
        )


def _may_be_counted(call: Call) -> bool:
    """Whether a stranger can repeat this without end: refusals and public reads, no token that was issued."""
    refused = call.error is not None or call.status is None or call.status >= _FIRST_ERROR_STATUS
    return refused or call.method in ("GET", "HEAD", "OPTIONS")
