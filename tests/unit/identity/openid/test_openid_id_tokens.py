"""ID tokens: how a person proved who it is, and which texts are ones that were issued here."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from lienthong.identity.domain.access_tokens import TokenSigningKey, sign
from lienthong.identity.openid.domain.id_tokens import (
    HintRefusedError,
    context,
    id_claims,
    logout_claims,
    methods,
    person_claims,
    read_hint,
)
from lienthong.identity.people.domain.accounts import Account, AccountState
from lienthong.identity.people.domain.sessions import Factor, Origin, Session
from lienthong.kit.policy import Grant, Role
from lienthong.kit.tokens import KeySet

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
ISSUER = "https://lgsp.example"
KEY, OTHER = TokenSigningKey.generate(), TokenSigningKey.generate()
KEYS = KeySet.from_jwks(json.dumps({"keys": [KEY.public_jwk()]}))
SESSION = Session(
    "s", "p", NOW, NOW, NOW + timedelta(hours=1), (Factor.PASSWORD,), Origin.of("192.0.2.1", "Firefox")
)
CLAIMS = id_claims(ISSUER, "H11.01/one-stop", SESSION, now=NOW, nonce=None, access_token="a.b.c")


@pytest.mark.parametrize(
    ("factors", "amr", "two"),
    [
        ((Factor.PASSWORD,), ["pwd"], False),
        ((Factor.PASSWORD, Factor.TOTP), ["pwd", "otp", "mfa"], True),
        ((Factor.PASSWORD, Factor.PASSKEY), ["pwd", "hwk", "user", "mfa"], True),
        ((Factor.PASSKEY,), ["hwk", "user", "mfa"], True),
        ((Factor.PASSWORD, Factor.RECOVERY_CODE), ["pwd", "otp", "mfa"], True),
    ],
)
def test_how_a_person_proved_who_it_is(factors: tuple[Factor, ...], amr: list[str], two: bool) -> None:
    assert methods(factors) == amr
    assert context(factors) == f"urn:lgsp:acr:{'two-factors' if two else 'one-factor'}"


def test_a_hint_is_read_also_after_its_time() -> None:
    assert read_hint(sign(KEY, "JWT", CLAIMS), KEYS, ISSUER) == {
        "sub": "p",
        "aud": "H11.01/one-stop",
        "sid": "s",
    }
    assert "nonce" not in CLAIMS


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "a.b.c",
        sign(KEY, "at+jwt", CLAIMS),
        sign(KEY, "logout+jwt", CLAIMS),
        sign(OTHER, "JWT", CLAIMS),
        sign(KEY, "JWT", {**CLAIMS, "iss": "https://evil.example"}),
        sign(KEY, "JWT", {**CLAIMS, "aud": ["H11.01/one-stop"]}),
        sign(KEY, "JWT", {**CLAIMS, "sub": None}),
        sign(KEY, "JWT", CLAIMS)[:-6] + "AAAAAA",
        sign(KEY, "JWT", CLAIMS) + "." + "x" * 9000,
    ],
)
def test_what_is_no_id_token_of_this_server(token: str) -> None:
    with pytest.raises(HintRefusedError):
        read_hint(token, KEYS, ISSUER)


def test_a_logout_token_is_no_id_token() -> None:
    said = logout_claims(ISSUER, "c", person_id="p", session_id="s", now=NOW, token_id="j")
    assert "nonce" not in said
    assert said["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}


def test_a_person_is_told_of_by_scopes() -> None:
    grants = frozenset({Grant(Role.AUDITOR), Grant(Role.DEVELOPER, "H11")})
    account = Account("p", "an@example.vn", "An", "H11", AccountState.ACTIVE, grants, NOW, NOW, NOW)
    assert person_claims(account, {"openid"}) == {"sub": "p"}
    assert person_claims(account, {"openid", "roles"}) == {"sub": "p", "roles": ["auditor", "developer@H11"]}
    assert person_claims(account, {"profile"})["preferred_username"] == "an@example.vn"
