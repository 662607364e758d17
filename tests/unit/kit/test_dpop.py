"""DPoP proofs: every check of RFC 9449 section 4.3, and what the proof shows when all pass."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from lienthong.kit.clock import ManualClock
from lienthong.kit.dpop import Proof, ProofReader, ProofRefusedError
from lienthong.kit.dpop_nonces import Nonces
from lienthong.kit.problems.proofs import fault_text
from tests.support.dpop import encoded, proof
from tests.support.rpc import rpc_trust

CLOCK = ManualClock()
NOW = int(CLOCK.now().timestamp())
NONCES = Nonces(rpc_trust(), CLOCK)
READER = ProofReader(["https://api.example", "https://api.example:8443"], NONCES, CLOCK)
PATH, ADDRESS, TOKEN = "/services/a/b", "https://api.example/services/a/b", "a.b.c"
KEY = ECKey.generate_key("P-256")
KEYS = {"ES256": KEY, "EdDSA": OKPKey.generate_key("Ed25519"), "PS256": RSAKey.generate_key(2048)}
STANDING: dict[str, Any] = {"now": CLOCK.now(), "nonce": NONCES.fresh(), "token": TOKEN}


def made(**changes: Any) -> str:  # noqa: ANN401
    return proof(changes.pop("key", KEY), "GET", ADDRESS, **(STANDING | changes))


def read(text: str) -> Proof:
    return READER.read(text, method="GET", path=PATH, token=TOKEN)


def fault(text: str) -> tuple[str, str]:
    with pytest.raises(ProofRefusedError) as refused:
        read(text)
    fault_text(refused.value.fault, refused.value.about).en.encode("ascii")
    return refused.value.fault, refused.value.about


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_a_genuine_proof_stands_and_names_its_key(key: ECKey | OKPKey | RSAKey) -> None:
    found = read(made(key=key))
    assert found.key.thumbprint == key.thumbprint()
    assert found.nonce_from == NOW
    assert found.is_signed()


def test_a_proof_of_another_key_under_this_jwk_is_not_signed() -> None:
    other = ECKey.generate_key("P-256")
    assert not read(made(header={"jwk": other.as_dict(private=False)})).is_signed()


GOOD: dict[str, dict[str, Any]] = {
    "the edge's address": {"htu": "https://api.example:8443/services/a/b"},
    "the address with its query": {"htu": f"{ADDRESS}?x=1"},
    "the address with a fragment": {"htu": f"{ADDRESS}#x"},
    "the host in capitals": {"htu": "HTTPS://API.EXAMPLE/services/a/b"},
    "the default port": {"htu": "https://api.example:443/services/a/b"},
    "needless percent-encoding": {"htu": "https://api.example/%73ervices/a/b"},
    "as old as may be": {"iat": NOW - 70},
    "as far ahead as may be": {"iat": NOW + 10},
    "fractions of seconds": {"iat": NOW + 0.5},
    "Ed25519 as RFC 9864 names it": {"key": KEYS["EdDSA"], "header": {"alg": "Ed25519"}},
    "typ as a whole media type": {"header": {"typ": "application/dpop+jwt"}},
    "a key with kid, use and alg": {
        "header": {"jwk": {**KEY.as_dict(private=False), "kid": "k", "use": "sig", "alg": "ES256"}}
    },
    "claims that are not known": {"exp": NOW + 60, "more": {"a": [1]}},
    "the longest jti": {"jti": "x" * 256},
}


@pytest.mark.parametrize("name", GOOD)
def test_it_stands_with(name: str) -> None:
    assert read(made(**GOOD[name])).is_signed()


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no typ": ({"header": {"typ": ...}}, "typ"),
    "typ of a token": ({"header": {"typ": "at+jwt"}}, "typ"),
    "typ JWT": ({"header": {"typ": "JWT"}}, "typ"),
    "typ a number": ({"header": {"typ": 1}}, "typ"),
    "no alg": ({"header": {"alg": ...}}, "alg"),
    "alg none": ({"header": {"alg": "none"}}, "alg"),
    "alg HS256": ({"header": {"alg": "HS256"}}, "alg"),
    "alg RS256": ({"header": {"alg": "RS256"}}, "alg"),
    "alg of another key": ({"header": {"alg": "PS256"}}, "alg"),
    "crit": ({"header": {"crit": ["exp"]}}, "crit"),
    "b64": ({"header": {"b64": False}}, "crit"),
    "no jwk": ({"header": {"jwk": ...}}, "jwk"),
    "jwk as text": ({"header": {"jwk": "{}"}}, "jwk"),
    "jwk of P-384": ({"header": {"jwk": ECKey.generate_key("P-384").as_dict(private=False)}}, "jwk"),
    "jwk for encryption": ({"header": {"jwk": {**KEY.as_dict(private=False), "use": "enc"}}}, "jwk"),
    "jwk off the curve": (
        {"header": {"jwk": {**KEY.as_dict(private=False), "x": encoded(bytes(32))}}},
        "jwk",
    ),
    "a private jwk": ({"header": {"jwk": KEY.as_dict(private=True)}}, "private_key"),
    "a symmetric jwk": ({"header": {"jwk": OctKey.generate_key(256).as_dict()}}, "private_key"),
    "no jti": ({"jti": ...}, "claims"),
    "an empty jti": ({"jti": ""}, "claims"),
    "jti a number": ({"jti": 1}, "claims"),
    "a long jti": ({"jti": "x" * 257}, "jti"),
    "no htm": ({"htm": ...}, "claims"),
    "another htm": ({"htm": "POST"}, "htm"),
    "htm in small letters": ({"htm": "get"}, "htm"),
    "no htu": ({"htu": ...}, "claims"),
    "another path": ({"htu": "https://api.example/services/a"}, "htu"),
    "another host": ({"htu": "https://evil.example/services/a/b"}, "htu"),
    "another port": ({"htu": "https://api.example:444/services/a/b"}, "htu"),
    "another scheme": ({"htu": "http://api.example/services/a/b"}, "htu"),
    "a path alone": ({"htu": PATH}, "htu"),
    "a host with a name before it": ({"htu": "https://api.example@evil.example/services/a/b"}, "htu"),
    "a slash more": ({"htu": f"{ADDRESS}/"}, "htu"),
    "no ath": ({"ath": ...}, "claims"),
    "ath of another token": ({"token": "a.b.d"}, "ath"),
    "no iat": ({"iat": ...}, "claims"),
    "iat as text": ({"iat": str(NOW)}, "claims"),
    "iat a truth": ({"iat": True}, "claims"),
    "iat beyond time": ({"iat": 1e300}, "claims"),
    "iat too old": ({"iat": NOW - 71}, "past"),
    "iat too far ahead": ({"iat": NOW + 11}, "future"),
    "no nonce": ({"nonce": ...}, "nonce_missing"),
    "a foreign nonce": ({"nonce": "A" * 28}, "nonce"),
    "nonce a number": ({"nonce": 1}, "nonce"),
}


@pytest.mark.parametrize("name", BAD)
def test_it_is_refused_with(name: str) -> None:
    changes, expected = BAD[name]
    assert fault(made(**changes))[0] == expected


def test_what_is_missing_and_how_far_clocks_differ_is_named() -> None:
    assert fault(made(htm=...)) == ("claims", "htm")
    assert fault(made(iat=NOW - 75)) == ("past", "75")
    assert fault(made(iat=NOW + 75)) == ("future", "75")


@pytest.mark.parametrize(
    "text", ["", "a", "a.b.c.d", "..", "a.b.c", made() + "=", made()[:-1] + " ", "x" * 9000, "[].[].AA"]
)
def test_what_is_no_jws_is_refused(text: str) -> None:
    assert fault(text)[0] == "malformed"


def test_two_proofs_are_refused_and_not_read() -> None:
    assert fault(f"{made()},{made()}")[0] == "several"


def test_a_key_that_is_kept_is_not_read_again_and_decides_nothing() -> None:
    reader = ProofReader(["https://api.example"], NONCES, CLOCK)
    first = reader.read(made(), method="GET", path=PATH, token=TOKEN)
    reader.keep_key(first)
    second = reader.read(made(), method="GET", path=PATH, token=TOKEN)
    assert second.key is first.key
    assert second.digest != first.digest
    head, body, _ = made().split(".")
    forged = reader.read(f"{head}.{body}.{encoded(bytes(64))}", method="GET", path=PATH, token=TOKEN)
    assert not forged.is_signed()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(["typ", "alg", "jwk", "crit"]), JSON)
def test_a_header_changed_to_anything_is_refused(name: str, value: object) -> None:
    assert fault(made(header={name: value}))[0] in {"typ", "alg", "jwk", "crit", "private_key", "malformed"}


@given(st.sampled_from(["jti", "htm", "htu", "ath", "iat", "nonce"]), JSON)
def test_a_claim_changed_to_anything_never_breaks_the_reader(name: str, value: object) -> None:
    try:
        found = read(made(**{name: value}))
    except ProofRefusedError:
        return
    assert found.is_signed()


@given(st.text(max_size=200))
def test_no_text_makes_the_reader_fail(text: str) -> None:
    assert fault(text)


def test_every_claim_counts_for_the_signature() -> None:
    head, body, signature = made().split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    changed = encoded(json.dumps({**claims, "jti": "other"}).encode())
    assert not read(f"{head}.{changed}.{signature}").is_signed()
