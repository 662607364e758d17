"""Hostile client assertions by name: each gets no token, and the answer says what is wrong with it."""

from __future__ import annotations

import base64
import hmac
import json
from typing import TYPE_CHECKING, Any

import pytest
from joserfc.jwk import ECKey, RSAKey

from tests.integration.identity.harness import ISSUER, SYSTEM, running, settings_for, sign

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from lienthong.kit.clock import ManualClock
    from tests.integration.identity.harness import Process

KEY, STRANGER = ECKey.generate_key("P-256"), ECKey.generate_key("P-256")
OF_RSA = RSAKey.generate_key(2048)
PUBLIC = KEY.as_dict(private=False)


@pytest.fixture
async def process(tmp_path: Path, database_url: str, clock: ManualClock) -> AsyncIterator[Process]:
    async with running(settings_for(tmp_path, database_url), clock=clock) as process:
        await process.register(KEY)
        yield process


CLAIMS: dict[str, tuple[dict[str, Any], str]] = {
    "iss missing": ({"iss": ...}, "iss and sub"),
    "sub missing": ({"sub": ...}, "iss and sub"),
    "sub of another client": ({"sub": "H11.05/land"}, "iss and sub"),
    "iss and sub of nobody": ({"iss": "H11.99/nobody", "sub": "H11.99/nobody"}, "not registered"),
    "iss and sub a list": ({"iss": [SYSTEM], "sub": [SYSTEM]}, "iss and sub"),
    "iss and sub with a NUL": ({"iss": "a\0b", "sub": "a\0b"}, "iss and sub"),
    "iss and sub without end": ({"iss": "x" * 300, "sub": "x" * 300}, "iss and sub"),
    "aud missing": ({"aud": ...}, "aud"),
    "aud of another server": ({"aud": "https://other.example"}, "aud"),
    "aud of this server and another": ({"aud": [ISSUER, "https://other.example"]}, "aud"),
    "aud an empty list": ({"aud": []}, "aud"),
    "aud that begins like this server": ({"aud": f"{ISSUER}.evil.example"}, "aud"),
    "exp missing": ({"exp": ...}, "exp"),
    "exp at the beginning of time": ({"exp": 0}, "expired"),
    "exp in a thousand years": ({"exp": 10**11}, "too long"),
    "exp as text": ({"exp": "soon"}, "numbers"),
    "exp a truth": ({"exp": True}, "numbers"),
    "exp too large to compare": ({"exp": 10**400}, "numbers"),
    "iat in a thousand years": ({"iat": 10**11}, "future"),
    "iat as text": ({"iat": "now"}, "numbers"),
    "nbf in a thousand years": ({"nbf": 10**11}, "future"),
    "nbf an object": ({"nbf": {}}, "numbers"),
    "jti missing": ({"jti": ...}, "jti"),
    "jti empty": ({"jti": ""}, "jti"),
    "jti a number": ({"jti": 7}, "jti"),
    "jti without end": ({"jti": "x" * 300}, "jti"),
}
HEADERS: dict[str, tuple[dict[str, Any], str]] = {
    "brings a key along": ({"jwk": STRANGER.as_dict(private=False)}, "carry a key"),
    "names an address of keys": ({"jku": "http://127.0.0.1:9/keys"}, "carry a key"),
    "names an address of certificates": ({"x5u": "http://127.0.0.1:9/chain"}, "carry a key"),
    "brings certificates along": ({"x5c": ["MIIB"]}, "carry a key"),
    "a critical extension": ({"crit": ["exp"], "exp": 1}, "crit"),
    "a payload that is not encoded": ({"crit": ["b64"], "b64": False}, "crit"),
    "typ of an access token": ({"typ": "at+jwt"}, "typ"),
    "typ of a proof": ({"typ": "dpop+jwt"}, "typ"),
    "typ a number": ({"typ": 1}, "typ"),
    "kid that is a path": ({"kid": "../../key"}, "not registered"),
    "kid of the client": ({"kid": SYSTEM}, "not registered"),
    "kid a list": ({"kid": [1]}, "compact form"),
    "signed by a stranger": ({}, "not registered"),
    "signed by a stranger under the right kid": ({"kid": KEY.thumbprint()}, "not registered"),
}


