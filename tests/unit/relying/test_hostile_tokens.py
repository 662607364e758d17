"""A table of tokens that prove nothing: each is refused for its own reason, whatever else of it is right."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from lienthong.relying.errors import TokenRefusedError, UnknownKeyError
from lienthong.relying.keys import read_keys
from lienthong.relying.tokens import Expected, half_hash, id_claims, logout_token

NOW = datetime(2026, 11, 30, 6, 0, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
ISSUER, CLIENT, NONCE, ACCESS = "https://login.example", "lgsp", "n-1", "access"
RSA = RSAKey.generate_key(2048, {"kid": "rsa"})
OTHER = RSAKey.generate_key(2048, {"kid": "other"})
EC = ECKey.generate_key("P-256", {"kid": "ec"})
ED = OKPKey.generate_key("Ed25519", {"kid": "ed"})
KEYS = read_keys({"keys": [RSA.as_dict(private=False), EC.as_dict(private=False), ED.as_dict(private=False)]})
EXPECTED = Expected(ISSUER, CLIENT, ("RS256", "PS256", "ES256", "EdDSA"))
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "sub": "an",
    "aud": CLIENT,
    "exp": SECONDS + 300,
    "iat": SECONDS,
    "nonce": NONCE,
    "at_hash": half_hash(ACCESS, "RS256"),
}
Key = RSAKey | ECKey | OKPKey
EVENT: dict[str, dict[str, object]] = {"http://schemas.openid.net/event/backchannel-logout": {}}
LOGOUT: dict[str, Any] = {
    "iss": ISSUER,
    "sub": "an",
    "sid": "s-1",
    "aud": CLIENT,
    "iat": SECONDS,
    "exp": SECONDS + 120,
    "jti": "j-1",
    "events": EVENT,
}


def signed(claims: dict[str, Any], *, key: Key = RSA, algorithm: str = "RS256", **header: object) -> str:
    """A JWS of any header over any claims; `...` leaves one out."""
    text = f"{_part({'alg': algorithm, 'kid': key.kid, **header})}.{_part(claims)}"
    return f"{text}.{_base64(JWSRegistry.algorithms[algorithm].sign(text.encode(), key))}"


def signed_with_secret(secret: bytes) -> str:
    """A JWS by HMAC, which joserfc makes with no public key."""
    text = f"{_part({'alg': 'HS256', 'kid': 'rsa'})}.{_part(CLAIMS)}"
    return f"{text}.{_base64(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"


def _part(content: dict[str, object]) -> str:
    return _base64(json.dumps({name: value for name, value in content.items() if value is not ...}).encode())


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def read(token: str) -> dict[str, Any]:
    return id_claims(token, KEYS, EXPECTED, nonce=NONCE, now=NOW, access_token=ACCESS)


def test_what_is_right_is_taken() -> None:
    assert read(signed(CLAIMS))["sub"] == "an"
    for key, algorithm in ((RSA, "PS256"), (EC, "ES256"), (ED, "EdDSA")):
        claims = CLAIMS | {"at_hash": half_hash(ACCESS, algorithm)}
        assert read(signed(claims, key=key, algorithm=algorithm, typ="JWT"))["sub"] == "an"
    assert read(signed(CLAIMS | {"aud": ["x", CLIENT], "azp": CLIENT, "at_hash": ...}))["sub"] == "an"


HOSTILE: dict[str, tuple[str, str]] = {
    "another issuer": (signed(CLAIMS | {"iss": "https://evil.example"}), "iss"),
    "the issuer with a slash more": (signed(CLAIMS | {"iss": f"{ISSUER}/"}), "iss"),
    "the issuer in capitals": (signed(CLAIMS | {"iss": ISSUER.upper()}), "iss"),
    "no issuer": (signed(CLAIMS | {"iss": ...}), "iss"),
    "issuers in a list": (signed(CLAIMS | {"iss": [ISSUER]}), "iss"),
    "another audience": (signed(CLAIMS | {"aud": "other"}), "aud"),
    "no audience": (signed(CLAIMS | {"aud": ...}), "aud"),
    "an audience that begins alike": (signed(CLAIMS | {"aud": f"{CLIENT}-2"}), "aud"),
    "made for another party": (signed(CLAIMS | {"azp": "other"}), "azp"),
    "two audiences and nobody named": (signed(CLAIMS | {"aud": [CLIENT, "other"]}), "azp"),
    "expired": (signed(CLAIMS | {"exp": SECONDS - 60}), "exp"),
    "never expires": (signed(CLAIMS | {"exp": ...}), "exp"),
    "expires at a text": (signed(CLAIMS | {"exp": str(SECONDS + 60)}), "exp"),
    "expires at true": (signed(CLAIMS | {"exp": True}), "exp"),
    "issued an hour ago": (signed(CLAIMS | {"iat": SECONDS - 3_600}), "iat"),
    "issued tomorrow": (signed(CLAIMS | {"iat": SECONDS + 86_400}), "iat"),
    "issued nowhen": (signed(CLAIMS | {"iat": ...}), "iat"),
    "not yet good": (signed(CLAIMS | {"nbf": SECONDS + 600}), "nbf"),
    "another nonce": (signed(CLAIMS | {"nonce": "n-2"}), "nonce"),
    "no nonce": (signed(CLAIMS | {"nonce": ...}), "nonce"),
    "a nonce that is no text": (signed(CLAIMS | {"nonce": [NONCE]}), "nonce"),
    "nobody": (signed(CLAIMS | {"sub": ...}), "sub"),
    "an empty subject": (signed(CLAIMS | {"sub": ""}), "sub"),
    "a subject of other letters": (signed(CLAIMS | {"sub": "\u0430n"}), "sub"),
    "a subject with a line end": (signed(CLAIMS | {"sub": "an\n"}), "sub"),
    "a subject without end": (signed(CLAIMS | {"sub": "a" * 256}), "sub"),
    "a subject that is a number": (signed(CLAIMS | {"sub": 1}), "sub"),
    "the hash of another token": (signed(CLAIMS | {"at_hash": half_hash("x", "RS256")}), "at_hash"),
    "an empty hash": (signed(CLAIMS | {"at_hash": ""}), "at_hash"),
    "the algorithm none": (f"{_part({'alg': 'none'})}.{_part(CLAIMS)}.AA", "alg"),
    "the algorithm NONE": (f"{_part({'alg': 'NONE'})}.{_part(CLAIMS)}.AA", "alg"),
    "no algorithm": (signed(CLAIMS, alg=...), "alg"),
    "an algorithm that is not allowed": (signed(CLAIMS, algorithm="RS384"), "alg"),
    "a public key as a shared secret": (signed_with_secret(RSA.as_pem(private=False)), "alg"),
    "a critical extension": (signed(CLAIMS, crit=["b64"], b64=False), "crit"),
    "another kind of token": (signed(CLAIMS, typ="at+jwt"), "typ"),
    "a logout token": (signed(CLAIMS, typ="logout+jwt"), "typ"),
    "a key id that is no text": (signed(CLAIMS, kid=7), "kid"),
    "a key that is not published": (signed(CLAIMS, key=OTHER), "kid"),
    "another key under a known name": (signed(CLAIMS, key=OTHER, kid="rsa"), "signature"),
    "a key that it brings": (signed(CLAIMS, key=OTHER, jwk=OTHER.as_dict(private=False)), "kid"),
    "a key that it brings under a known name": (
        signed(CLAIMS, key=OTHER, kid="rsa", jwk=OTHER.as_dict(private=False)),
        "signature",
    ),
    "the key of another type": (signed(CLAIMS, kid="ec"), "kid"),
    "two parts": (".".join(signed(CLAIMS).split(".")[:2]), "malformed"),
    "no signature": (".".join(signed(CLAIMS).split(".")[:2]) + ".", "malformed"),
    "encrypted": (signed(CLAIMS) + ".a.b", "malformed"),
    "padded": (signed(CLAIMS) + "=", "malformed"),
    "claims that are a list": (f"{_part({'alg': 'RS256'})}.{_base64(b'[]')}.AA", "malformed"),
    "huge": (signed(CLAIMS | {"groups": "g" * 40_000}), "malformed"),
    "deep": (f"{_part({'alg': 'RS256'})}.{_base64(b'[' * 9_000 + b']' * 9_000)}.AA", "malformed"),
    "other claims under a signature": (
        ".".join([signed(CLAIMS).split(".")[0], _part(CLAIMS | {"sub": "b"}), signed(CLAIMS).split(".")[2]]),
        "signature",
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_an_id_token_that_proves_nothing_is_refused(case: str) -> None:
    token, reason = HOSTILE[case]
    with pytest.raises(TokenRefusedError) as refused:
        read(token)
    assert str(refused.value) == reason


def test_a_key_that_is_not_known_may_be_a_new_one() -> None:
    with pytest.raises(UnknownKeyError):
        read(signed(CLAIMS, key=OTHER))


def test_a_token_without_a_key_id_is_taken_where_one_key_fits_alone() -> None:
    assert read(signed(CLAIMS, kid=...))["sub"] == "an"
    two = read_keys({"keys": [RSA.as_dict(private=False), OTHER.as_dict(private=False)]})
    with pytest.raises(UnknownKeyError):
        id_claims(signed(CLAIMS, kid=...), two, EXPECTED, nonce=NONCE, now=NOW)


def test_keys_that_cannot_verify_are_passed_over() -> None:
    public = RSA.as_dict(private=False)
    published: list[Any] = [
        {**public, "use": "enc"},
        {**public, "key_ops": ["encrypt"]},
        {**public, "n": "AQAB"},
        {**public, "n": 7},
        {**public, "kid": 7},
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "PQ"},
        "no key",
    ]
    assert read_keys({"keys": published}) == ()
    assert read_keys({}) == read_keys({"keys": None}) == ()
    assert len(read_keys({"keys": [public] * 1_000})) == 100
    # Of a private key that was published by mistake nothing but the public half is read.
    (found,) = read_keys({"keys": [RSA.as_dict(private=True)]})
    assert not found.key.is_private


def test_a_logout_token_names_whom_it_signs_out() -> None:
    for typ in ("logout+jwt", "JWT", ...):
        found = logout_token(signed(LOGOUT, typ=typ), KEYS, EXPECTED, now=NOW)
        assert (found.subject, found.session, found.issued_at) == ("an", "s-1", SECONDS)
    alone = logout_token(signed(LOGOUT | {"sub": ...}), KEYS, EXPECTED, now=NOW)
    assert (alone.subject, alone.session) == (None, "s-1")


LOGOUTS: dict[str, tuple[dict[str, Any], str]] = {
    "an ID token": (CLAIMS, "events"),
    "no event": (LOGOUT | {"events": {}}, "events"),
    "an event that is no object": (LOGOUT | {"events": dict.fromkeys(EVENT, True)}, "events"),
    "with a nonce": (LOGOUT | {"nonce": "n"}, "nonce"),
    "nobody": (LOGOUT | {"sub": ..., "sid": ...}, "sub"),
    "another issuer": (LOGOUT | {"iss": "https://evil.example"}, "iss"),
    "another audience": (LOGOUT | {"aud": "other"}, "aud"),
    "expired": (LOGOUT | {"exp": SECONDS - 60}, "exp"),
    "old": (LOGOUT | {"iat": SECONDS - 3_600, "exp": ...}, "iat"),
    "without a name of its own": (LOGOUT | {"jti": ...}, "jti"),
}


@pytest.mark.parametrize("case", LOGOUTS)
def test_a_logout_token_that_proves_nothing_is_refused(case: str) -> None:
    claims, reason = LOGOUTS[case]
    with pytest.raises(TokenRefusedError) as refused:
        logout_token(signed(claims), KEYS, EXPECTED, now=NOW)
    assert str(refused.value) == reason
