"""Access tokens: every way in which one must be refused, and that nothing else is."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jose import jwt as python_jose
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from lienthong.kit.clock import ManualClock
from lienthong.kit.policy import Grant, Role
from lienthong.kit.problems.callers import token_refused
from lienthong.kit.tokens import Confirmation, KeySet, Person, TokenRefusedError, TokenVerifier, act_claim

ISSUER = "https://lgsp.example"
AUDIENCE = "urn:lgsp:VN-BTN"
CLOCK = ManualClock()
NOW = int(CLOCK.now().timestamp())
EC = ECKey.generate_key("P-256", {"kid": "ec"})
ED = OKPKey.generate_key("Ed25519", {"kid": "ed"})
RSA = RSAKey.generate_key(2048, {"kid": "rsa"})
KEYS_TEXT = json.dumps({"keys": [key.as_dict(private=False) for key in (EC, ED, RSA)]})
KEYS = KeySet.from_jwks(KEYS_TEXT)
VERIFIER = TokenVerifier(ISSUER, AUDIENCE, CLOCK)
SIGNERS: dict[str, Any] = {"ES256": EC, "EdDSA": ED, "PS256": RSA}


def claims(**changed: object) -> dict[str, Any]:
    """The claims of a token that stands, with changes; `None` takes a claim away."""
    usual: dict[str, Any] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "H11.05/land",
        "client_id": "H11.05/land",
        "scope": "api events",
        "iat": NOW,
        "exp": NOW + 300,
        "jti": "j1",
    }
    return {name: value for name, value in (usual | changed).items() if value is not None}


def signed(payload: dict[str, Any] | bytes, **header: object) -> str:
    """A token signed by the key that fits its algorithm; header fields of `None` are left out."""
    full = {"alg": "ES256", "typ": "at+jwt", "kid": "ec"} | header
    protected = {name: value for name, value in full.items() if value is not None}
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    head, tail = encoded(json.dumps(protected).encode()), encoded(body)
    algorithm = str(full["alg"])
    signer = SIGNERS.get(algorithm, EC)
    model = jws.JWSRegistry.algorithms[algorithm if algorithm in SIGNERS else "ES256"]
    return f"{head}.{tail}.{encoded(model.sign(f'{head}.{tail}'.encode(), signer))}"


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def reason(token: str) -> str:
    with pytest.raises(TokenRefusedError) as refused:
        VERIFIER.verify(token, KEYS)
    return refused.value.reason


def verdict(token: str) -> str:
    try:
        VERIFIER.verify(token, KEYS)
    except TokenRefusedError as refused:
        return refused.reason
    return "stands"


@pytest.mark.parametrize(("alg", "kid"), [("ES256", "ec"), ("EdDSA", "ed"), ("PS256", "rsa")])
def test_a_token_of_each_allowed_algorithm_stands(alg: str, kid: str) -> None:
    token = VERIFIER.verify(signed(claims(), alg=alg, kid=kid), KEYS)
    assert token.client_id == "H11.05/land"
    assert token.scopes == {"api", "events"}
    assert token.expires_at - token.issued_at == timedelta(minutes=5)


def test_a_token_made_by_python_jose_stands() -> None:
    pem = EC.as_pem(private=True).decode()
    token = python_jose.encode(claims(), pem, "ES256", headers={"typ": "at+jwt", "kid": "ec"})
    assert VERIFIER.verify(token, KEYS).jti == "j1"


def test_the_public_key_as_an_hmac_secret_is_refused() -> None:
    """Algorithm confusion: who has the public key could sign with it if the token chose the algorithm."""
    for secret in (RSA.as_pem(private=False), EC.as_pem(private=False), KEYS_TEXT.encode()):
        for kid in ("rsa", "ec"):
            head = encoded(json.dumps({"alg": "HS256", "typ": "at+jwt", "kid": kid}).encode())
            tail = encoded(json.dumps(claims()).encode())
            mac = hmac.new(secret, f"{head}.{tail}".encode(), hashlib.sha256).digest()
            assert reason(f"{head}.{tail}.{encoded(mac)}") == "alg"


@pytest.mark.parametrize(
    "alg", ["none", "None", "NONE", "", "HS256", "RS256", "ES384", "ES256K", "es256", None, 7]
)
def test_every_other_algorithm_is_refused(alg: object) -> None:
    assert reason(signed(claims(), alg=alg)) == "alg"


def test_an_unsigned_token_is_refused() -> None:
    head = encoded(json.dumps({"alg": "none", "typ": "at+jwt", "kid": "ec"}).encode())
    tail = encoded(json.dumps(claims()).encode())
    assert reason(f"{head}.{tail}.") == "malformed"
    assert reason(f"{head}.{tail}.AA") == "alg"


@pytest.mark.parametrize(
    ("alg", "kid"), [("PS256", "ec"), ("EdDSA", "ec"), ("ES256", "rsa"), ("ES256", "ed")]
)
def test_an_allowed_algorithm_with_a_key_of_another_is_refused(alg: str, kid: str) -> None:
    assert reason(signed(claims(), alg=alg, kid=kid)) == "alg"


@pytest.mark.parametrize("typ", [None, "JWT", "jwt", "dpop+jwt", "at+jwt2", 1])
def test_what_is_no_access_token_is_refused(typ: object) -> None:
    assert reason(signed(claims(), typ=typ)) == "typ"


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt"])
def test_media_types_are_compared_as_media_types(typ: str) -> None:
    assert VERIFIER.verify(signed(claims(), typ=typ), KEYS).jti == "j1"


@pytest.mark.parametrize("kid", [None, "other", 1, ""])
def test_an_unknown_key_is_refused(kid: object) -> None:
    assert reason(signed(claims(), kid=kid)) == "kid"


@pytest.mark.parametrize("crit", [["exp"], ["b64"], []])
def test_critical_extensions_are_refused(crit: list[str]) -> None:
    assert reason(signed(claims(), crit=crit, b64=True)) == "crit"


def test_a_key_that_the_token_brings_along_is_not_believed() -> None:
    stranger = ECKey.generate_key("P-256")
    public = stranger.as_dict(private=False)
    head = encoded(json.dumps({"alg": "ES256", "typ": "at+jwt", "kid": "ec", "jwk": public}).encode())
    tail = encoded(json.dumps(claims()).encode())
    signature = jws.JWSRegistry.algorithms["ES256"].sign(f"{head}.{tail}".encode(), stranger)
    assert reason(f"{head}.{tail}.{encoded(signature)}") == "signature"


@pytest.mark.parametrize(
    "issuer", [None, "https://lgsp.example/", "https://other.example", ["https://lgsp.example"]]
)
def test_another_issuer_is_refused(issuer: object) -> None:
    assert reason(signed(claims(iss=issuer))) == "issuer"


@pytest.mark.parametrize("audience", [None, "urn:lgsp:OTHER", ["urn:lgsp:OTHER"], [], {"urn:lgsp:VN-BTN": 1}])
def test_another_audience_is_refused(audience: object) -> None:
    assert reason(signed(claims(aud=audience))) == "audience"


def test_one_of_several_audiences_is_enough() -> None:
    assert VERIFIER.verify(signed(claims(aud=["x", AUDIENCE])), KEYS).jti == "j1"


def test_a_token_ends_at_its_expiry_give_or_take_the_leeway() -> None:
    assert VERIFIER.verify(signed(claims(exp=NOW - 4)), KEYS).jti == "j1"
    assert reason(signed(claims(exp=NOW - 5))) == "expired"


def test_a_token_is_refused_before_its_nbf_give_or_take_the_leeway() -> None:
    assert VERIFIER.verify(signed(claims(nbf=NOW + 5)), KEYS).jti == "j1"
    assert reason(signed(claims(nbf=NOW + 6))) == "not_yet"


@pytest.mark.parametrize("ahead", [6, 60])
def test_iat_is_an_age_and_no_not_before(ahead: int) -> None:
    """A clock here that is a little behind identity's refuses no new token (RFC 7519 section 4.1.6)."""
    token = VERIFIER.verify(signed(claims(iat=NOW + ahead)), KEYS)
    assert VERIFIER.in_time(token), "it stays valid, known from an earlier call"
    assert reason(signed(claims(iat=NOW + 61))) == "ahead"


