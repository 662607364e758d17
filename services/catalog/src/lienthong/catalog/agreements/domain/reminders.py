"""When whom has to be told what of an agreement before it is too late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from lienthong.catalog import events
from lienthong.catalog.agreements.domain.lifecycle import AgreementStatus
from lienthong.catalog.domain import validity
from lienthong.catalog.domain.reminders import ENDS_BEFORE, reached

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lienthong.catalog.agreements.domain.agreement import AgreementResource

DUE_BEFORE: Final = timedelta(days=2)


class ReminderKind(StrEnum):
    """What is told; the value is the `action` of the event."""

    ENDS_SOON = events.ENDS_SOON
    """To both sides: the period of an approved agreement ends in 30, 7 or 1 days."""
    DECISION_DUE = "decision-due"
    """To the owner: in two days, a decision should have been made."""
    DECISION_LATE = "decision-late"
    """To the owner: it should have been made by now."""


@dataclass(frozen=True, slots=True, order=True)
class Reminder:
    """What is to be told from a moment on; `until` is when what it warns of happens."""

    at: datetime
    kind: ReminderKind
    until: datetime


def first_look(agreement: AgreementResource) -> datetime | None:
    """Return the earliest moment at which something may be to be told; None where nothing ever is.

    It is known without the time that owners have, so that it can be kept with whatever writes an agreement.
    """
    found = [one.at for one in reminders(agreement, timedelta())]
    if agreement.asked_at is not None:
        found.append(agreement.asked_at)
    told = agreement.told_at
    return min((at if told is None else max(at, told) for at in found), default=None)


def reminders(agreement: AgreementResource, decide_within: timedelta) -> Iterator[Reminder]:
    """Yield everything that is to be told of an agreement as it is now, at any time."""
    status = AgreementStatus(agreement.status)
    if status in {AgreementStatus.APPROVED, AgreementStatus.SUSPENDED} and "validTo" in agreement.spec:
        ends = validity.read(agreement.spec["validTo"])
        for before in ENDS_BEFORE:
            yield Reminder(ends - before, ReminderKind.ENDS_SOON, ends)
    if (due := agreement.due_at(decide_within)) is not None:
        yield Reminder(due - DUE_BEFORE, ReminderKind.DECISION_DUE, due)
        yield Reminder(due, ReminderKind.DECISION_LATE, due)


def due_now(
    agreement: AgreementResource, decide_within: timedelta, now: datetime
) -> tuple[Reminder | None, datetime | None]:
    """Return what is to be told now, and when to look again; None where there is nothing.

    Of several that have been missed only the last is told: those before it say less. Nothing is told of what
    has ended already, nor again what was told before (`told_at`).
    """
    last, again = reached(sorted(reminders(agreement, decide_within)), agreement.told_at, now)
    if last is not None and last.kind is ReminderKind.ENDS_SOON and last.until <= now:
        last = None
    return last, again
