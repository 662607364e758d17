"""The life of an agreement."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.catalog.agreements.domain.lifecycle import (
    STEPS,
    WAITING,
    DecisionConflictError,
    SamePersonError,
    approve,
    reapply,
    take,
)
from lienthong.catalog.agreements.domain.lifecycle import AgreementAction as A
from lienthong.catalog.agreements.domain.lifecycle import AgreementStatus as S

# One row for each status, and one column for each action: what the step leads to, "-" where it is refused.
TABLE = """
                    submit    answer    withdraw  ask      approve  reject   suspend   resume   revoke  lapse
draft               requested -         withdrawn -        -        -        -         -        -       lapsed
requested           -         -         withdrawn information-needed approved rejected - - - lapsed
information-needed  -         requested withdrawn -        -        rejected -         -        -       lapsed
endorsed            -         -         withdrawn information-needed approved rejected - - - lapsed
approved            -         -         withdrawn -        -        -        suspended -        revoked -
suspended           -         -         withdrawn -        -        -        -         approved revoked -
rejected            -         -         -         -        -        -        -         -        -       -
revoked             -         -         -         -        -        -        -         -        -       -
lapsed              -         -         -         -        -        -        -         -        -       -
withdrawn           -         -         -         -        -        -        -         -        -       -
"""
HEAD, *ROWS = (line.split() for line in TABLE.strip().splitlines())
ALLOWED = {
    (S(row[0]), A(action)): after
    for row in ROWS
    for action, after in zip(HEAD, row[1:], strict=True)
    if after != "-"
}
PEOPLE = ("person/1", "person/2", "person/3")


@pytest.mark.parametrize("status", S)
@pytest.mark.parametrize("action", [*STEPS, A.LAPSE])
def test_each_status_allows_what_the_table_says(status: S, action: A) -> None:
    if (status, action) in ALLOWED:
        assert take(status, action) == ALLOWED[status, action]
    else:
        with pytest.raises(DecisionConflictError) as conflict:
            take(status, action)
        assert status.value in conflict.value.text.en
        assert status.label_vi in conflict.value.text.vi


def test_the_table_has_every_status_and_every_step() -> None:
    assert [row[0] for row in ROWS] == [status.value for status in S]
    assert {A(name) for name in HEAD} == {*STEPS, A.LAPSE}


@given(
    st.lists(st.tuples(st.sampled_from([*STEPS, A.LAPSE]), st.sampled_from(PEOPLE))),
    st.sampled_from([S.DRAFT, S.REQUESTED]),
    st.booleans(),
)
def test_whatever_happens_nothing_is_approved_by_too_few(
    steps: list[tuple[A, str]], status: S, two_people: bool
) -> None:
    """Between the last time that it was asked for and the approval, so many different people approved."""
    approvals: list[str] = []
    ended = False
    for action, by in steps:
        before = status
        try:
            if action is A.APPROVE:
                first = approvals[-1] if status is S.ENDORSED else None
                status = approve(status, by, first, two_people=two_people)
            else:
                status = take(status, action)
        except DecisionConflictError:
            continue
        assert not ended, (before, action)
        if action is A.APPROVE:
            approvals.append(by)
        if status in {S.REQUESTED, S.INFORMATION_NEEDED}:
            approvals.clear()
        if status is S.APPROVED and before is not S.SUSPENDED:
            assert len(set(approvals)) == (2 if two_people else 1)
        if status in {S.SUSPENDED, S.APPROVED}:
            assert approvals
        assert (status in WAITING) == status.is_waiting
        ended = status.is_final


def test_two_people_approve_personal_data() -> None:
    assert approve(S.REQUESTED, "person/1", None, two_people=True) is S.ENDORSED
    with pytest.raises(SamePersonError):
        approve(S.ENDORSED, "person/1", "person/1", two_people=True)
    assert approve(S.ENDORSED, "person/2", "person/1", two_people=True) is S.APPROVED


def test_applying_the_same_request_over_an_approved_agreement_leaves_it_approved() -> None:
    assert reapply(S.APPROVED, S.REQUESTED, terms_changed=False) is None
    assert reapply(S.APPROVED, S.APPROVED, terms_changed=False) is None


@pytest.mark.parametrize("terms_changed", [False, True])
def test_a_manifest_that_says_approved_approves(terms_changed: bool) -> None:
    assert reapply(S.REQUESTED, S.APPROVED, terms_changed=terms_changed) is S.APPROVED


@pytest.mark.parametrize("status", [S.REQUESTED, S.INFORMATION_NEEDED, S.ENDORSED])
def test_a_manifest_approves_no_personal_data(status: S) -> None:
    with pytest.raises(DecisionConflictError, match="personal"):
        reapply(status, S.APPROVED, terms_changed=False, two_people=True)


def test_a_manifest_approves_no_draft() -> None:
    with pytest.raises(DecisionConflictError, match="draft"):
        reapply(S.DRAFT, S.APPROVED, terms_changed=False)


def test_a_request_may_change_its_terms_while_nobody_has_decided() -> None:
    for status in (S.DRAFT, S.REQUESTED, S.INFORMATION_NEEDED):
        assert reapply(status, S.REQUESTED, terms_changed=True) is None


def test_who_approved_first_has_not_seen_other_terms() -> None:
    assert reapply(S.ENDORSED, S.REQUESTED, terms_changed=True) is S.REQUESTED
    assert reapply(S.ENDORSED, S.REQUESTED, terms_changed=False) is None


def test_approved_terms_change_only_by_a_new_decision() -> None:
    assert reapply(S.APPROVED, S.APPROVED, terms_changed=True) is S.APPROVED
    with pytest.raises(DecisionConflictError, match="other terms"):
        reapply(S.APPROVED, S.REQUESTED, terms_changed=True)


def test_nobody_widens_an_approved_agreement_alone() -> None:
    with pytest.raises(DecisionConflictError, match="amendment"):
        reapply(S.APPROVED, S.APPROVED, terms_changed=True, widened=True)


def test_a_manifest_lets_nothing_go_on_that_is_suspended() -> None:
    for declared in (S.REQUESTED, S.APPROVED):
        assert reapply(S.SUSPENDED, declared, terms_changed=False) is None
        with pytest.raises(DecisionConflictError, match="suspended"):
            reapply(S.SUSPENDED, declared, terms_changed=True)


@pytest.mark.parametrize("status", [S.REJECTED, S.REVOKED, S.LAPSED, S.WITHDRAWN])
@pytest.mark.parametrize("declared", [S.REQUESTED, S.APPROVED])
@pytest.mark.parametrize("terms_changed", [False, True])
def test_an_ended_agreement_is_never_opened_again(status: S, declared: S, terms_changed: bool) -> None:
    with pytest.raises(DecisionConflictError, match="new id"):
        reapply(status, declared, terms_changed=terms_changed)
