"""When a code or a refresh token is good, what is spent by a wrong attempt, and what tells of a thief."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.identity.openid.domain.sign_ons import (
    GRACE,
    Redeemed,
    SignOn,
    Verdict,
    judge_code,
    judge_refresh,
)

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
"""Both are the example of RFC 7636, appendix B."""
CODE, OLD, NEW = b"c" * 32, b"o" * 32, b"n" * 32
FOUND = SignOn(
    id="1",
    client_id="H11.01/one-stop",
    person_id="p",
    session_id="s",
    scopes=("openid",),
    redirect_uri="https://app.example/cb",
    challenge=CHALLENGE,
    nonce=None,
    key=None,
    code=CODE,
    code_used=False,
    code_expires_at=NOW + timedelta(seconds=60),
    refresh=None,
    refresh_before=None,
    refreshed_at=None,
    created_at=NOW,
    expires_at=NOW + timedelta(hours=12),
)
SENT = Redeemed(FOUND.client_id, FOUND.redirect_uri, VERIFIER, None)
USED = replace(FOUND, code_used=True, refresh=NEW, refresh_before=OLD, refreshed_at=NOW)


@pytest.mark.parametrize(
    ("found", "sent", "after", "verdict"),
    [
        (FOUND, SENT, 0, Verdict.GOOD),
        (FOUND, SENT, 59, Verdict.GOOD),
        (FOUND, SENT, 60, Verdict.SPENT),
        (FOUND, replace(SENT, client_id="H11.05/land"), 0, Verdict.REFUSED),
        (FOUND, replace(SENT, redirect_uri="https://app.example/cb/"), 0, Verdict.SPENT),
        (FOUND, replace(SENT, verifier=CHALLENGE), 0, Verdict.SPENT),
        (USED, SENT, 0, Verdict.REUSED),
        (USED, SENT, 9999, Verdict.REUSED),
        (USED, replace(SENT, client_id="H11.05/land"), 0, Verdict.REFUSED),
        (replace(FOUND, key="k"), replace(SENT, key="k"), 0, Verdict.GOOD),
        (replace(FOUND, key="k"), replace(SENT, key="other"), 0, Verdict.SPENT),
        (replace(FOUND, key="k"), SENT, 0, Verdict.SPENT),
        (FOUND, replace(SENT, key="k"), 0, Verdict.GOOD),
    ],
)
def test_a_code_is_good_once_for_what_it_was_given_for(
    found: SignOn, sent: Redeemed, after: int, verdict: Verdict
) -> None:
    assert judge_code(found, sent, NOW + timedelta(seconds=after)) is verdict


@pytest.mark.parametrize(
    ("digest", "client_id", "after", "verdict"),
    [
        (NEW, FOUND.client_id, timedelta(0), Verdict.GOOD),
        (NEW, FOUND.client_id, timedelta(hours=11), Verdict.GOOD),
        (OLD, FOUND.client_id, timedelta(0), Verdict.GOOD),
        (OLD, FOUND.client_id, GRACE, Verdict.GOOD),
        (OLD, FOUND.client_id, GRACE + timedelta(milliseconds=1), Verdict.REUSED),
        (OLD, FOUND.client_id, timedelta(seconds=-1), Verdict.GOOD),
        (OLD, FOUND.client_id, timedelta(seconds=-1, milliseconds=-1), Verdict.REUSED),
        (OLD, FOUND.client_id, timedelta(hours=-1), Verdict.REUSED),
        (b"x" * 32, FOUND.client_id, timedelta(0), Verdict.REUSED),
        (NEW, "H11.05/land", timedelta(0), Verdict.REFUSED),
        (OLD, "H11.05/land", timedelta(hours=1), Verdict.REFUSED),
    ],
)
def test_a_refresh_token_is_good_once_and_for_a_moment_more(
    digest: bytes, client_id: str, after: timedelta, verdict: Verdict
) -> None:
    assert judge_refresh(USED, digest, client_id, NOW + after) is verdict


@given(st.lists(st.integers(0, 30), max_size=12), st.data())
def test_whatever_is_tried_one_token_at_most_is_good_after_the_moment(
    waits: list[int], data: st.DataObject
) -> None:
    """Tokens are used in any order, at any time: whoever has an old one ends the family, or gets nothing."""
    given_out, found, now, standing = [NEW], replace(USED, refresh_before=None), NOW, True
    for number, wait in enumerate(waits):
        now += timedelta(seconds=wait)
        sent = data.draw(st.sampled_from(given_out))
        verdict = judge_refresh(found, sent, found.client_id, now)
        if verdict is Verdict.REUSED:
            standing = False
            break
        at = found.refreshed_at if sent == found.refresh_before else now
        successor = b"%032d" % number
        given_out.append(successor)
        found = replace(found, refresh=successor, refresh_before=sent, refreshed_at=at)
    later = now + GRACE + timedelta(seconds=1)
    good = [one for one in given_out if judge_refresh(found, one, found.client_id, later) is Verdict.GOOD]
    assert good == [found.refresh]
    assert standing or len(given_out) > 1