@pytest.mark.parametrize(
    ("changed", "seconds"), [({"exp": NOW - 75}, 75), ({"nbf": NOW + 75}, 75), ({"iat": NOW + 3600}, 3600)]
)
def test_the_difference_of_the_clocks_is_told(changed: dict[str, int], seconds: int) -> None:
    with pytest.raises(TokenRefusedError) as refused:
        VERIFIER.verify(signed(claims(**changed)), KEYS)
    detail = token_refused(refused.value.reason, refused.value.seconds).document(None)
    assert f"{seconds} seconds" in detail["detail"]
    assert f"{seconds} giây" in detail["detail_vi"]


@pytest.mark.parametrize("name", ["iat", "exp"])
@pytest.mark.parametrize("value", [None, "300", True, -1, 1e300, [], {}])
def test_times_that_are_no_times_are_refused(name: str, value: object) -> None:
    assert reason(signed(claims(**{name: value}))) == "claims"


def test_a_time_that_json_cannot_mean_is_refused() -> None:
    body = json.dumps(claims()).replace(f'"exp": {NOW + 300}', '"exp": NaN').encode()
    assert b"NaN" in body
    assert reason(signed(body)) == "malformed"


@pytest.mark.parametrize("name", ["client_id", "sub", "jti"])
@pytest.mark.parametrize("value", [None, "", 7, ["H11.05/land"]])
def test_who_and_which_must_be_told(name: str, value: object) -> None:
    assert reason(signed(claims(**{name: value}))) == "claims"


