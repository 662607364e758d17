"""Whether an agreement is in force: its status and its period taken together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.catalog.agreements.domain.effect import (
    EffectiveStatus,
    effective_status,
    has_ended,
    period_notices,
)
from lienthong.catalog.agreements.domain.lifecycle import AgreementStatus
from lienthong.catalog.domain import validity

NOW = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def _spec(begins: timedelta | None = None, ends: timedelta | None = None) -> dict[str, Any]:
    period = {"validFrom": begins, "validTo": ends}
    return {member: validity.write(NOW + at) for member, at in period.items() if at is not None}


@pytest.mark.parametrize(
    ("status", "spec", "effective"),
    [
        ("requested", _spec(), "requested"),
        ("requested", _spec(begins=TICK), "requested"),
        ("requested", _spec(ends=-TICK), "expired"),
        ("approved", _spec(), "in-force"),
        ("approved", _spec(begins=timedelta(0)), "in-force"),
        ("approved", _spec(begins=TICK), "not-yet-valid"),
        ("approved", _spec(ends=TICK), "in-force"),
        ("approved", _spec(ends=timedelta(0)), "expired"),
        ("approved", _spec(begins=-2 * TICK, ends=-TICK), "expired"),
        ("rejected", _spec(ends=-TICK), "rejected"),
        ("revoked", _spec(begins=TICK), "revoked"),
    ],
)
def test_the_effective_status_takes_the_period_into_account(
    status: str, spec: dict[str, Any], effective: str
) -> None:
    assert effective_status(AgreementStatus(status), spec, NOW) == effective


_offsets = st.none() | st.timedeltas(timedelta(days=-3), timedelta(days=3))


@given(st.sampled_from(AgreementStatus), _offsets, _offsets)
def test_notices_are_given_exactly_where_an_open_agreement_is_out_of_its_period(
    status: AgreementStatus, begins: timedelta | None, ends: timedelta | None
) -> None:
    spec = _spec(begins, ends)
    notices = period_notices(status, spec, NOW)
    out_of_period = has_ended(spec, NOW) or (begins is not None and begins > timedelta(0))
    assert bool(notices) is (status.is_open and out_of_period)
    effective = effective_status(status, spec, NOW)
    assert (effective is EffectiveStatus.IN_FORCE) is (
        status is AgreementStatus.APPROVED and not out_of_period
    )


def test_a_notice_names_the_member_and_the_time_in_both_languages() -> None:
    [ended] = period_notices(AgreementStatus.APPROVED, _spec(ends=-TICK), NOW)
    assert ended.pointer == "/spec/validTo"
    [early] = period_notices(AgreementStatus.APPROVED, _spec(begins=timedelta(days=1)), NOW)
    assert early.pointer == "/spec/validFrom"
    for text in (early.text.en, early.text.vi):
        assert "2026-11-24T06:30:00Z" in text
