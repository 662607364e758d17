"""The life of an agreement."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.catalog.agreements.domain.lifecycle import (
    AgreementStatus,
    DecisionAction,
    DecisionConflictError,
    decide,
    reapply,
)

_ALLOWED = {
    (AgreementStatus.REQUESTED, DecisionAction.APPROVE): AgreementStatus.APPROVED,
    (AgreementStatus.REQUESTED, DecisionAction.REJECT): AgreementStatus.REJECTED,
    (AgreementStatus.APPROVED, DecisionAction.REVOKE): AgreementStatus.REVOKED,
}


@pytest.mark.parametrize("status", AgreementStatus)
@pytest.mark.parametrize("action", DecisionAction)
def test_only_three_decisions_are_possible(status: AgreementStatus, action: DecisionAction) -> None:
    if (status, action) in _ALLOWED:
        assert decide(status, action) is _ALLOWED[status, action]
    else:
        with pytest.raises(DecisionConflictError) as conflict:
            decide(status, action)
        assert status.value in conflict.value.text.en
        assert status.label_vi in conflict.value.text.vi


@given(st.lists(st.sampled_from(DecisionAction)))
def test_no_way_leads_out_of_an_end(actions: list[DecisionAction]) -> None:
    status = AgreementStatus.REQUESTED
    for action in actions:
        ended = not status.is_open
        try:
            status = decide(status, action)
        except DecisionConflictError:
            continue
        assert not ended


def test_applying_the_same_request_over_an_approved_agreement_leaves_it_approved() -> None:
    assert reapply(AgreementStatus.APPROVED, AgreementStatus.REQUESTED, terms_changed=False) is None
    assert reapply(AgreementStatus.APPROVED, AgreementStatus.APPROVED, terms_changed=False) is None


@pytest.mark.parametrize("terms_changed", [False, True])
def test_a_manifest_that_says_approved_approves(terms_changed: bool) -> None:
    assert (
        reapply(AgreementStatus.REQUESTED, AgreementStatus.APPROVED, terms_changed=terms_changed)
        is AgreementStatus.APPROVED
    )


def test_a_request_may_change_its_terms_while_nobody_has_decided() -> None:
    assert reapply(AgreementStatus.REQUESTED, AgreementStatus.REQUESTED, terms_changed=True) is None


def test_approved_terms_change_only_by_a_new_decision() -> None:
    assert (
        reapply(AgreementStatus.APPROVED, AgreementStatus.APPROVED, terms_changed=True)
        is AgreementStatus.APPROVED
    )
    with pytest.raises(DecisionConflictError, match="other terms"):
        reapply(AgreementStatus.APPROVED, AgreementStatus.REQUESTED, terms_changed=True)


@pytest.mark.parametrize("status", [AgreementStatus.REJECTED, AgreementStatus.REVOKED])
@pytest.mark.parametrize("declared", [AgreementStatus.REQUESTED, AgreementStatus.APPROVED])
@pytest.mark.parametrize("terms_changed", [False, True])
def test_an_ended_agreement_is_never_opened_again(
    status: AgreementStatus, declared: AgreementStatus, terms_changed: bool
) -> None:
    with pytest.raises(DecisionConflictError, match="new id"):
        reapply(status, declared, terms_changed=terms_changed)