def test_the_subject_must_be_the_client() -> None:
    assert reason(signed(claims(sub="H11.01/one-stop"))) == "claims"


def test_scopes_must_be_one_text() -> None:
    assert reason(signed(claims(scope=["catalog:admin"]))) == "claims"
    assert VERIFIER.verify(signed(claims(scope=None)), KEYS).scopes == frozenset()


@pytest.mark.parametrize(
    "token",
    ["", "a", "a.b", "a.b.c.d", "..", "ệ.ệ.ệ", "a" * 9000 + ".b.c", "[].[].AA", "e30=.e30.AA", "e30 .e30.AA"],
)
def test_what_is_no_jws_is_refused(token: str) -> None:
    assert reason(token) in {"malformed", "typ"}


def test_deeply_nested_json_is_refused_like_any_other_garbage() -> None:
    assert reason(f"{encoded(b'[' * 4000)}.e30.AA") == "malformed"


@given(st.text(max_size=200))
def test_no_text_makes_the_verifier_fail(text: str) -> None:
    assert reason(text)


@given(st.binary(max_size=60), st.binary(max_size=60), st.binary(max_size=60))
def test_no_bytes_shaped_like_a_token_make_the_verifier_fail(head: bytes, body: bytes, tail: bytes) -> None:
    assert reason(f"{encoded(head)}.{encoded(body)}.{encoded(tail)}")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(sorted(claims())), JSON)
def test_a_claim_changed_to_anything_never_breaks_the_verifier(name: str, value: object) -> None:
    found = verdict(signed(claims(**{name: value})))
    allowed = {"claims", "issuer", "audience", "expired", "not_yet", "ahead", "malformed"}
    assert found in (allowed | {"stands"} if name in {"iat", "exp", "jti", "scope"} else allowed)


@given(st.sampled_from(["alg", "typ", "kid", "crit"]), JSON)
def test_a_header_changed_to_anything_never_breaks_the_verifier(name: str, value: object) -> None:
    found = verdict(signed(claims(), **{name: value}))
    assert found == ("stands" if name == "crit" and value is None else name)


