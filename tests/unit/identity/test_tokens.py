"""Access tokens follow RFC 9068 and are verified by the verifier that every process uses."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from joserfc.jwk import ECKey

from lienthong.identity.domain.access_tokens import TokenRules, TokenSigningKey, mint
from lienthong.kit.clock import ManualClock
from lienthong.kit.tokens import KeySet, TokenRefusedError, TokenVerifier

NOW = datetime(2026, 11, 23, 6, 30, 0, 999_999, tzinfo=UTC)
RULES = TokenRules("https://lgsp.example", "urn:lgsp:VN-BTN", timedelta(minutes=5))


def token(key: TokenSigningKey) -> str:
    return mint(key, RULES, client_id="H11.01/one-stop", scopes=("api", "events"), now=NOW, token_id="t1")


def part(text: str, number: int) -> dict[str, object]:
    found = text.split(".")[number]
    document = json.loads(base64.urlsafe_b64decode(found + "=" * (-len(found) % 4)))
    assert isinstance(document, dict)
    return document


def test_header_and_claims_are_those_of_rfc_9068() -> None:
    key = TokenSigningKey.generate()
    issued = int(NOW.timestamp())
    assert part(token(key), 0) == {"typ": "at+jwt", "alg": "ES256", "kid": key.key_id}
    assert part(token(key), 1) == {
        "iss": "https://lgsp.example",
        "aud": "urn:lgsp:VN-BTN",
        "sub": "H11.01/one-stop",
        "client_id": "H11.01/one-stop",
        "scope": "api events",
        "iat": issued,
        "exp": issued + 300,
        "jti": "t1",
    }


def test_the_houses_verifier_accepts_a_token_until_it_expires() -> None:
    key = TokenSigningKey.generate()
    clock = ManualClock(NOW)
    keys = KeySet.from_jwks(json.dumps({"keys": [key.public_jwk()]}))
    verifier = TokenVerifier(RULES.issuer, RULES.audience, clock, leeway=0)
    access = verifier.verify(token(key), keys)
    assert (access.client_id, access.jti) == ("H11.01/one-stop", "t1")
    assert access.scopes == frozenset({"api", "events"})
    clock.advance(300)
    with pytest.raises(TokenRefusedError, match="expired"):
        verifier.verify(token(key), keys)


def test_the_key_id_is_the_thumbprint_and_the_public_key_holds_no_secret() -> None:
    key = TokenSigningKey.generate()
    public = key.public_jwk()
    assert (
        public["kid"]
        == key.key_id
        == ECKey.import_key({k: public[k] for k in ("kty", "crv", "x", "y")}).thumbprint()
    )
    assert "d" not in public


def test_a_key_survives_being_written_and_read() -> None:
    key = TokenSigningKey.generate()
    assert TokenSigningKey.from_private_jwk(key.private_jwk()).public_jwk() == key.public_jwk()


def test_a_public_or_other_key_is_no_signing_key() -> None:
    with pytest.raises(KeyError):
        TokenSigningKey.from_private_jwk(TokenSigningKey.generate().public_jwk())
    with pytest.raises(ValueError, match="P-256"):
        TokenSigningKey.from_private_jwk(dict(ECKey.generate_key("P-384").as_dict(private=True)))
