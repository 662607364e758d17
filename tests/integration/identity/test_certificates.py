"""Certificates at the token endpoint (RFC 8705): who is let in by one, and which tokens are bound to one."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from joserfc.jwk import ECKey

from lienthong.identity.events import SystemEvent
from lienthong.kit.clock import SystemClock
from lienthong.kit.ids import uuid7
from lienthong.kit.shown import CERTIFICATE_HEADER, Shown
from lienthong.kit.tokens import KeySet, TokenVerifier
from tests.integration.identity.harness import ISSUER, SYSTEM, running, settings_for, system_event
from tests.support.rpc import rpc_trust

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

    from lienthong.kit.tokens import AccessToken
    from tests.integration.identity.harness import Process

KEY = ECKey.generate_key("P-256")
FIRST, SECOND, FOREIGN = "ab" * 32, "cd" * 32, "ef" * 32
EDGE = "https://lgsp.example:8443"
OTHER = "H11.36.01/portal"


def event(
    *certificates: str, client_id: str = SYSTEM, version: int = 1, status: str = "active"
) -> SystemEvent:
    """What the catalog says of a system with these certificates."""
    document = json.loads(system_event(client_id, [KEY], version=version, status=status))
    if certificates:
        document["resource"]["spec"]["certificates"] = certificates
    return SystemEvent.model_validate(document)


@pytest.fixture
async def process(tmp_path: Path, database_url: str) -> AsyncIterator[Process]:
    async with running(settings_for(tmp_path, database_url, edge_url=EDGE)) as process:
        await process.core.registry.follow(event(FIRST, SECOND))
        yield process


def told(certificate: str) -> dict[str, str]:
    """The fields by which a gateway tells of a certificate."""
    tx = uuid7()
    value = Shown(rpc_trust(), SystemClock()).certificates.written(certificate, tx)
    return {"LGSP-Transaction-Id": tx, CERTIFICATE_HEADER: value.decode()}


async def ask(process: Process, certificate: str | None, **form: str) -> httpx.Response:
    headers = {} if certificate is None else told(certificate)
    return await process.http.post(
        "/oauth2/token", data={"grant_type": "client_credentials", **form}, headers=headers
    )


def verified(process: Process, answer: httpx.Response) -> AccessToken:
    assert answer.status_code == 200, answer.text
    keys = KeySet.from_jwks(process.core.keyring.published.jwks)
    return TokenVerifier(ISSUER, "urn:lgsp:VN-BTN", SystemClock()).verify(answer.json()["access_token"], keys)


@pytest.mark.parametrize("certificate", [FIRST, SECOND])
async def test_a_registered_certificate_and_the_client_id_are_enough(
    process: Process, certificate: str
) -> None:
    answer = await ask(process, certificate, client_id=SYSTEM, scope="api")
    token = verified(process, answer)
    assert (token.client_id, token.scopes) == (SYSTEM, frozenset({"api"}))
    assert answer.headers["lgsp-client"] == SYSTEM
    assert token.confirmation is not None
    assert token.confirmation.certificate == certificate


async def test_the_binding_is_written_as_rfc_8705_has_it(process: Process) -> None:
    answer = await ask(process, FIRST, client_id=SYSTEM)
    payload = answer.json()["access_token"].split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=="))
    expected = base64.urlsafe_b64encode(bytes.fromhex(FIRST)).decode().rstrip("=")
    assert claims["cnf"] == {"x5t#S256": expected}
    assert len(expected) == 43


async def test_a_token_for_an_assertion_is_bound_to_the_certificate_that_was_shown(process: Process) -> None:
    form = {
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": process.assertion(KEY, aud=f"{EDGE}/oauth2/token"),
    }
    token = verified(process, await ask(process, FOREIGN, **form))
    assert token.confirmation is not None
    assert token.confirmation.certificate == FOREIGN
    unbound = verified(process, await process.ask(process.assertion(KEY)))
    assert unbound.confirmation is None


async def test_others_are_told_the_same_whatever_is_wrong(process: Process) -> None:
    await process.core.registry.follow(event(client_id=OTHER, version=2))
    answers = [
        await ask(process, FOREIGN, client_id=SYSTEM),
        await ask(process, FIRST, client_id=OTHER),
        await ask(process, FIRST, client_id="H11.01/nobody"),
        await ask(process, FIRST, client_id="\x00"),
        await ask(process, FIRST, client_id="x" * 5000),
    ]
    assert len({answer.content for answer in answers}) == 1
    assert {answer.status_code for answer in answers} == {401}
    assert answers[0].json()["error"] == "invalid_client"
    assert answers[0].headers["www-authenticate"].startswith("tls_client_auth")
    assert not [answer for answer in answers if "lgsp-client" in answer.headers]


async def test_a_certificate_that_no_gateway_told_of_means_nothing(process: Process) -> None:
    form = {"grant_type": "client_credentials", "client_id": SYSTEM}
    forged = [
        {CERTIFICATE_HEADER: FIRST},
        {**told(FIRST), "LGSP-Transaction-Id": uuid7()},
        {"X-Forwarded-Client-Cert": f"Hash={FIRST}"},
    ]
    for headers in forged:
        answer = await process.http.post("/oauth2/token", data=form, headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert "client_assertion" in answer.json()["error_description"]


async def test_what_is_missing_beside_a_certificate_is_told(process: Process) -> None:
    answer = await ask(process, FIRST)
    assert answer.status_code == 401
    assert "client_id" in answer.json()["error_description"]
    assert "client_id" in answer.json()["error_description_vi"]
    secret = await ask(process, FIRST, client_id=SYSTEM, client_secret="x")
    assert secret.status_code == 401


async def test_a_certificate_that_was_taken_out_lets_nobody_in(process: Process) -> None:
    await process.core.registry.follow(event(SECOND, version=2))
    assert (await ask(process, FIRST, client_id=SYSTEM)).status_code == 401
    assert (await ask(process, SECOND, client_id=SYSTEM)).status_code == 200
    await process.core.registry.follow(event(SECOND, version=3, status="suspended"))
    answer = await ask(process, SECOND, client_id=SYSTEM)
    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")


async def test_the_metadata_say_where_certificates_are_shown(process: Process) -> None:
    document = (await process.http.get("/.well-known/oauth-authorization-server")).json()
    assert document["token_endpoint_auth_methods_supported"] == ["private_key_jwt", "tls_client_auth"]
    assert document["tls_client_certificate_bound_access_tokens"] is True
    assert document["mtls_endpoint_aliases"] == {
        f"{name}_endpoint": f"{EDGE}/oauth2/{path}"
        for name, path in {
            "token": "token", "pushed_authorization_request": "par", "userinfo": "userinfo",
            "introspection": "introspect", "revocation": "revoke",
        }.items()
    }  # fmt: skip


@pytest.mark.parametrize(("edge", "known"), [(None, False), (ISSUER, True)])
async def test_no_other_address_is_named_where_there_is_none(
    tmp_path: Path, database_url: str, edge: str | None, known: bool
) -> None:
    async with running(settings_for(tmp_path, database_url, edge_url=edge)) as process:
        document = (await process.http.get("/.well-known/oauth-authorization-server")).json()
    assert "mtls_endpoint_aliases" not in document
    assert document["tls_client_certificate_bound_access_tokens"] is known
    assert ("tls_client_auth" in document["token_endpoint_auth_methods_supported"]) is known
