"""What a pushed request asks: when somebody has to sign in anew, and where the answer goes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.identity.errors import TokenError
from lienthong.identity.openid.domain.applications import (
    Application,
    UnusableAddressError,
    check_address,
    check_redirect,
)
from lienthong.identity.openid.domain.requests import (
    AuthorizationRequest,
    is_verifier,
    read_request,
    sent_back,
)
from lienthong.kit.text import BilingualText

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
ASKED = NOW - timedelta(seconds=20)
CALLBACK = "https://app.example/cb"
APPLICATION = Application("H11.01/one-stop", BilingualText("App", "Ứng dụng"), (CALLBACK,))
CONSOLE = Application("console", BilingualText("Console", "Bảng điều khiển"), (CALLBACK,))
FORM = {
    "response_type": "code",
    "redirect_uri": CALLBACK,
    "scope": "openid",
    "code_challenge": "x" * 43,
    "code_challenge_method": "S256",
}


def asked(**changed: object) -> AuthorizationRequest:
    usual = {"redirect_uri": CALLBACK, "scopes": ("openid",), "challenge": "x" * 43}
    return AuthorizationRequest(**{**usual, **changed})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("request_", "signed_in", "anew"),
    [
        (asked(), None, True),
        (asked(), -9999, False),
        (asked(prompt="login"), -30, True),
        (asked(prompt="login"), -10, False),
        (asked(max_age=60), -61, True),
        (asked(max_age=60), -60, False),
        (asked(max_age=0), -30, True),
        (asked(max_age=0), -10, False),
        (asked(prompt="none"), -9999, False),
    ],
)
def test_who_signed_in_too_long_ago_does_so_anew(
    request_: AuthorizationRequest, signed_in: int | None, anew: bool
) -> None:
    at = None if signed_in is None else NOW + timedelta(seconds=signed_in)
    assert request_.needs_sign_in(at, ASKED, NOW) is anew


def test_the_console_alone_acts_on_the_platform() -> None:
    form = {**FORM, "scope": "openid platform"}
    assert read_request(form, CONSOLE, None).scopes == ("openid", "platform")
    with pytest.raises(TokenError, match="invalid_scope"):
        read_request(form, APPLICATION, None)


def test_what_is_not_needed_may_be_left_out() -> None:
    assert read_request(FORM, APPLICATION, "p").subject == "p"
    every = {**FORM, "max_age": "0", "state": "s", "nonce": "n", "prompt": "login", "response_mode": "query"}
    found = read_request(every, APPLICATION, None)
    assert (found.max_age, found.state, found.nonce, found.prompt) == (0, "s", "n", "login")


@pytest.mark.parametrize(
    ("name", "sent", "vi"),
    [
        ("max_age", "soon", "số giây, chỉ gồm chữ số"),
        ("max_age", "-1", "số giây, chỉ gồm chữ số"),
        ("prompt", "consent", "none hoặc login"),
        ("state", "ạ", "tối đa 512 ký tự ASCII in được"),
        ("login_hint", "x" * 255, "tối đa 254 ký tự ASCII in được"),
        ("code_challenge", "x", "BASE64URL(SHA-256(code_verifier)), 43 ký tự"),
        ("dpop_jkt", "x", "dấu vân tay của khoá theo RFC 7638, 43 ký tự"),
        ("response_mode", "fragment", "query"),
    ],
)
def test_what_a_parameter_must_be_is_said_in_vietnamese_too(name: str, sent: str, vi: str) -> None:
    with pytest.raises(TokenError, match=f"The parameter {name} must be: ") as refused:
        read_request({**FORM, name: sent}, APPLICATION, None)
    assert refused.value.detail.vi == f"Tham số {name} phải là: {vi}."


@pytest.mark.parametrize(
    ("wanted", "language"),
    [(None, None), ("", None), ("fr", None), ("en-GB vi", "en"), ("fr VI-vn", "vi"), ("english", None)],
)
def test_the_first_language_that_there_is(wanted: str | None, language: str | None) -> None:
    assert asked(ui_locales=wanted).language(("vi", "en")) == language


@pytest.mark.parametrize("redirect", [CALLBACK, f"{CALLBACK}?a=b"])
@given(state=st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1))
def test_an_answer_is_read_as_it_was_given(redirect: str, state: str) -> None:
    address = sent_back(redirect, {"code": "c", "state": state, "error": None})
    assert address.startswith(redirect)
    query = parse_qs(urlsplit(address).query, keep_blank_values=True)
    assert (query["code"], query["state"]) == (["c"], [state])
    assert "error" not in query


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("x" * 43, True),
        ("x" * 128, True),
        ("-._~" * 11, True),
        ("x" * 42, False),
        ("x" * 129, False),
        ("", False),
    ],
)
def test_the_form_of_a_verifier(text: str, is_one: bool) -> None:
    assert is_verifier(text) is is_one


def test_the_port_of_an_address_on_the_machine_itself_may_be_another() -> None:
    local = Application("c", BilingualText("a", "b"), ("http://127.0.0.1/cb", "http://[::1]:80/cb", CALLBACK))
    for taken in ("http://127.0.0.1/cb", "http://127.0.0.1:1/cb", "http://[::1]:65535/cb", CALLBACK):
        assert local.takes(taken)
    for refused in (
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:1/cb/",
        "http://127.0.0.1:999999/cb",
        "http://[::2]:1/cb",
        "https://127.0.0.1:1/cb",
        "https://app.example:444/cb",
    ):
        assert not local.takes(refused)


@given(st.text(max_size=60))
def test_no_text_is_taken_that_browsers_read_otherwise(text: str) -> None:
    try:
        check_redirect(f"https://app.example/{text}")
    except UnusableAddressError:
        return
    assert text.isascii()
    assert not set(text) & set('#\\ *\t\r\n"<>`{}|^')


@pytest.mark.parametrize(
    "address", ["http://localhost:3000/cb", "http://127.0.0.1/", "https://app.example:8443/a/b?c=d"]
)
def test_addresses_that_can_be_registered(address: str) -> None:
    assert check_address(address) == address