STANDING = signed(claims())


@given(st.integers(0, len(STANDING) - 1), st.sampled_from("ABCxyz019-_.="))
def test_a_changed_character_anywhere_is_noticed(position: int, character: str) -> None:
    changed = STANDING[:position] + character + STANDING[position + 1 :]
    if changed != STANDING:
        assert reason(changed)


def test_private_and_symmetric_keys_are_no_public_keys() -> None:
    for key in (EC, ED, RSA, OctKey.generate_key(256)):
        with pytest.raises(ValueError, match="private or symmetric"):
            KeySet.from_jwks(json.dumps({"keys": [key.as_dict(private=True)]}))


def test_two_keys_under_one_id_are_refused() -> None:
    twice = [ECKey.generate_key("P-256", {"kid": "same"}).as_dict(private=False) for _ in range(2)]
    with pytest.raises(ValueError, match="two keys under the id same"):
        KeySet.from_jwks(json.dumps({"keys": twice}))


@pytest.mark.parametrize(
    "entry",
    [
        {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA", "kid": "x"},
        ECKey.generate_key("P-384", {"kid": "x"}).as_dict(private=False),
        ECKey.generate_key("P-256", {"kid": "x", "use": "enc"}).as_dict(private=False),
        ECKey.generate_key("P-256", {"kid": "x", "alg": "ES384"}).as_dict(private=False),
        {"kty": "RSA", "kid": "x", "e": "AQAB", "n": encoded(b"\xc1" + bytes(126) + b"\x01")},
    ],
)
def test_keys_that_cannot_verify_are_passed_over(entry: dict[str, Any]) -> None:
    assert len(KeySet.from_jwks(json.dumps({"keys": [entry]}))) == 0


def test_a_key_without_id_goes_by_its_thumbprint() -> None:
    key = ECKey.generate_key("P-256")
    assert key.thumbprint() in KeySet.from_jwks(json.dumps({"keys": [key.as_dict(private=False)]}))


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"keys": 1}', '{"keys": [1]}', '{"keys": [{"kty": "EC", "crv": "P-256", "x": "!"}]}'],
)
def test_what_is_no_key_set_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="JWK set"):
        KeySet.from_jwks(text)


@pytest.mark.parametrize("name", ["client_id", "sub", "jti"])
@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_claims_are_text_that_can_be_kept(name: str, text: str) -> None:
    assert reason(signed(claims(**{name: text}))) in {"claims", "malformed"}


def test_a_token_says_which_certificate_it_is_bound_to() -> None:
    bound = Confirmation("ab" * 32)
    assert VERIFIER.verify(signed(claims(cnf=bound.claim())), KEYS).confirmation == bound
    assert VERIFIER.verify(signed(claims()), KEYS).confirmation is None


def test_a_token_says_which_key_it_is_bound_to() -> None:
    for bound in (Confirmation(key=EC.thumbprint()), Confirmation("ab" * 32, EC.thumbprint())):
        assert VERIFIER.verify(signed(claims(cnf=bound.claim())), KEYS).confirmation == bound
    assert Confirmation(key=EC.thumbprint()).claim() == {"jkt": EC.thumbprint()}


@pytest.mark.parametrize(
    "claim",
    [
        {},
        [],
        "text",
        0,
        {"x5t#S256": "ab" * 32},
        {"x5t#S256": "A" * 42},
        {"x5t#S256": encoded(bytes(32)) + "="},
        {"x5t#S256": encoded(bytes(32))[:-1] + "B"},
        {"x5t#S256": None},
        {"x5t": encoded(bytes(20))},
        {"x5t#S256": encoded(bytes(32)), "x5u": "https://example.com"},
        {"jkt": encoded(bytes(32)), "x5u": "https://example.com"},
        {"jkt": encoded(bytes(31))},
        {"jkt": encoded(bytes(32))[:-1] + "B"},
        {"jkt": [encoded(bytes(32))]},
        {"jwk": EC.as_dict(private=False)},
    ],
)
def test_a_binding_that_is_not_known_is_no_binding_to_nobody(claim: object) -> None:
    """What a verifier does not understand it must not pass over: the token would be good for everyone."""
    # Serialised here: the helper leaves out what is None.
    assert reason(signed(json.dumps(claims() | {"cnf": claim}).encode())) in {"claims", "malformed"}


