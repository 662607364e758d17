"""What the sides of an agreement are told in time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.catalog.agreements.domain.agreement import AgreementResource
from lienthong.catalog.agreements.domain.lifecycle import AgreementStatus
from lienthong.catalog.agreements.domain.reminders import ReminderKind, due_now, first_look
from lienthong.catalog.domain import validity

START = datetime(2026, 1, 1, tzinfo=UTC)
WITHIN = timedelta(days=10)
DAY = timedelta(days=1)


def agreement(
    status: AgreementStatus, *, ends: datetime | None = None, asked: datetime | None = None
) -> AgreementResource:
    spec = {"consumer": "H11.01/one-stop", "service": "H11.05/land/parcels-v1"}
    return AgreementResource(
        id="a",
        spec=spec if ends is None else {**spec, "validTo": validity.write(ends)},
        status=status.value,
        version=1,
        created_at=START,
        updated_at=START,
        asked_at=asked,
    )


def told(one: AgreementResource, until: datetime, every: timedelta) -> list[tuple[ReminderKind, int]]:
    """What is told, and in how many days it happens, by somebody who looks when it is time."""
    found, now = [], START
    again: datetime | None = START
    while now <= until:
        if again is not None and again <= now:
            reminder, again = due_now(one, WITHIN, now)
            if reminder is not None:
                found.append((reminder.kind, round((reminder.until - now) / DAY)))
                one = replace(one, told_at=reminder.at)
        now += every
    return found


def test_the_end_of_a_period_is_told_three_times() -> None:
    one = agreement(AgreementStatus.APPROVED, ends=START + 100 * DAY)
    soon = ReminderKind.ENDS_SOON
    assert told(one, START + 200 * DAY, timedelta(hours=1)) == [(soon, 30), (soon, 7), (soon, 1)]


def test_a_decision_is_asked_for_twice() -> None:
    one = agreement(AgreementStatus.REQUESTED, asked=START)
    expected = [(ReminderKind.DECISION_DUE, 2), (ReminderKind.DECISION_LATE, 0)]
    assert told(one, START + 50 * DAY, timedelta(hours=1)) == expected


def test_of_what_was_missed_only_the_last_is_told() -> None:
    one = agreement(AgreementStatus.APPROVED, ends=START + 5 * DAY)
    assert told(one, START + 50 * DAY, timedelta(hours=1)) == [
        (ReminderKind.ENDS_SOON, 5),
        (ReminderKind.ENDS_SOON, 1),
    ]


@pytest.mark.parametrize("status", [status for status in AgreementStatus if status.is_final])
def test_nothing_is_told_of_what_has_ended(status: AgreementStatus) -> None:
    assert due_now(agreement(status, ends=START + DAY), WITHIN, START) == (None, None)
    over = agreement(AgreementStatus.APPROVED, ends=START)
    assert due_now(over, WITHIN, START + DAY) == (None, None)


@given(st.integers(1, 120), st.integers(1, 40))
def test_whoever_looks_seldom_tells_each_thing_once(ends: int, every: int) -> None:
    one = agreement(AgreementStatus.APPROVED, ends=START + ends * DAY)
    found = told(one, START + 200 * DAY, every * DAY)
    assert len(found) <= 3
    assert all(days > 0 for _, days in found)


@given(
    st.sampled_from(AgreementStatus),
    st.none() | st.integers(-50, 100),
    st.none() | st.integers(-20, 5),
    st.none() | st.integers(-60, 0),
)
def test_nobody_looks_too_late(
    status: AgreementStatus, ends: int | None, asked: int | None, told: int | None
) -> None:
    one = replace(
        agreement(
            status,
            ends=None if ends is None else START + ends * DAY,
            asked=None if asked is None else START + asked * DAY,
        ),
        told_at=None if told is None else START + told * DAY,
    )
    first = first_look(one)
    for day in range(-70, 120):
        reminder, again = due_now(one, WITHIN, START + day * DAY)
        if reminder is not None:
            assert first is not None
            assert first <= reminder.at
        assert again is None or first is not None
