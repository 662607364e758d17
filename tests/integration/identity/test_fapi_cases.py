"""The cases of OpenID's FAPI 2.0 conformance suite that concern client credentials, by its modules' names.

`fapi2-security-profile-final-` stands before each name. Those of the authorization endpoint do not apply.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from joserfc.jwk import ECKey

from tests.integration.identity.harness import (
    ISSUER,
    RSA,
    SYSTEM,
    TOKEN_ENDPOINT,
    running,
    settings_for,
    sign,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from lienthong.kit.clock import ManualClock
    from tests.integration.identity.harness import Process

EC = ECKey.generate_key("P-256")
ANOTHER = f"{ISSUER}/another"

ACCEPTED: dict[str, dict[str, Any]] = {
    "happy-flow": {},
    "ensure-client-id-in-token-endpoint": {"client_id": SYSTEM},
    "par-ensure-jwt-client-assertions-nbf-8-seconds-in-the-future-is-accepted": {"iat": 8, "nbf": 8},
    # Where the suite, after FAPI 2.0 section 5.3.2.1, wants the issuer as a string and nothing else, RFC 7523
    # section 3 and the libraries of departments know these too: they name this server and no other.
    "par-test-token-endpoint-url-as-audience-fails (accepted here)": {"aud": TOKEN_ENDPOINT},
    "par-test-array-as-audience-fails (accepted here)": {"aud": [ISSUER]},
}
REFUSED: dict[str, dict[str, Any]] = {
    "ensure-client-assertion-with-exp-is-5-minutes-in-past-fails": {"exp": -300},
    "ensure-client-assertion-with-no-sub-fails": {"sub": ...},
    "ensure-client-assertion-with-wrong-aud-fails": {"aud": ANOTHER},
    "par-test-par-endpoint-url-as-audience-fails": {"aud": f"{ISSUER}/as/par"},
    "par-test-array-as-audience-fails": {"aud": [ISSUER, ANOTHER]},
    "par-ensure-jwt-client-assertions-nbf-over-60-seconds-in-the-future-fails": {"nbf": 61},
    "the same with iat": {"iat": 61},
    "without exp": {"exp": ...},
    "with exp that is far ahead": {"exp": 3600},
    "without jti": {"jti": ...},
}


@pytest.fixture
async def process(tmp_path: Path, database_url: str, clock: ManualClock) -> AsyncIterator[Process]:
    async with running(settings_for(tmp_path, database_url), clock=clock) as process:
        await process.register(EC)
        yield process


def claims(process: Process, changes: dict[str, Any]) -> dict[str, Any]:
    """The changes of an assertion's claims; times are seconds from now."""
    now = int(process.clock.now().timestamp())
    moved = {name: now + value if isinstance(value, int) else value for name, value in changes.items()}
    return {name: value for name, value in moved.items() if name != "client_id"}


@pytest.mark.parametrize("name", ACCEPTED)
async def test_accepted(process: Process, name: str) -> None:
    changes = ACCEPTED[name]
    assertion = process.assertion(EC, **claims(process, changes))
    answer = await process.ask(assertion, client_id=changes.get("client_id"))
    assert answer.status_code == 200, answer.text
    document = answer.json()
    # The type is compared without regard to case (RFC 6749 section 5.1), as the scheme is at the gateway.
    assert document["token_type"].lower() == "bearer"


@pytest.mark.parametrize("name", REFUSED)
async def test_refused(process: Process, name: str) -> None:
    answer = await process.ask(process.assertion(EC, **claims(process, REFUSED[name])))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_ensure_client_assertion_in_token_endpoint(process: Process) -> None:
    answer = await process.ask(None, client_id=SYSTEM, client_assertion_type=None)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_ensure_signed_client_assertion_with_rs256_fails(process: Process) -> None:
    await process.register(RSA, version=2)
    now = int(process.clock.now().timestamp())
    genuine = {"iss": SYSTEM, "sub": SYSTEM, "aud": ISSUER, "exp": now + 60, "jti": "1"}
    refused = await process.ask(sign(RSA, genuine, alg="RS256"))
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    assert (await process.ask(sign(RSA, genuine))).status_code == 200


async def test_an_assertion_is_good_once(process: Process) -> None:
    assertion = process.assertion(EC)
    assert (await process.ask(assertion)).status_code == 200
    assert (await process.ask(assertion)).status_code == 401