PERSON = {"sub": "0193a1b2", "sid": "s1", "roles": ["developer@H11.05", "auditor"], "scope": "openid"}


def test_a_token_of_a_person_says_who_it_is_and_which_application_has_it() -> None:
    token = VERIFIER.verify(signed(claims(**PERSON)), KEYS)
    assert (token.client_id, token.scopes) == ("H11.05/land", frozenset({"openid"}))
    assert token.person == Person(
        "0193a1b2", "s1", frozenset({Grant(Role.DEVELOPER, "H11.05"), Grant(Role.AUDITOR)})
    )
    assert VERIFIER.verify(signed(claims()), KEYS).person is None


@pytest.mark.parametrize(
    "changed",
    [
        {"sub": "H11.05/land"},
        {"sub": "H11.05/land", "sid": None},
        {"sub": "H11.05/land", "roles": None},
        {"sid": None},
        {"sid": ""},
        {"sid": 7},
        {"sid": "\0"},
        {"roles": None},
        {"roles": "auditor"},
        {"roles": ["king"]},
        {"roles": ["developer"]},
        {"roles": ["developer@"]},
        {"roles": ["platform-operator@H11.05"]},
        {"roles": [7]},
        {"roles": [None]},
        {"roles": [["auditor"]]},
        {"roles": ["auditor"] * 201},
        {"roles": {"auditor": 1}},
    ],
)
def test_a_token_is_a_systems_or_a_persons_and_nothing_between(changed: dict[str, object]) -> None:
    assert reason(signed(claims(**{**PERSON, **changed}))) == "claims"


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        ({"sub": "H11.05/land"}, ("H11.05/land",)),
        ({"sub": "H11.05/land", "act": {"sub": "H11.01/a"}}, ("H11.05/land", "H11.01/a")),
        (act_claim(["H11.05/land", "b", "c", "d"]), ("H11.05/land", "b", "c", "d")),
    ],
)
def test_a_token_says_through_whose_hands_it_came(act: object, expected: tuple[str, ...]) -> None:
    token = VERIFIER.verify(signed(claims(**PERSON, act=act)), KEYS)
    assert (token.actors, token.client_id) == (expected, "H11.05/land")
    assert VERIFIER.verify(signed(claims(**PERSON)), KEYS).actors == ()


@pytest.mark.parametrize(
    "act",
    [
        {},
        [],
        "H11.05/land",
        7,
        {"sub": ""},
        {"sub": 7},
        {"sub": "H11.01/another"},
        {"sub": "H11.05/land", "iss": "https://x.example"},
        {"sub": "H11.05/land", "act": {}},
        {"sub": "H11.05/land", "act": "b"},
        {"sub": "H11.05/land", "act": {"sub": "a\0"}},
        act_claim(["H11.05/land", "b", "c", "d", "e"]),
        act_claim(["H11.05/land"] * 20),
    ],
)
def test_a_chain_that_is_none_is_refused(act: object) -> None:
    assert reason(signed(claims(**PERSON, act=act))) == "claims"


def test_a_system_acts_for_nobody_without_a_person() -> None:
    assert reason(signed(claims(act={"sub": "H11.05/land"}))) == "claims"


def test_roles_have_names_that_are_read_back() -> None:
    for grant in (Grant(Role.AUDITOR), Grant(Role.AUDITOR, "H11"), Grant(Role.PLATFORM_OPERATOR)):
        assert Grant.of_name(grant.name) == grant
