"""DPoP at the token endpoint (RFC 9449 sections 5 and 8): the cases of OpenID's FAPI 2 suite, and more."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from lienthong.kit.ids import uuid7
from lienthong.kit.shown import CERTIFICATE_HEADER, Shown
from lienthong.kit.tokens import KeySet, TokenVerifier
from tests.integration.identity.harness import (
    ASSERTION_TYPE,
    ISSUER,
    TOKEN_ENDPOINT,
    running,
    settings_for,
)
from tests.support.dpop import encoded, proof
from tests.support.rpc import rpc_trust

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

    from lienthong.kit.clock import ManualClock
    from lienthong.kit.tokens import AccessToken
    from tests.integration.identity.harness import Key, Process

CLIENT_KEY = ECKey.generate_key("P-256")
KEY, OTHER = ECKey.generate_key("P-256"), ECKey.generate_key("P-256")
KEYS: dict[str, Key] = {
    "ES256": KEY, "EdDSA": OKPKey.generate_key("Ed25519"), "PS256": RSAKey.generate_key(2048),
}  # fmt: skip
PUBLIC = KEY.as_dict(private=False)
EDGE = "https://lgsp.example:8443"


@pytest.fixture
async def process(tmp_path: Path, database_url: str, clock: ManualClock) -> AsyncIterator[Process]:
    settings = settings_for(tmp_path, database_url, edge_url=EDGE)
    async with running(settings, clock=clock) as process:
        await process.register(CLIENT_KEY)
        yield process


async def ask(
    process: Process, *proofs: str, assertion: str | None = None, headers: dict[str, str] | None = None
) -> httpx.Response:
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion or process.assertion(CLIENT_KEY),
    }
    fields = [("DPoP", text) for text in proofs] + list((headers or {}).items())
    return await process.http.post("/oauth2/token", data=form, headers=fields)


async def nonce_of(process: Process) -> str:
    """The nonce that a first try is answered with."""
    answer = await ask(process, made(process))
    assert (answer.status_code, answer.json()["error"]) == (400, "use_dpop_nonce")
    return answer.headers["dpop-nonce"]


def made(process: Process, key: Key = KEY, **changes: Any) -> str:  # noqa: ANN401
    """A proof for the token endpoint; times in `changes` are seconds from now."""
    now = process.clock.now()
    if isinstance(changes.get("iat"), int) and not isinstance(changes["iat"], bool):
        changes["iat"] += int(now.timestamp())
    return proof(key, "POST", TOKEN_ENDPOINT, **({"now": now} | changes))


def verified(process: Process, answer: httpx.Response) -> AccessToken:
    assert answer.status_code == 200, answer.text
    keys = KeySet.from_jwks(process.core.keyring.published.jwks)
    return TokenVerifier(ISSUER, "urn:lgsp:VN-BTN", process.clock).verify(answer.json()["access_token"], keys)


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
async def test_a_token_is_bound_to_the_key_of_the_proof(process: Process, key: Key) -> None:
    answer = await ask(process, made(process, key, nonce=await nonce_of(process)))
    assert answer.json()["token_type"] == "DPoP"
    assert answer.headers["dpop-nonce"]
    token = verified(process, answer)
    assert token.confirmation is not None
    assert (token.confirmation.key, token.confirmation.certificate) == (key.thumbprint(), None)
    payload = answer.json()["access_token"].split(".")[1]
    assert json.loads(base64.urlsafe_b64decode(payload + "=="))["cnf"] == {"jkt": key.thumbprint()}


async def test_without_a_proof_there_is_a_bearer_token_and_no_nonce(process: Process) -> None:
    answer = await ask(process)
    assert answer.json()["token_type"] == "Bearer"
    assert "dpop-nonce" not in answer.headers
    assert verified(process, answer).confirmation is None


async def test_the_metadata_say_what_proofs_may_be_signed_with(process: Process) -> None:
    document = (await process.http.get("/.well-known/oauth-authorization-server")).json()
    assert document["dpop_signing_alg_values_supported"] == ["ES256", "EdDSA", "PS256"]


HAPPY: dict[str, dict[str, Any]] = {
    "ensure-dpop-proof-with-iat-10-seconds-before-succeeds": {"iat": -10},
    "ensure-dpop-proof-with-iat-10-seconds-after-succeeds": {"iat": 10},
    "check-dpop-proof-nbf-exp": {"nbf": 0, "exp": 0},
    "iat as old as may be": {"iat": -70},
    "'htu' has a query/fragment": {"htu": f"{TOKEN_ENDPOINT}?a=b#c"},
    "compare scheme and hostname using case independent mode": {"htu": "HTTPS://LGSP.EXAMPLE/oauth2/token"},
    "the port is not considered if that is the default": {"htu": "https://lgsp.example:443/oauth2/token"},
    "the edge's address": {"htu": f"{EDGE}/oauth2/token"},
    "extra claims on header and claims": {"header": {"extra": {"a": 1}}, "extra": [1]},
    "typ in capitals": {"header": {"typ": "DPOP+JWT"}},
}


@pytest.mark.parametrize("name", HAPPY)
async def test_accepted(process: Process, name: str) -> None:
    answer = await ask(process, made(process, nonce=await nonce_of(process), **HAPPY[name]))
    assert (answer.status_code, answer.json().get("token_type")) == (200, "DPoP"), answer.text


async def test_the_header_with_all_upper_case_name(process: Process) -> None:
    answer = await ask(process, headers={"DPOP": made(process, nonce=await nonce_of(process))})
    assert answer.status_code == 200


REFUSED: dict[str, dict[str, Any]] = {
    "DPoP proof where 'typ' is missing in header": {"header": {"typ": ...}},
    "DPoP proof with invalid 'typ' in header": {"header": {"typ": "jwt"}},
    "DPoP proof where 'alg' is missing": {"header": {"alg": ...}},
    "DPoP proof with none alg": {"header": {"alg": "none"}},
    "DPoP proof signed using RS256": {"key": KEYS["PS256"], "header": {"alg": "RS256"}},
    "a symmetric algorithm": {"header": {"alg": "HS256"}},
    "a symmetric algorithm with the key in it": {
        "header": {"alg": "HS256", "jwk": OctKey.generate_key(256).as_dict()}
    },
    "an algorithm that is not the key's": {"header": {"alg": "EdDSA"}},
    "DPoP proof where 'jwk' is missing": {"header": {"jwk": ...}},
    "jwk header incorrectly containing private key": {"header": {"jwk": KEY.as_dict(private=True)}},
    "jwk off the curve": {"header": {"jwk": {**PUBLIC, "y": PUBLIC["x"]}}},
    "jwk for encryption": {"header": {"jwk": {**PUBLIC, "use": "enc"}}},
    "kid in place of jwk": {"header": {"jwk": ..., "kid": CLIENT_KEY.thumbprint()}},
    "a critical extension": {"header": {"crit": ["exp"], "exp": 1}},
    "DPoP proof where 'jti' is missing": {"jti": ...},
    "a jti that is no text": {"jti": 7},
    "a jti without end": {"jti": "x" * 300},
    "DPoP proof where 'htm' is missing": {"htm": ...},
    "DPoP proof with incorrect 'htm'": {"htm": "PUT"},
    "htm in small letters": {"htm": "post"},
    "DPoP proof where 'htu' is missing": {"htu": ...},
    "DPoP proof where 'htu' is a different url": {"htu": "https://other.example/oauth2/token"},
    "htu of another path": {"htu": f"{ISSUER}/oauth2/tokens"},
    "htu of another scheme": {"htu": TOKEN_ENDPOINT.replace("https", "http")},
    "htu of another port": {"htu": "https://lgsp.example:444/oauth2/token"},
    "htu without an origin": {"htu": "/oauth2/token"},
    "DPoP proof where 'iat' is missing": {"iat": ...},
    "iat as text": {"iat": "now"},
    "DPoP proof where 'iat' is one hour in the future": {"iat": 3600},
    "DPoP proof where 'iat' is one hour in the past": {"iat": -3600},
    "iat just too far ahead": {"iat": 11},
    "iat just too old": {"iat": -71},
}


@pytest.mark.parametrize("name", REFUSED)
async def test_refused(process: Process, name: str) -> None:
    answer = await ask(process, made(process, **{"nonce": await nonce_of(process), **REFUSED[name]}))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof"), answer.text
    assert answer.headers["lgsp-error"] == "invalid-dpop-proof"
    assert answer.json()["error_description"].isascii()
    assert answer.json()["error_description_vi"]


async def test_not_well_formed_or_signed_by_another(process: Process) -> None:
    nonce = await nonce_of(process)
    head, body, signature = made(process, nonce=nonce).split(".")
    forged = [
        "text",
        f"{head}.{body}",
        f"{head}.{body}.",
        f"{head}.{body}.{encoded(bytes(64))}",
        f"{head}.{body}.{signature[:-2]}AA",
        made(process, OTHER, nonce=nonce, header={"jwk": PUBLIC}),
        f"{head}.{body}.{'A' * 9000}",
    ]
    for text in forged:
        answer = await ask(process, text)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof"), text[:80]


async def test_more_than_one_dpop_in_the_header(process: Process) -> None:
    nonce = await nonce_of(process)
    two = made(process, nonce=nonce), made(process, nonce=nonce)
    for proofs in (two, (", ".join(two),)):
        answer = await ask(process, *proofs)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof")
        assert "more than one" in answer.json()["error_description"]


@pytest.mark.parametrize("nonce", [None, "A" * 28, "", "x", 7])
async def test_the_nonce_missing_or_foreign(process: Process, nonce: Any) -> None:  # noqa: ANN401
    changes = {} if nonce is None else {"nonce": nonce}
    answer = await ask(process, made(process, **changes))
    assert (answer.status_code, answer.json()["error"]) == (400, "use_dpop_nonce")
    retried = await ask(process, made(process, nonce=answer.headers["dpop-nonce"]))
    assert retried.status_code == 200


async def test_the_nonce_stale(process: Process, clock: ManualClock) -> None:
    nonce = await nonce_of(process)
    clock.advance(119)
    assert (await ask(process, made(process, nonce=nonce))).status_code == 200
    clock.advance(1)
    answer = await ask(process, made(process, nonce=nonce))
    assert (answer.status_code, answer.json()["error"]) == (400, "use_dpop_nonce")


async def test_an_assertion_is_not_used_up_by_a_proof_that_needs_another_nonce(process: Process) -> None:
    assertion = process.assertion(CLIENT_KEY)
    first = await ask(process, made(process), assertion=assertion)
    assert first.json()["error"] == "use_dpop_nonce"
    again = await ask(process, made(process, nonce=first.headers["dpop-nonce"]), assertion=assertion)
    assert again.status_code == 200
    assert (await ask(process, assertion=assertion)).status_code == 401


async def test_reuse_of_a_jti(process: Process) -> None:
    nonce = await nonce_of(process)
    once = made(process, nonce=nonce)
    assert (await ask(process, once)).status_code == 200
    for _ in range(2):
        answer = await ask(process, once)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof")
        assert "used before" in answer.json()["error_description"]
    # It is the key's own jti: another key may use the same text.
    assert (await ask(process, made(process, nonce=nonce, jti="1"))).status_code == 200
    assert (await ask(process, made(process, OTHER, nonce=nonce, jti="1"))).status_code == 200
    assert (await ask(process, made(process, nonce=nonce, jti="1"))).status_code == 400


async def test_a_proof_is_good_once_on_all_replicas(
    tmp_path: Path, database_url: str, clock: ManualClock
) -> None:
    settings = settings_for(tmp_path, database_url)
    async with running(settings, clock=clock) as one, running(settings, clock=clock) as other:
        await one.register(CLIENT_KEY)
        nonce = await nonce_of(one)
        for _ in range(5):
            text = made(one, nonce=nonce)
            answers = await asyncio.gather(*(ask(process, text) for process in (one, other, one, other)))
            assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]


async def test_a_certificate_beside_a_proof_binds_the_token_to_both(process: Process) -> None:
    tx = uuid7()
    shown = Shown(rpc_trust(), process.clock).certificates.written("ab" * 32, uuid7_at(process, tx))
    headers = {CERTIFICATE_HEADER: shown.decode(), "LGSP-Transaction-Id": uuid7_at(process, tx)}
    answer = await ask(process, made(process, nonce=await nonce_of(process)), headers=headers)
    token = verified(process, answer)
    assert token.confirmation is not None
    assert (token.confirmation.certificate, token.confirmation.key) == ("ab" * 32, KEY.thumbprint())


def uuid7_at(process: Process, tx: str) -> str:
    """A transaction id of this moment by the process's clock."""
    milliseconds = int(process.clock.now().timestamp() * 1000)
    return f"{milliseconds >> 16:08x}-{milliseconds & 0xFFFF:04x}{tx[13:]}"


async def test_who_is_not_authenticated_gets_no_token_with_a_proof(process: Process) -> None:
    genuine = made(process, nonce=await nonce_of(process))
    answer = await ask(process, genuine, assertion=process.assertion(OTHER))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert (await ask(process, genuine)).status_code == 200, "nor is the proof used up by it"


async def test_the_error_names_how_far_clocks_differ(process: Process) -> None:
    nonce = await nonce_of(process)
    for iat, says in ((75, "75 seconds ahead"), (-75, "75 seconds back")):
        answer = await ask(process, made(process, nonce=nonce, iat=iat))
        assert says in answer.json()["error_description"]
