"""An assertion is accepted only if every part of it is right, and a refusal names what is wrong."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OKPKey, RSAKey

from lienthong.identity.domain.assertions import AssertionRefusedError, AssertionRules, read_assertion
from lienthong.identity.domain.client_keys import client_keys

NOW = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
ISSUER = "https://lgsp.example"
RULES = AssertionRules(
    audiences=frozenset({ISSUER, f"{ISSUER}/oauth2/token"}),
    lifetime=timedelta(minutes=5),
    leeway=timedelta(seconds=10),
)
GENUINE: dict[str, Any] = {
    "iss": "H11.01/one-stop",
    "sub": "H11.01/one-stop",
    "aud": ISSUER,
    "iat": SECONDS,
    "exp": SECONDS + 60,
    "jti": "a1",
}


def encode(part: object) -> str:
    content = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def unsigned(claims: object, header: object = None, signature: bytes = b"x" * 64) -> str:
    return f"{encode(header or {'alg': 'ES256'})}.{encode(claims)}.{encode(signature)}"


def reason(text: str) -> str:
    with pytest.raises(AssertionRefusedError) as caught:
        read_assertion(text, rules=RULES, now=NOW)
    return caught.value.reason


def with_claims(**changes: object) -> str:
    claims = {**GENUINE, **changes}
    return unsigned({name: value for name, value in claims.items() if value is not ...})


def with_header(**changes: object) -> str:
    return unsigned(GENUINE, {"alg": "ES256", **changes})


def test_a_right_assertion_says_who_its_client_is() -> None:
    assertion = read_assertion(with_header(kid="k1", typ="JWT"), rules=RULES, now=NOW)
    assert assertion.client_id == "H11.01/one-stop"
    assert assertion.assertion_id == "a1"
    assert assertion.expires_at == SECONDS + 60
    assert (assertion.algorithm, assertion.key_id) == ("ES256", "k1")


@pytest.mark.parametrize("audience", [ISSUER, f"{ISSUER}/oauth2/token", [ISSUER, f"{ISSUER}/oauth2/token"]])
def test_the_audience_is_issuer_or_token_endpoint(audience: object) -> None:
    assert read_assertion(with_claims(aud=audience), rules=RULES, now=NOW).client_id == "H11.01/one-stop"


@pytest.mark.parametrize(
    "audience",
    [..., None, "", "https://other.example", f"{ISSUER}/", ISSUER.upper(), [], [ISSUER, "https://other.example"],
     [[ISSUER]], {"aud": ISSUER}, 5],
)  # fmt: skip
def test_an_assertion_that_others_could_use_is_refused(audience: object) -> None:
    assert reason(with_claims(aud=audience)) == "aud"


@pytest.mark.parametrize(
    "name", ["none", "None", "HS256", "HS512", "RS256", "ES384", "PS512", "ES256K", "", 5, None]
)
def test_only_listed_algorithms_are_read(name: object) -> None:
    assert reason(with_header(alg=name)) == "alg"


def test_the_new_name_of_eddsa_means_the_same() -> None:
    assert read_assertion(with_header(alg="Ed25519"), rules=RULES, now=NOW).algorithm == "EdDSA"


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c"])
def test_a_key_in_the_header_is_refused(name: str) -> None:
    assert reason(with_header(**{name: "https://attacker.example/keys"})) == "foreign_key"


@pytest.mark.parametrize(
    "header",
    [{"crit": ["exp"], "exp": 1}, {"crit": []}, {"crit": 5}, {"b64": True}, {"crit": ["b64"], "b64": False}],
)
def test_critical_extensions_are_refused(header: dict[str, Any]) -> None:
    assert reason(with_header(**header)) == "crit"


@pytest.mark.parametrize("kind", ["at+jwt", "application/at+jwt", "dpop+jwt", "JOSE", "", 5, None])
def test_a_token_of_another_kind_is_no_assertion(kind: object) -> None:
    assert reason(with_header(typ=kind)) == "typ"


@pytest.mark.parametrize(
    "kind", ["JWT", "jwt", "client-authentication+jwt", "application/client-authentication+jwt"]
)
def test_the_kinds_of_assertions_are_read(kind: str) -> None:
    assert read_assertion(with_header(typ=kind), rules=RULES, now=NOW).assertion_id == "a1"


@pytest.mark.parametrize(
    "changes",
    [{"iss": ...}, {"sub": ...}, {"iss": "a/b"}, {"sub": "a/b"}, {"iss": "", "sub": ""}, {"iss": 5, "sub": 5},
     {"iss": ["a"], "sub": ["a"]}, {"iss": "x" * 256, "sub": "x" * 256},
     {"iss": "a\0b", "sub": "a\0b"}, {"iss": "\ud800", "sub": "\ud800"}],
)  # fmt: skip
def test_issuer_and_subject_are_the_client(changes: dict[str, Any]) -> None:
    assert reason(with_claims(**changes)) == "iss_sub"


@pytest.mark.parametrize("identifier", [..., None, "", 5, ["a"], "x" * 257])
def test_an_assertion_without_a_usable_id_is_refused(identifier: object) -> None:
    assert reason(with_claims(jti=identifier)) == "jti"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"exp": ...}, "exp"),
        ({"exp": SECONDS - 10}, "expired"),
        ({"exp": 0}, "expired"),
        ({"exp": -1e308}, "expired"),
        ({"exp": SECONDS + 311}, "lifetime"),
        ({"exp": 1e308}, "lifetime"),
        ({"exp": SECONDS + 250, "iat": SECONDS - 100}, "lifetime"),
        ({"iat": SECONDS + 61}, "future"),
        ({"nbf": SECONDS + 11}, "future"),
        ({"exp": None}, "times"),
        ({"exp": str(SECONDS + 60)}, "times"),
        ({"exp": True}, "times"),
        ({"iat": "now"}, "times"),
        ({"nbf": []}, "times"),
        ({"exp": 10**400}, "times"),
    ],
)
def test_times_are_bounded(changes: dict[str, Any], expected: str) -> None:
    assert reason(with_claims(**changes)) == expected


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_does_not_know_are_refused(literal: str) -> None:
    claims = json.dumps(GENUINE).replace(str(SECONDS + 60), literal)
    assert reason(unsigned(claims.encode())) == "malformed"


def test_a_number_too_large_to_compare_is_refused() -> None:
    claims = json.dumps(GENUINE).replace(str(SECONDS + 60), "1e999")
    assert reason(unsigned(claims.encode())) == "times"


@pytest.mark.parametrize(
    "changes", [{"exp": SECONDS - 9}, {"exp": SECONDS + 310, "iat": SECONDS}, {"iat": SECONDS + 60}]
)
def test_clocks_may_differ_a_little(changes: dict[str, Any]) -> None:
    assert read_assertion(with_claims(**changes), rules=RULES, now=NOW).assertion_id == "a1"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.b",
        "a.b.c.d",
        "..",
        unsigned(GENUINE) + "=",
        unsigned(GENUINE).replace(".", "+.", 1),
        unsigned(GENUINE, signature=b"x" * 64).rsplit(".", 1)[0] + ".!!!",
        unsigned([GENUINE]),
        unsigned(b"not json"),
        unsigned(b"\xff\xfe"),
        unsigned(b"[" * 6_000),
        unsigned(GENUINE, [1]),
        unsigned(GENUINE, ["alg"]),
        unsigned(GENUINE, b"[" * 2_900),
        unsigned(GENUINE, {"alg": "ES256", "kid": 5}),
        unsigned({**GENUINE, "padding": "x" * 20_000}),
        "é" + unsigned(GENUINE),
    ],
    ids=str,
)
def test_what_is_no_jwt_is_malformed(text: str) -> None:
    assert reason(text) == "malformed"


@given(st.text(max_size=300))
def test_no_text_breaks_the_reader(text: str) -> None:
    with pytest.raises(AssertionRefusedError):
        read_assertion(text, rules=RULES, now=NOW)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(
    header=st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "jwk", "b64", "x5c", "cty"]), JSON),
    claims=st.dictionaries(st.sampled_from(sorted(GENUINE)), JSON),
)
def test_no_json_breaks_the_reader_and_none_but_the_genuine_passes(
    header: dict[str, Any], claims: dict[str, Any]
) -> None:
    merged = {**GENUINE, **claims}
    try:
        assertion = read_assertion(unsigned(merged, {"alg": "ES256", **header}), rules=RULES, now=NOW)
    except AssertionRefusedError:
        return
    assert assertion.client_id == merged["iss"] == merged["sub"]
    assert SECONDS - 10 < assertion.expires_at <= SECONDS + 310
    assert "crit" not in header
    assert "jwk" not in header


EC, EC_OTHER, OKP, RSA = (
    ECKey.generate_key("P-256"),
    ECKey.generate_key("P-256"),
    OKPKey.generate_key("Ed25519"),
    RSAKey.generate_key(2048),
)


def signed(key: ECKey | OKPKey | RSAKey, algorithm: str, **header: object) -> str:
    from joserfc.jws import JWSRegistry

    content = f"{encode({'alg': algorithm, **header})}.{encode(GENUINE)}"
    return f"{content}.{encode(JWSRegistry.algorithms[algorithm].sign(content.encode(), key))}"


def public(*keys: ECKey | OKPKey | RSAKey, **members: str) -> dict[str, Any]:
    return {"keys": [{**key.as_dict(private=False), **members} for key in keys]}


@pytest.mark.parametrize(("key", "algorithm"), [(EC, "ES256"), (OKP, "EdDSA"), (RSA, "PS256")])
def test_each_kind_of_key_proves_its_client(key: ECKey | OKPKey | RSAKey, algorithm: str) -> None:
    assertion = read_assertion(signed(key, algorithm), rules=RULES, now=NOW)
    found = assertion.signed_by(client_keys(public(EC_OTHER, EC, OKP, RSA)))
    assert found is not None
    assert found.thumbprint == key.thumbprint()


def test_another_clients_key_proves_nothing() -> None:
    assertion = read_assertion(signed(EC, "ES256"), rules=RULES, now=NOW)
    assert assertion.signed_by(client_keys(public(EC_OTHER, OKP, RSA))) is None


def test_a_named_key_is_the_only_one_tried() -> None:
    keys = client_keys(
        {
            "keys": [
                {**EC.as_dict(private=False), "kid": "one"},
                {**EC_OTHER.as_dict(private=False), "kid": "two"},
            ]
        }
    )
    named = read_assertion(signed(EC, "ES256", kid="two"), rules=RULES, now=NOW)
    assert named.signed_by(keys) is None
    assert read_assertion(signed(EC, "ES256", kid="one"), rules=RULES, now=NOW).signed_by(keys) is keys[0]


@pytest.mark.parametrize(
    "kid", ["../../etc/passwd", "' OR 1=1 --", "", "one\x00", "https://attacker.example/k"]
)
def test_a_key_name_is_only_compared(kid: str) -> None:
    assertion = read_assertion(signed(EC, "ES256", kid=kid), rules=RULES, now=NOW)
    assert assertion.signed_by(client_keys(public(EC, kid="one"))) is None


@pytest.mark.parametrize("kid", ["2026-b", None])
def test_a_key_without_a_kid_beside_one_with_is_found_whatever_names_it(kid: str | None) -> None:
    keys = client_keys(
        {"keys": [{**EC_OTHER.as_dict(private=False), "kid": "2026-a"}, EC.as_dict(private=False)]}
    )
    assertion = read_assertion(signed(EC, "ES256", **({"kid": kid} if kid else {})), rules=RULES, now=NOW)
    assert assertion.signed_by(keys) is keys[1]


def test_a_thumbprint_names_a_key() -> None:
    assertion = read_assertion(signed(EC, "ES256", kid=EC.thumbprint()), rules=RULES, now=NOW)
    assert assertion.signed_by(client_keys(public(EC, kid="one"))) is not None


def test_a_key_of_another_type_does_not_verify() -> None:
    content = f"{encode({'alg': 'EdDSA'})}.{encode(GENUINE)}"
    text = f"{content}.{signed(EC, 'ES256').rsplit('.', 1)[1]}"
    assert read_assertion(text, rules=RULES, now=NOW).signed_by(client_keys(public(EC))) is None


@given(position=st.integers(min_value=0), bit=st.integers(min_value=0, max_value=7))
def test_no_changed_bit_of_the_signature_passes(position: int, bit: int) -> None:
    head, _, tail = signed(EC, "ES256").rpartition(".")
    signature = bytearray(base64.urlsafe_b64decode(tail + "=="))
    signature[position % len(signature)] ^= 1 << bit
    changed = read_assertion(f"{head}.{encode(bytes(signature))}", rules=RULES, now=NOW)
    assert changed.signed_by(client_keys(public(EC))) is None


@pytest.mark.parametrize("signature", [b"", b"\0" * 64, b"\xff" * 64, b"x" * 63, b"x" * 65])
def test_empty_and_odd_signatures_are_refused(signature: bytes) -> None:
    assertion = read_assertion(unsigned(GENUINE, signature=signature), rules=RULES, now=NOW)
    assert assertion.signed_by(client_keys(public(EC))) is None
