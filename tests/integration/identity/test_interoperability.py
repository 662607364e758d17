"""Other people's libraries get tokens here and verify them."""

from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING, Any

import jwt as pyjwt
import pytest
from authlib.oauth2.rfc7523 import PrivateKeyJWT, private_key_jwt_sign
from jose import jwt as python_jose
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import ECKey, KeySet, OKPKey

from lienthong.kit.ids import uuid7
from tests.integration.identity.harness import (
    ISSUER,
    RSA,
    SYSTEM,
    TOKEN_ENDPOINT,
    Process,
    running,
    settings_for,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.integration.identity.harness import Key

with warnings.catch_warnings(record=True):
    # Authlib warns that it will want httpx2 one day.
    from authlib.integrations.httpx_client import AsyncOAuth2Client

AUDIENCE = "urn:lgsp:VN-BTN"
EC = ECKey.generate_key("P-256")
OKP = OKPKey.generate_key("Ed25519")


@pytest.fixture
async def process(tmp_path: Path) -> AsyncIterator[Process]:
    url = f"sqlite+aiosqlite:///{tmp_path / 'test.db'}"
    async with running(settings_for(tmp_path, url)) as process:
        keys: list[tuple[str, Key]] = [(SYSTEM, EC), ("H11.05/land", OKP), ("H11.06/planning", RSA)]
        for client_id, key in keys:
            await process.register(key, client_id)
        yield process


def claims(client_id: str, audience: str = TOKEN_ENDPOINT) -> dict[str, Any]:
    now = int(time.time())
    return {"iss": client_id, "sub": client_id, "aud": audience, "iat": now, "exp": now + 60, "jti": uuid7()}


class MinuteAssertion(PrivateKeyJWT):  # type: ignore[misc]  # Authlib has no types
    """Authlib's method, with assertions that live a minute; its own live an hour, longer than is taken."""

    def sign(self, auth: Any, token_endpoint: str) -> str:  # noqa: ANN401
        return str(
            private_key_jwt_sign(
                auth.client_secret,
                auth.client_id,
                token_endpoint,
                alg=self.alg,
                claims=self.claims,
                expires_in=60,
            )
        )


async def test_authlib_gets_a_token(process: Process) -> None:
    async with AsyncOAuth2Client(
        SYSTEM, EC, token_endpoint_auth_method="private_key_jwt", scope="api"
    ) as client:
        client.register_client_auth_method(MinuteAssertion(TOKEN_ENDPOINT, alg="ES256"))
        token = await client.fetch_token(f"{process.url}/oauth2/token", grant_type="client_credentials")
        assert token["scope"] == "api"
        again = await client.fetch_token(f"{process.url}/oauth2/token", grant_type="client_credentials")
        assert again["access_token"] != token["access_token"]


async def test_an_hour_of_authlibs_own_is_refused_with_the_reason(process: Process) -> None:
    assertion = private_key_jwt_sign(EC, SYSTEM, TOKEN_ENDPOINT, alg="ES256")
    answer = await process.ask(assertion)
    assert answer.status_code == 401
    assert "too long" in answer.json()["error_description"]


async def test_pyjwt_signs_with_each_algorithm(process: Process) -> None:
    for client_id, key, algorithm in (
        (SYSTEM, EC.as_pem(private=True), "ES256"),
        ("H11.05/land", OKP.as_pem(private=True), "EdDSA"),
        ("H11.06/planning", RSA.as_pem(private=True), "PS256"),
    ):
        assertion = pyjwt.encode(claims(client_id), key, algorithm=algorithm)
        answer = await process.ask(assertion)
        assert answer.status_code == 200, answer.text


async def test_python_jose_signs_es256(process: Process) -> None:
    assertion = python_jose.encode(
        claims(SYSTEM, ISSUER), EC.as_pem(private=True).decode(), algorithm="ES256"
    )
    assert (await process.ask(assertion)).status_code == 200


async def test_joserfc_signs_with_each_algorithm(process: Process) -> None:
    keys: list[tuple[str, Key, str]] = [
        (SYSTEM, EC, "ES256"),
        ("H11.05/land", OKP, "Ed25519"),
        ("H11.06/planning", RSA, "PS256"),
    ]
    for client_id, key, algorithm in keys:
        header = {"alg": algorithm, "kid": key.thumbprint()}
        assertion = joserfc_jwt.encode(header, claims(client_id), key, algorithms=[algorithm])
        answer = await process.ask(assertion)
        assert answer.status_code == 200, answer.text


async def test_pyjwt_verifies_a_token_with_the_published_keys(process: Process) -> None:
    token = (await process.ask(process.assertion(EC))).json()["access_token"]
    jwks = pyjwt.PyJWKSet.from_dict((await process.http.get("/oauth2/jwks")).json())
    key = jwks[pyjwt.get_unverified_header(token)["kid"]]
    document = pyjwt.decode(token, key, algorithms=["ES256"], audience=AUDIENCE, issuer=ISSUER)
    assert document["client_id"] == SYSTEM
    with pytest.raises(pyjwt.InvalidAudienceError):
        pyjwt.decode(token, key, algorithms=["ES256"], audience="urn:other")


async def test_python_jose_verifies_a_token_with_the_published_keys(process: Process) -> None:
    token = (await process.ask(process.assertion(EC))).json()["access_token"]
    jwks = (await process.http.get("/oauth2/jwks")).json()
    document = python_jose.decode(token, jwks, algorithms=["ES256"], audience=AUDIENCE, issuer=ISSUER)
    assert document["sub"] == SYSTEM


async def test_joserfc_verifies_a_token_with_the_published_keys(process: Process) -> None:
    token = (await process.ask(process.assertion(EC))).json()["access_token"]
    keys = KeySet.import_key_set((await process.http.get("/oauth2/jwks")).json())
    decoded = joserfc_jwt.decode(token, keys, algorithms=["ES256"])
    assert decoded.header["typ"] == "at+jwt"
    assert decoded.claims["scope"] == "api events"
