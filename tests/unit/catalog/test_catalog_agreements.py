"""The life of an agreement."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.catalog.agreements import DecisionConflictError, Status, Verdict, decide, reapply

_ALLOWED = {
    (Status.REQUESTED, Verdict.APPROVE): Status.APPROVED,
    (Status.REQUESTED, Verdict.REJECT): Status.REJECTED,
    (Status.APPROVED, Verdict.REVOKE): Status.REVOKED,
}


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("verdict", Verdict)
def test_only_three_decisions_are_possible(status: Status, verdict: Verdict) -> None:
    if (status, verdict) in _ALLOWED:
        assert decide(status, verdict) is _ALLOWED[status, verdict]
    else:
        with pytest.raises(DecisionConflictError) as conflict:
            decide(status, verdict)
        assert status.value in conflict.value.en
        assert status.word_vi in conflict.value.vi


@given(st.lists(st.sampled_from(Verdict)))
def test_no_way_leads_out_of_an_end(verdicts: list[Verdict]) -> None:
    status = Status.REQUESTED
    for verdict in verdicts:
        ended = not status.in_force
        try:
            status = decide(status, verdict)
        except DecisionConflictError:
            continue
        assert not ended


def test_applying_the_same_request_over_an_approved_agreement_leaves_it_approved() -> None:
    assert reapply(Status.APPROVED, Status.REQUESTED, terms_changed=False) is None
    assert reapply(Status.APPROVED, Status.APPROVED, terms_changed=False) is None


@pytest.mark.parametrize("terms_changed", [False, True])
def test_a_manifest_that_says_approved_approves(terms_changed: bool) -> None:
    assert reapply(Status.REQUESTED, Status.APPROVED, terms_changed=terms_changed) is Status.APPROVED


def test_a_request_may_change_its_terms_while_nobody_has_decided() -> None:
    assert reapply(Status.REQUESTED, Status.REQUESTED, terms_changed=True) is None


def test_approved_terms_change_only_by_a_new_decision() -> None:
    assert reapply(Status.APPROVED, Status.APPROVED, terms_changed=True) is Status.APPROVED
    with pytest.raises(DecisionConflictError, match="other terms"):
        reapply(Status.APPROVED, Status.REQUESTED, terms_changed=True)


@pytest.mark.parametrize("status", [Status.REJECTED, Status.REVOKED])
@pytest.mark.parametrize("declared", [Status.REQUESTED, Status.APPROVED])
@pytest.mark.parametrize("terms_changed", [False, True])
def test_an_ended_agreement_is_never_opened_again(
    status: Status, declared: Status, terms_changed: bool
) -> None:
    with pytest.raises(DecisionConflictError, match="new id"):
        reapply(status, declared, terms_changed=terms_changed)
