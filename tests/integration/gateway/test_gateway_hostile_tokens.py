"""Hostile access tokens by name: each is refused, names its reason, and gets nobody recorded as a caller."""

from __future__ import annotations

import base64
import hmac
import json
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from joserfc.jwk import ECKey, OKPKey, RSAKey

from lienthong.kit.tokens import Confirmation
from tests.integration.gateway.world import API, CONSUMER

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.gateway.world import World

PATH = f"{API}/parcels/1"
OF_PS256 = RSAKey.generate_key(2048)


class FromNow(int):
    """So many seconds after the moment at which a token is made: long after this module was read."""

    def moment(self) -> int:
        return int(time.time()) + self


def at_this_moment(value: Any) -> Any:  # noqa: ANN401  of a claim
    """The value of a claim with moments in the place of what counts from now."""
    if isinstance(value, FromNow):
        return value.moment()
    return [at_this_moment(one) for one in value] if isinstance(value, list) else value


CLAIMS: dict[str, tuple[dict[str, Any], str]] = {
    "expired a minute ago": ({"exp": FromNow(-60)}, "expired"),
    "expired at the beginning of time": ({"exp": 0}, "expired"),
    "exp missing": ({"exp": None}, "claims"),
    "exp as text": ({"exp": "1999999999"}, "claims"),
    "exp a truth": ({"exp": True}, "claims"),
    "exp negative": ({"exp": -1}, "claims"),
    "exp beyond the calendar": ({"exp": 10**12}, "claims"),
    "exp as a list": ({"exp": [FromNow(300)]}, "claims"),
    "iat missing": ({"iat": None}, "claims"),
    "iat as text": ({"iat": "now"}, "claims"),
    "iat an hour ahead": ({"iat": FromNow(3600)}, "ahead"),
    "nbf an hour ahead": ({"nbf": FromNow(3600)}, "not_yet"),
    "nbf as text": ({"nbf": "soon"}, "claims"),
    "jti missing": ({"jti": None}, "claims"),
    "jti empty": ({"jti": ""}, "claims"),
    "jti a number": ({"jti": 7}, "claims"),
    "jti with a NUL": ({"jti": "a\0b"}, "claims"),
    "sub missing": ({"sub": None}, "claims"),
    "sub of another client": ({"sub": "H11.36.01/portal"}, "claims"),
    "client_id missing": ({"client_id": None}, "claims"),
    "client_id of another client": ({"client_id": "H11.36.01/portal"}, "claims"),
    "client_id as a list": ({"client_id": [CONSUMER]}, "claims"),
    "scope as a list": ({"scope": ["api"]}, "claims"),
    "scope an object": ({"scope": {"api": True}}, "claims"),
    "iss missing": ({"iss": None}, "issuer"),
    "iss of another server": ({"iss": "https://elsewhere.example"}, "issuer"),
    "iss as a list": ({"iss": ["https://elsewhere.example"]}, "issuer"),
    "aud missing": ({"aud": None}, "audience"),
    "aud of another platform": ({"aud": "urn:lgsp:ELSEWHERE"}, "audience"),
    "aud an empty list": ({"aud": []}, "audience"),
    "aud an object": ({"aud": {"urn:lgsp:VN-BTN": 1}}, "audience"),
    "cnf empty": ({"cnf": {}}, "claims"),
    "cnf as text": ({"cnf": "me"}, "claims"),
    "cnf with a whole key": ({"cnf": {"jwk": {"kty": "EC"}}}, "claims"),
    "cnf with an address of keys": ({"cnf": {"jku": "https://elsewhere.example"}}, "claims"),
    "cnf with a short thumbprint": ({"cnf": {"jkt": "AA"}}, "claims"),
    "cnf with more than is known": ({"cnf": {**Confirmation("ab" * 32).claim(), "x": 1}}, "claims"),
    "typ missing": ({"header_typ": None}, "typ"),
    "typ of an id token": ({"header_typ": "JWT"}, "typ"),
    "typ of a proof": ({"header_typ": "dpop+jwt"}, "typ"),
    "typ of a client's assertion": ({"header_typ": "client-authentication+jwt"}, "typ"),
    "crit": ({"header_crit": ["kid"]}, "crit"),
    "kid missing": ({"header_kid": None}, "kid"),
    "kid of nobody": ({"header_kid": "nobody"}, "kid"),
    "kid that is a path": ({"header_kid": "../../keys/1"}, "kid"),
    "kid that is SQL": ({"header_kid": "' OR 1=1 --"}, "kid"),
}


def encoded(content: object) -> str:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unsigned(world: World, **header: object) -> tuple[str, str]:
    """A header with the gateway's key id, and the claims of a good token."""
    return encoded({"typ": "at+jwt", "kid": world.identity.key.kid, **header}), world.token().split(".")[1]


def mac(world: World, secret: bytes) -> str:
    """A token that is signed with a secret which everybody knows."""
    head, claims = unsigned(world, alg="HS256")
    return f"{head}.{claims}.{encoded(hmac.digest(secret, f'{head}.{claims}'.encode(), 'sha256'))}"


def changed(world: World, part: int, change: Callable[[str], str]) -> str:
    """A good token with one of its parts changed."""
    parts = world.token().split(".")
    parts[part] = change(parts[part])
    return ".".join(parts)


