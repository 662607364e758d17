"""What an exchange of tokens may give: never more than the token that was exchanged."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lienthong.identity.domain.token_request import ACCESS_TOKEN_TYPE
from lienthong.identity.errors import TokenError
from lienthong.identity.openid.domain.exchanges import (
    Targets,
    actors,
    check_holder,
    exchanged_scopes,
    origin,
    subject_token,
)
from lienthong.kit.tokens import MOST_ACTORS, AccessToken, Confirmation, Person

AT = datetime(2026, 11, 30, 8, tzinfo=UTC)
ONE, TWO = "ab" * 32, "cd" * 32
TARGETS = Targets("urn:lgsp:VN-BTN", ("https://lgsp.example", "https://edge.example"))


def token(
    *chain: str, bound: Confirmation | None = None, scopes: tuple[str, ...] = ("openid", "api")
) -> AccessToken:
    """A person's token, of the application or of those that act."""
    return AccessToken(
        client_id=chain[0] if chain else "H11.01/portal",
        scopes=frozenset(scopes),
        jti="s.1",
        issued_at=AT,
        not_before=AT,
        expires_at=AT,
        confirmation=bound,
        person=Person("p", "s", frozenset()),
        actors=chain,
    )


@pytest.mark.parametrize(
    ("bound", "proved", "good"),
    [
        (None, None, True),
        (None, Confirmation(ONE, "k"), True),
        (Confirmation(key="k"), Confirmation(key="k"), True),
        (Confirmation(key="k"), Confirmation(ONE, "k"), True),
        (Confirmation(ONE), Confirmation(ONE), True),
        (Confirmation(ONE, "k"), Confirmation(ONE, "k"), True),
        (Confirmation(key="k"), None, False),
        (Confirmation(key="k"), Confirmation(key="another"), False),
        (Confirmation(key="k"), Confirmation(ONE), False),
        (Confirmation(ONE), None, False),
        (Confirmation(ONE), Confirmation(TWO), False),
        (Confirmation(ONE), Confirmation(key="k"), False),
        (Confirmation(ONE, "k"), Confirmation(ONE), False),
        (Confirmation(ONE, "k"), Confirmation(key="k"), False),
        (Confirmation(ONE, "k"), Confirmation(TWO, "k"), False),
    ],
)
def test_a_bound_token_is_exchanged_by_its_holder_alone(
    bound: Confirmation | None, proved: Confirmation | None, good: bool
) -> None:
    if good:
        check_holder(token(bound=bound), proved)
        return
    with pytest.raises(TokenError, match="invalid_request: The subject_token is bound"):
        check_holder(token(bound=bound), proved)


def test_every_hand_is_named_once_and_the_application_is_the_first() -> None:
    assert origin(token()) == ("H11.01/portal",)
    assert actors(token(), "H11.01/portal") == ("H11.01/portal",)
    assert actors(token(), "H11.01/b") == ("H11.01/b", "H11.01/portal")
    chain = ("c", "b", "a")
    assert actors(token(*chain), "c") == chain
    # Whoever gets it back is named again: it went through other hands.
    assert actors(token(*chain), "a") == ("a", *chain)


def test_more_hands_than_anyone_looks_through_are_refused() -> None:
    full = tuple(f"s{number}" for number in range(MOST_ACTORS))
    assert actors(token(*full), "s0") == full
    with pytest.raises(TokenError, match="4 clients"):
        actors(token(*full), "another")


@pytest.mark.parametrize(
    ("asked", "of_token", "of_client", "expected"),
    [
        (None, ("openid", "api"), ("api", "events"), ("api",)),
        ("api", ("openid", "api"), ("api", "events"), ("api",)),
        ("events", ("api", "events"), ("api", "events"), None),
        ("openid", ("openid", "api"), ("openid", "api"), None),
        (None, ("openid",), ("api",), None),
        (None, ("openid", "api"), ("catalog:admin",), None),
        (None, ("platform", "api"), (), None),
    ],
)
def test_scopes_are_what_both_have_of_what_can_be_exchanged(
    asked: str | None,
    of_token: tuple[str, ...],
    of_client: tuple[str, ...],
    expected: tuple[str, ...] | None,
) -> None:
    form = {} if asked is None else {"scope": asked}
    if expected is not None:
        assert exchanged_scopes(form, token(scopes=of_token), of_client) == expected
        return
    with pytest.raises(TokenError, match="invalid_scope"):
        exchanged_scopes(form, token(scopes=of_token), of_client)


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"audience": "urn:lgsp:VN-BTN"},
        {"audience": "https://lgsp.example"},
        {"resource": "https://edge.example/"},
        {"resource": "https://lgsp.example https://edge.example"},
    ],
)
def test_tokens_are_for_this_platform(form: dict[str, str]) -> None:
    TARGETS.check(form)


@pytest.mark.parametrize(
    "form",
    [
        {"audience": "H11.05/land"},
        {"audience": "https://lgsp.example "},
        {"resource": "urn:lgsp:VN-BTN"},
        {"resource": "https://lgsp.example/api"},
        {"resource": "https://lgsp.example", "audience": "x"},
    ],
)
def test_and_for_no_other_place(form: dict[str, str]) -> None:
    with pytest.raises(TokenError, match="invalid_target"):
        TARGETS.check(form)


def test_the_subject_is_an_access_token_and_the_client_the_actor() -> None:
    form = {"subject_token": "x", "subject_token_type": ACCESS_TOKEN_TYPE}
    assert subject_token(form) == "x"
    for changed in (
        {"actor_token": "y"},
        {"actor_token_type": ACCESS_TOKEN_TYPE},
        {"requested_token_type": "x"},
    ):
        with pytest.raises(TokenError, match="invalid_request"):
            subject_token({**form, **changed})
