"""The form of a token request is read strictly, its scopes exactly."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.identity.domain.scopes import granted_scopes
from lienthong.identity.domain.token_request import is_form, read_form
from lienthong.identity.errors import (
    ASSERTION_REASONS,
    TokenError,
    invalid_scope,
    refused_assertion,
    unknown_client,
)

ALLOWED = ("api", "events")


def test_a_form_is_read() -> None:
    body = b"grant_type=client_credentials&scope=api+events&client_id=H11.01%2Fone-stop&other="
    assert read_form(body) == {
        "grant_type": "client_credentials",
        "scope": "api events",
        "client_id": "H11.01/one-stop",
    }


def test_an_empty_body_has_no_parameters() -> None:
    assert read_form(b"") == {}


@pytest.mark.parametrize(
    "body",
    [b"scope=api&scope=api", b"scope=api&scope=", b"grant_type=a&scope=b&grant_type=a", b"sc%6fpe=a&scope=b"],
)
def test_a_doubled_parameter_is_refused(body: bytes) -> None:
    with pytest.raises(TokenError, match="more than once"):
        read_form(body)


@pytest.mark.parametrize(
    "body", [b"{}", b"a", b"a=b&", b"&&", b"a=%ff", "a=é".encode(), b"\xff=a", b"&".join([b"a=b"] * 40)]
)
def test_what_is_no_form_is_refused(body: bytes) -> None:
    with pytest.raises(TokenError) as refused:
        read_form(body)
    assert (refused.value.error, refused.value.status) == ("invalid_request", 400)


@given(st.binary(max_size=200))
def test_no_body_breaks_the_reader(body: bytes) -> None:
    try:
        form = read_form(body)
    except TokenError:
        return
    assert all(value for value in form.values())


@pytest.mark.parametrize(
    "kind",
    ["application/x-www-form-urlencoded", "Application/X-WWW-Form-Urlencoded ; charset=UTF-8",
     'application/x-www-form-urlencoded;charset="utf-8"',
     'application/x-www-form-urlencoded; Charset="UTF-8";',
     "application/x-www-form-urlencoded;", "application/x-www-form-urlencoded ; v=2;charset=utf-8",
     'application/x-www-form-urlencoded; note="a;b=c"',
     "application/x-www-form-urlencoded; charset=ISO-8859-1",
     "application/x-www-form-urlencoded; charset=us-ascii",
     "application/x-www-form-urlencoded; charset=utf8"],
)  # fmt: skip
def test_forms_are_known_whatever_parameters_their_media_type_has(kind: str) -> None:
    assert is_form(kind)


@pytest.mark.parametrize(
    "kind",
    ["", "application/json", "multipart/form-data", "text/plain",
     "application/x-www-form-urlencoded;charset=utf-16",
     "application/x-www-form-urlencoded, application/json",
     "application/x-www-form-urlencoded" + ";a=b" * 99],
)  # fmt: skip
def test_other_content_is_not(kind: str) -> None:
    assert not is_form(kind)


@pytest.mark.parametrize(
    ("asked", "granted"),
    [(None, ALLOWED), ("api", ("api",)), ("events api", ALLOWED), ("api api", ("api",))],
)
def test_what_is_asked_for_is_granted_where_it_is_allowed(
    asked: str | None, granted: tuple[str, ...]
) -> None:
    assert granted_scopes(asked, ALLOWED) == granted


@pytest.mark.parametrize(
    "asked",
    ["catalog:admin", "api catalog:admin", "API", "", " api", "api ", "api  events", "api,events",
     "api\nevents", "api\tevents", 'a"b', "a\\b", "ápi", "api\n"],
)  # fmt: skip
def test_more_than_is_allowed_is_refused(asked: str) -> None:
    with pytest.raises(TokenError) as refused:
        granted_scopes(asked, ALLOWED)
    assert refused.value.error == "invalid_scope"


@given(st.text(max_size=30), st.lists(st.sampled_from(["api", "events", "audit:read"]), unique=True))
def test_no_request_gets_more_than_is_allowed(asked: str, allowed: list[str]) -> None:
    try:
        granted = granted_scopes(asked, allowed)
    except TokenError:
        return
    assert set(granted) == set(asked.split(" ")) <= set(allowed)


def test_descriptions_keep_to_the_characters_of_the_rfc() -> None:
    refusals = [refused_assertion(reason) for reason in ASSERTION_REASONS]
    for refusal in (*refusals, unknown_client(), invalid_scope("x", "api events")):
        description = refusal.document()["error_description"]
        assert all(" " <= character <= "~" and character not in '"\\' for character in description)
        assert refusal.document()["error_description_vi"]
        json.dumps(refusal.document())
