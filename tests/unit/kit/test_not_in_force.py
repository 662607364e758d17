"""Which of several agreements that are not in force is reported, and as which problem."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import TYPE_CHECKING

import pytest

from lienthong.kit.problems import agreements
from lienthong.kit.problems.not_in_force import (
    Expired,
    NotInForce,
    NotYetValid,
    Pending,
    Revoked,
    nearest,
    refusal,
)

if TYPE_CHECKING:
    from lienthong.kit.problems.problem import ProblemType

MOMENT = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
DAY = timedelta(days=1)
FROM_NEAREST_ON: list[NotInForce] = [
    NotYetValid("a", MOMENT),
    NotYetValid("b", MOMENT),
    NotYetValid("a", MOMENT + DAY),
    Pending("a"),
    Pending("b"),
    Expired("a", MOMENT),
    Expired("b", MOMENT),
    Expired("a", MOMENT - DAY),
    Revoked("a"),
    Revoked("b"),
]


def test_the_nearest_to_being_in_force_is_taken_in_whatever_order_they_come() -> None:
    for nearer, *further in (FROM_NEAREST_ON[start:] for start in range(len(FROM_NEAREST_ON))):
        assert nearest([*further, nearer]) == nearer
        assert nearest([nearer, *reversed(further)]) == nearer
    for few in permutations(FROM_NEAREST_ON[::3]):
        assert nearest(few) == FROM_NEAREST_ON[0]
    assert nearest([]) is None


@pytest.mark.parametrize(
    ("reason", "kind", "en"),
    [
        (
            NotYetValid("A1", MOMENT),
            agreements.AGREEMENT_NOT_YET_VALID,
            "The agreement A1 on T is valid from 2026-11-23T06:30:00.000000Z on.",
        ),
        (
            Pending("A1"),
            agreements.AGREEMENT_PENDING,
            "The agreement A1 on T is requested and not approved yet.",
        ),
        (
            Expired("A1", MOMENT),
            agreements.AGREEMENT_EXPIRED,
            "The agreement A1 on T was valid until 2026-11-23T06:30:00.000000Z.",
        ),
        (Revoked("A1"), agreements.AGREEMENT_REVOKED, "The agreement A1 on T is revoked."),
    ],
)
def test_each_reason_has_its_problem(reason: NotInForce, kind: ProblemType, en: str) -> None:
    problem = refusal(reason, "T")
    assert (problem.kind, problem.detail.en) == (kind, en)
    assert "A1" in problem.detail.vi
    assert "T" in problem.detail.vi
