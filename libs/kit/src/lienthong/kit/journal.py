"""The audit journal: its stream, and the records of what administrators do."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from lienthong.kit.bus import StreamSpec
from lienthong.kit.clock import rfc3339
from lienthong.kit.ids import uuid7
from lienthong.kit.messages import OutboxMessage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession

    from lienthong.kit.clock import Clock
    from lienthong.kit.ids import NewId
    from lienthong.kit.outbox import Outbox
    from lienthong.kit.settings import Settings

LARGEST_RECORD = 60_000
"""Bytes of one record; an entry of the log holds at most 65,535."""
_LARGEST_MESSAGE = 576 * 1024
"""Bytes; a gateway's batch has up to 512 KiB of records, and headers."""

_TRANSACTION_ID = re.compile(r"[0-9A-Za-z_-]{1,128}")
"""A request that did not come through the gateway may hold any text; records are found by these ids."""

STREAM = "JOURNAL"
SUBJECTS = ("journal.>",)


def journal_stream(settings: Settings) -> StreamSpec:
    """The stream of audit records. Its limit keeps it within its disk; none is dropped from it but by the
    ledger, which prunes what has long been in the log.

    The ledger creates it. Until then the gateway's records wait in its spool, the services' in their outbox.
    """
    return StreamSpec(
        STREAM,
        SUBJECTS,
        max_bytes=settings.journal_max_bytes,
        max_message_bytes=_LARGEST_MESSAGE,
        replicas=settings.nats_replicas,
        protected=True,
        pruned=True,
    )


def journal_subject(service: str) -> str:
    """Where the records of `service` are published, e.g. `journal.catalog`."""
    return f"journal.{service}"


class AdminRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The audit record of an administrative act (`docs/reference/journal-record.md`, kind `admin`).

    The members are declared in the order in which they are written.
    """

    v: Literal[1] = 1
    id: str
    kind: Literal["admin"] = "admin"
    tx: str
    at: str
    node: str
    actor: str
    action: str
    object: str
    detail: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET

    def encode(self) -> bytes:
        """The exact bytes of the record, which become an entry of the ledger.

        Raises:
            ValueError: they are more than `LARGEST_RECORD`.
        """
        encoded = msgspec.json.encode(self)
        if len(encoded) > LARGEST_RECORD:
            raise ValueError(
                f"an administrative record of {len(encoded)} bytes is too large: shorten its detail"
            )
        return encoded


@dataclass(frozen=True, slots=True)
class AdminAct:
    """Who did what to what.

    `actor` is the client who acted, `action` e.g. `agreement.approve`, `object` e.g.
    `Agreement/one-stop-land`. `detail` is for readers of the audit log and must hold no secrets and no
    personal data. `tx` is the transaction id of the request that caused the act, when there was one.
    """

    actor: str
    action: str
    object: str
    detail: Mapping[str, Any] = field(default_factory=dict)
    tx: str | None = None

    def record(self, *, node: str, at: datetime, record_id: str) -> AdminRecord:
        """The audit record of this act; without a usable `tx` the record's own id is used."""
        return AdminRecord(
            id=record_id,
            tx=self.tx if self.tx and _TRANSACTION_ID.fullmatch(self.tx) else record_id,
            at=rfc3339(at),
            node=node,
            actor=self.actor,
            action=self.action,
            object=self.object,
            detail=dict(self.detail) if self.detail else msgspec.UNSET,
        )


class AdminJournal:
    """Writes the audit records of one service into its outbox, in the transaction of the acts themselves."""

    def __init__(self, service: str, outbox: Outbox, clock: Clock, new_id: NewId = uuid7) -> None:
        self._service = service
        self._outbox = outbox
        self._clock = clock
        self._new_id = new_id

    async def add(self, session: AsyncSession, *acts: AdminAct, at: datetime | None = None) -> None:
        """Record acts, done at `at` (by default now). They are published after `session` commits.

        Raises:
            ValueError: a record would be too large.
        """
        at = at or self._clock.now()
        records = [act.record(node=self._service, at=at, record_id=self._new_id()) for act in acts]
        subject = journal_subject(self._service)
        await self._outbox.add_all(
            session, [OutboxMessage(subject, record.encode(), record.id) for record in records]
        )