def named(key: Any, world: World) -> Any:  # noqa: ANN401  a key of joserfc's, of any type
    """A stranger's key under the id of identity's."""
    return type(key).import_key({**key.as_dict(private=True), "kid": world.identity.key.kid})


TOKENS: dict[str, tuple[Callable[[World], str], str]] = {
    "no JWT": (lambda world: "opaque", "malformed"),
    "without a signature part": (lambda world: world.token().rpartition(".")[0], "malformed"),
    "with an empty signature": (lambda world: changed(world, 2, lambda _: ""), "malformed"),
    "with a fourth part": (lambda world: world.token() + ".AAAA", "malformed"),
    "five parts, as encrypted ones have": (lambda world: world.token() + ".AA.AA", "malformed"),
    "with padding": (lambda world: world.token() + "==", "malformed"),
    "longer than any": (lambda world: world.token() + "A" * 8192, "malformed"),
    "header no JSON": (lambda world: changed(world, 0, lambda _: encoded(b"{")), "malformed"),
    "header a list": (lambda world: changed(world, 0, lambda _: encoded([1])), "malformed"),
    "header nested without end": (
        lambda world: changed(world, 0, lambda _: encoded(b"[" * 3000)),
        "malformed",
    ),
    "a bit changed in the signature": (
        lambda world: changed(world, 2, lambda part: ("B" if part[0] != "B" else "C") + part[1:]),
        "signature",
    ),
    "claims of one token with the signature of another": (
        lambda world: changed(world, 1, lambda _: world.token().split(".")[1]),
        "signature",
    ),
    "a signature of zeros (CVE-2022-21449)": (
        lambda world: changed(world, 2, lambda _: encoded(bytes(64))),
        "signature",
    ),
    "a signature in DER": (lambda world: changed(world, 2, lambda _: encoded(b"\x30\x06" * 35)), "signature"),
    "a signature that is short": (lambda world: changed(world, 2, lambda part: part[:40]), "signature"),
    "alg none": (lambda world: ".".join((*unsigned(world, alg="none"), "AA")), "alg"),
    "alg None in capitals": (lambda world: ".".join((*unsigned(world, alg="NONE"), "AA")), "alg"),
    "alg missing": (lambda world: ".".join((*unsigned(world), "AA")), "alg"),
    "alg a list": (lambda world: ".".join((*unsigned(world, alg=["ES256"]), "AA")), "alg"),
    "HS256 with the public key as PEM": (
        lambda world: mac(world, world.identity.key.as_pem(private=False)),
        "alg",
    ),
    "HS256 with the public key as JWK": (
        lambda world: mac(world, json.dumps(world.identity.key.as_dict(private=False)).encode()),
        "alg",
    ),
    "HS256 with an empty secret": (lambda world: mac(world, b""), "alg"),
    "of a stranger's key": (
        lambda world: world.identity.token(CONSUMER, named(ECKey.generate_key("P-256"), world)),
        "signature",
    ),
    "of a stranger's key that it brings along": (
        lambda world: world.identity.token(
            CONSUMER,
            (stranger := named(ECKey.generate_key("P-256"), world)),
            header_jwk=stranger.as_dict(private=False),
        ),
        "signature",
    ),
    "of a key that is not published": (
        lambda world: world.identity.token(CONSUMER, ECKey.generate_key("P-256", auto_kid=True)),
        "kid",
    ),
    "PS256 under the id of an EC key": (
        lambda world: world.identity.token(CONSUMER, named(OF_PS256, world), header_alg="PS256"),
        "alg",
    ),
    "RS256": (
        lambda world: world.identity.token(CONSUMER, named(OF_PS256, world), header_alg="RS256"),
        "alg",
    ),
    "Ed25519 under the id of an EC key": (
        lambda world: world.identity.token(
            CONSUMER, named(OKPKey.generate_key("Ed25519"), world), header_alg="Ed25519"
        ),
        "alg",
    ),
}


def check_refused(world: World, token: str, reason: str) -> None:
    seen = len(world.provider.seen)
    for _ in range(2):
        # Twice: what was refused is not known from then on.
        answer = httpx.get(
            f"{world.url}{PATH}", headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=30
        )
        problem = answer.json()
        assert (answer.status_code, problem["code"], problem["reason"]) == (401, "token-refused", reason)
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]
        assert "client" not in world.record(answer.headers["lgsp-transaction-id"])
    assert len(world.provider.seen) == seen


@pytest.mark.parametrize("name", CLAIMS)
def test_refused_for_what_it_says(world: World, name: str) -> None:
    changes, reason = CLAIMS[name]
    claims = {name: at_this_moment(value) for name, value in changes.items()}
    check_refused(world, world.token(**claims), reason)


@pytest.mark.parametrize("name", TOKENS)
def test_refused_for_what_it_is(world: World, name: str) -> None:
    made, reason = TOKENS[name]
    check_refused(world, made(world), reason)


def test_a_good_one_is_taken_all_the_same(world: World) -> None:
    headers = {"Authorization": f"Bearer {world.token()}"}
    assert httpx.get(f"{world.url}{PATH}", headers=headers, trust_env=False).status_code == 200
    assert len(CLAIMS) + len(TOKENS) >= 60