def encoded(content: object) -> str:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def genuine(process: Process) -> dict[str, object]:
    now = int(process.clock.now().timestamp())
    return {"iss": SYSTEM, "sub": SYSTEM, "aud": ISSUER, "exp": now + 60, "jti": "forged"}


def mac(process: Process, secret: bytes) -> str:
    signed = f"{encoded({'alg': 'HS256'})}.{encoded(genuine(process))}"
    return f"{signed}.{encoded(hmac.digest(secret, signed.encode(), 'sha256'))}"


def of_parts(process: Process, change: Callable[[list[str]], list[str]]) -> str:
    return ".".join(change(process.assertion(KEY).split(".")))


ASSERTIONS: dict[str, tuple[Callable[[Process], str], str]] = {
    "no JWT": (lambda process: "text", "compact form"),
    "one part": (lambda process: encoded({"alg": "ES256"}), "compact form"),
    "four parts": (lambda process: process.assertion(KEY) + ".AA", "compact form"),
    "claims no JSON": (
        lambda process: of_parts(process, lambda p: [p[0], encoded(b"{"), p[2]]),
        "compact form",
    ),
    "claims a list": (
        lambda process: of_parts(process, lambda p: [p[0], encoded([1]), p[2]]),
        "compact form",
    ),
    "claims nested without end": (
        lambda process: of_parts(process, lambda p: [p[0], encoded(b"[" * 5000), p[2]]),
        "compact form",
    ),
    "longer than any": (lambda process: process.assertion(KEY, more="x" * 20_000), "compact form"),
    "alg none": (lambda process: f"{encoded({'alg': 'none'})}.{encoded(genuine(process))}.", "alg"),
    "alg missing": (
        lambda process: f"{encoded({'typ': 'JWT'})}.{encoded(genuine(process))}.AA",
        "compact form",
    ),
    "HS256 with the public key as PEM": (lambda process: mac(process, KEY.as_pem(private=False)), "alg"),
    "HS256 with the public key as JWK": (lambda process: mac(process, json.dumps(PUBLIC).encode()), "alg"),
    "HS256 with an empty secret": (lambda process: mac(process, b""), "alg"),
    "RS256": (lambda process: sign(OF_RSA, genuine(process), alg="RS256"), "alg"),
    "PS256 with a key that is not registered": (
        lambda process: sign(OF_RSA, genuine(process)),
        "not registered",
    ),
    "without its signature": (
        lambda process: of_parts(process, lambda p: [p[0], p[1], ""]),
        "not registered",
    ),
    "a signature of zeros (CVE-2022-21449)": (
        lambda process: of_parts(process, lambda p: [p[0], p[1], encoded(bytes(64))]),
        "not registered",
    ),
    "claims of one with the signature of another": (
        lambda process: of_parts(process, lambda p: [p[0], p[1], process.assertion(KEY).split(".")[2]]),
        "not registered",
    ),
}


async def check_refused(process: Process, assertion: str, says: str) -> None:
    answer = await process.ask(assertion)
    document = answer.json()
    assert (answer.status_code, document["error"]) == (401, "invalid_client"), document
    assert says in document["error_description"]
    assert document["error_description_vi"]
    assert "lgsp-client" not in answer.headers


@pytest.mark.parametrize("name", CLAIMS)
async def test_refused_for_what_it_says(process: Process, name: str) -> None:
    changes, says = CLAIMS[name]
    await check_refused(process, process.assertion(KEY, **changes), says)


@pytest.mark.parametrize("name", HEADERS)
async def test_refused_for_its_header(process: Process, name: str) -> None:
    header, says = HEADERS[name]
    await check_refused(process, sign(STRANGER, genuine(process), **header), says)


@pytest.mark.parametrize("name", ASSERTIONS)
async def test_refused_for_what_it_is(process: Process, name: str) -> None:
    made, says = ASSERTIONS[name]
    await check_refused(process, made(process), says)


async def test_an_access_token_and_a_proof_are_no_assertions(process: Process) -> None:
    token = (await process.ask(process.assertion(KEY))).json()["access_token"]
    await check_refused(process, token, "typ")
    assert len(CLAIMS) + len(HEADERS) + len(ASSERTIONS) >= 50
