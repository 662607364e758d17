"""What belongs to one attempt to sign in follows from its secret."""

from __future__ import annotations

import base64
import hashlib

from lienthong.relying.attempts import Attempt


def test_two_attempts_have_nothing_in_common_and_one_is_the_same_again() -> None:
    one, other = Attempt.new(), Attempt.new()
    values = {found for it in (one, other) for found in (it.secret, it.state, it.nonce, it.verifier)}
    assert len(values) == 8
    assert Attempt(one.secret).state == one.state


def test_the_challenge_is_that_of_the_verifier() -> None:
    attempt = Attempt("s")
    digest = hashlib.sha256(attempt.verifier.encode()).digest()
    assert attempt.challenge == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert len(attempt.verifier) == 43


def test_a_cookie_that_is_no_text_is_an_attempt_that_fails() -> None:
    assert len(Attempt("\udcff").state) == 43
