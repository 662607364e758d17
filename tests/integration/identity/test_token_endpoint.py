"""The token endpoint over real HTTP, on both databases: who gets a token, and what everyone else is told."""

from __future__ import annotations

import asyncio
import base64
import json
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from joserfc.jwk import ECKey, OKPKey
from jsonschema import Draft202012Validator

from lienthong.identity.domain.clients import accepted
from lienthong.identity.events import SystemEvent
from lienthong.kit.tokens import KeySet, TokenVerifier
from tests.integration.identity.harness import (
    ISSUER,
    RSA,
    SYSTEM,
    TOKEN_ENDPOINT,
    running,
    settings_for,
    sign,
    system_event,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from lienthong.kit.clock import ManualClock
    from tests.integration.identity.harness import Key, Process

EC = ECKey.generate_key("P-256")
OTHER = ECKey.generate_key("P-256")
OKP = OKPKey.generate_key("Ed25519")


@pytest.fixture
async def process(tmp_path: Path, database_url: str, clock: ManualClock) -> AsyncIterator[Process]:
    async with running(settings_for(tmp_path, database_url), clock=clock) as process:
        await process.register(EC)
        yield process


def error(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"
    document = answer.json()
    assert set(document) == {"error", "error_description", "error_description_vi"}
    assert "WWW-Authenticate" in answer.headers or answer.status_code != 401
    return answer.status_code, document["error"]


async def test_a_registered_system_gets_a_token_that_verifies(process: Process, clock: ManualClock) -> None:
    answer = await process.ask(process.assertion(EC), client_id=SYSTEM)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    document = answer.json()
    assert (document["token_type"], document["expires_in"], document["scope"]) == (
        "Bearer",
        300,
        "api events",
    )
    keys = KeySet.from_jwks((await process.http.get("/oauth2/jwks")).text)
    token = TokenVerifier(ISSUER, "urn:lgsp:VN-BTN", clock).verify(document["access_token"], keys)
    assert token.client_id == SYSTEM
    assert token.scopes == frozenset({"api", "events"})
    assert token.expires_at - token.issued_at == timedelta(minutes=5)


async def test_each_allowed_algorithm_is_served(process: Process) -> None:
    keys: list[Key] = [EC, OKP, RSA]
    for number, key in enumerate(keys):
        await process.register(key, f"H11.05/land-{number}")
        assert (await process.ask(process.assertion(key, f"H11.05/land-{number}"))).status_code == 200


async def test_both_names_of_this_server_are_audiences(process: Process) -> None:
    for audience in (ISSUER, TOKEN_ENDPOINT, [ISSUER, TOKEN_ENDPOINT]):
        assert (await process.ask(process.assertion(EC, aud=audience))).status_code == 200


async def test_a_part_of_the_scopes_can_be_had_and_no_more(process: Process) -> None:
    assert (await process.ask(process.assertion(EC), scope="events")).json()["scope"] == "events"
    assert error(await process.ask(process.assertion(EC), scope="api catalog:admin")) == (
        400,
        "invalid_scope",
    )


async def test_unknown_client_and_bad_signature_get_the_same_answer(process: Process) -> None:
    refusals = [
        await process.ask(process.assertion(EC, "H99.99/nobody")),
        await process.ask(process.assertion(OTHER)),
        await process.ask(process.assertion(OKP)),
        await process.ask(process.assertion(RSA)),
        await process.ask(sign(OTHER, _claims(process), kid="unknown")),
        await process.ask(process.assertion(EC)[:-4] + "AAAA"),
    ]
    assert {error(refusal) for refusal in refusals} == {(401, "invalid_client")}
    assert len({refusal.content for refusal in refusals}) == 1
    assert (
        len(
            {
                json.dumps(sorted(set(refusal.headers.items()) - {("date", refusal.headers["date"])}))
                for refusal in refusals
            }
        )
        == 1
    )


async def test_another_registered_clients_key_proves_nothing(process: Process) -> None:
    await process.register(OTHER, "H11.05/land")
    assert error(await process.ask(process.assertion(OTHER, SYSTEM))) == (401, "invalid_client")
    assert error(await process.ask(process.assertion(OTHER, SYSTEM), client_id="H11.05/land")) == (
        401,
        "invalid_client",
    )


async def test_an_unknown_client_is_not_remembered_as_unknown(process: Process) -> None:
    for _ in range(3):
        assert error(await process.ask(process.assertion(OTHER, "H11.05/land"))) == (401, "invalid_client")
    await process.register(OTHER, "H11.05/land")
    assert (await process.ask(process.assertion(OTHER, "H11.05/land"))).status_code == 200


async def test_a_replaced_key_stops_working_at_once(process: Process) -> None:
    assert (await process.ask(process.assertion(EC))).status_code == 200
    await process.register(OTHER, version=2)
    assert error(await process.ask(process.assertion(EC))) == (401, "invalid_client")
    assert (await process.ask(process.assertion(OTHER))).status_code == 200


async def test_a_key_with_an_end_is_refused_from_then_on_and_its_owner_is_told(
    process: Process, clock: ManualClock
) -> None:
    ends = int(clock.now().timestamp()) + 60
    jwk: dict[str, Any] = {**EC.as_dict(private=True), "exp": ends}
    ending = ECKey.import_key(jwk)
    event = system_event(SYSTEM, [ending, OTHER], version=2)
    await process.core.registry.follow(SystemEvent.model_validate_json(event))
    assert (await process.ask(process.assertion(EC))).status_code == 200

    clock.advance(timedelta(seconds=60))

    refused = await process.ask(process.assertion(EC))
    assert error(refused) == (401, "invalid_client")
    assert "ended on" in refused.json()["error_description"]
    assert EC.thumbprint() in refused.json()["error_description"]
    assert (await process.ask(process.assertion(OTHER))).status_code == 200
    [client] = await process.core.registry.systems(None, after="", limit=10)
    assert accepted(client.jwks, clock.now().timestamp()) == [OTHER.thumbprint()]
    assert "ended on" not in (await process.ask(process.assertion(EC, "H11.05/land"))).text


async def test_a_suspended_system_gets_no_token_until_it_is_resumed(process: Process) -> None:
    await process.register(EC, version=2, status="suspended")
    assert error(await process.ask(process.assertion(EC))) == (400, "unauthorized_client")
    assert error(await process.ask(process.assertion(OTHER))) == (401, "invalid_client")
    await process.register(EC, version=3)
    assert (await process.ask(process.assertion(EC))).status_code == 200


async def test_an_assertion_is_good_once(process: Process) -> None:
    assertion = process.assertion(EC)
    assert (await process.ask(assertion)).status_code == 200
    replay = await process.ask(assertion)
    assert error(replay) == (401, "invalid_client")
    assert "used before" in replay.json()["error_description"]


async def test_the_same_id_is_refused_however_the_assertion_differs(process: Process) -> None:
    assert (await process.ask(process.assertion(EC, jti="one"))).status_code == 200
    assert error(await process.ask(process.assertion(EC, jti="one", aud=TOKEN_ENDPOINT))) == (
        401,
        "invalid_client",
    )
    await process.register(OTHER, "H11.05/land")
    assert (await process.ask(process.assertion(OTHER, "H11.05/land", jti="one"))).status_code == 200


async def test_of_twenty_uses_at_the_same_time_one_gets_a_token(process: Process) -> None:
    assertion = process.assertion(EC)
    answers = await asyncio.gather(*(process.ask(assertion) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 19


async def test_an_assertion_is_forgotten_only_when_it_cannot_be_used(
    process: Process, clock: ManualClock
) -> None:
    assertion = process.assertion(EC)
    assert (await process.ask(assertion)).status_code == 200
    clock.advance(60)
    assert await process.core.authentication.forget() == 0
    assert "used before" in (await process.ask(assertion)).text
    clock.advance(10)
    assert "expired" in (await process.ask(assertion)).text
    assert await process.core.authentication.forget() == 0
    clock.advance(61)
    assert await process.core.authentication.forget() == 1


async def test_no_assertion_is_used_twice_though_the_clock_was_set_forward_and_back(
    process: Process, clock: ManualClock
) -> None:
    assertion = process.assertion(EC)
    assert (await process.ask(assertion)).status_code == 200
    clock.jump(timedelta(hours=1))
    assert "expired" in (await process.ask(assertion)).text
    assert await process.core.authentication.forget() == 0
    clock.jump(timedelta(hours=-1))
    assert "used before" in (await process.ask(assertion)).text
    clock.advance(131)
    assert await process.core.authentication.forget() == 1


async def test_any_text_can_be_an_id(process: Process) -> None:
    for identifier in ("\0", "😀" * 128, "'; DROP TABLE client; --", "\ud800", " "):
        assert (await process.ask(process.assertion(EC, jti=identifier))).status_code == 200
        assert error(await process.ask(process.assertion(EC, jti=identifier))) == (401, "invalid_client")


WRONG_CLAIMS: list[tuple[dict[str, Any], str]] = [
    ({"aud": "https://other.example"}, "aud"),
    ({"aud": [ISSUER, "https://other.example"]}, "aud"),
    ({"exp": 0}, "expired"),
    ({"exp": ...}, "exp"),
    ({"exp": 10**11}, "too long"),
    ({"iat": 10**11}, "future"),
    ({"jti": ...}, "jti"),
    ({"sub": "H11.05/land"}, "iss and sub"),
    # What neither UTF-8 nor PostgreSQL can hold.
    ({"iss": "\ud800", "sub": "\ud800"}, "iss and sub"),
    ({"iss": "a\0b", "sub": "a\0b"}, "iss and sub"),
]


async def test_a_refused_assertion_is_told_what_is_wrong(process: Process) -> None:
    for changes, word in WRONG_CLAIMS:
        answer = await process.ask(process.assertion(EC, **changes))
        assert error(answer) == (401, "invalid_client"), changes
        assert word in answer.json()["error_description"], changes


def _claims(process: Process) -> dict[str, object]:
    now = int(process.clock.now().timestamp())
    return {"iss": SYSTEM, "sub": SYSTEM, "aud": ISSUER, "exp": now + 60, "jti": "forged"}


async def test_confused_algorithms_get_no_token(process: Process) -> None:
    import hashlib
    import hmac

    def encode(content: bytes) -> str:
        return base64.urlsafe_b64encode(content).rstrip(b"=").decode()

    claims = encode(json.dumps(_claims(process)).encode())
    none = ".".join((encode(b'{"alg":"none"}'), claims, ""))
    public = json.dumps(EC.as_dict(private=False)).encode()
    for secret in (public, EC.as_pem(private=False), b""):
        signed = ".".join((encode(b'{"alg":"HS256"}'), claims))
        forged = f"{signed}.{encode(hmac.digest(secret, signed.encode(), hashlib.sha256))}"
        assert error(await process.ask(forged)) == (401, "invalid_client")
    assert error(await process.ask(none)) == (401, "invalid_client")
    stripped = process.assertion(EC).rpartition(".")[0] + "."
    assert error(await process.ask(stripped)) == (401, "invalid_client")


FORGED_HEADERS: list[dict[str, object]] = [
    {"jwk": OTHER.as_dict(private=False)},
    {"jku": "http://127.0.0.1:9/keys"},
    {"x5u": "http://127.0.0.1:9/chain"},
    {"x5c": ["MIIB"]},
    {"crit": ["exp"], "exp": 1},
    {"b64": False, "crit": ["b64"]},
    {"typ": "at+jwt"},
    {"kid": "../../key"},
    {"kid": SYSTEM},
]


async def test_headers_cannot_bring_in_a_key(process: Process) -> None:
    for header in FORGED_HEADERS:
        answer = await process.ask(sign(OTHER, _claims(process), **header))
        assert error(answer) == (401, "invalid_client"), header


async def test_an_access_token_is_no_assertion(process: Process) -> None:
    token = (await process.ask(process.assertion(EC))).json()["access_token"]
    assert error(await process.ask(token)) == (401, "invalid_client")


WRONG_PARAMETERS: list[tuple[dict[str, str | None], tuple[int, str]]] = [
    ({"grant_type": None}, (400, "invalid_request")),
    ({"grant_type": ""}, (400, "invalid_request")),
    ({"grant_type": "password"}, (400, "unsupported_grant_type")),
    ({"grant_type": "implicit"}, (400, "unsupported_grant_type")),
    ({"grant_type": "authorization_code"}, (400, "invalid_request")),
    ({"grant_type": "refresh_token"}, (400, "invalid_request")),
    ({"client_assertion_type": None}, (401, "invalid_client")),
    ({"client_assertion_type": "urn:other"}, (401, "invalid_client")),
    ({"assertion": None}, (401, "invalid_client")),
    ({"assertion": "x"}, (401, "invalid_client")),
    ({"client_secret": "x"}, (400, "invalid_request")),
    ({"client_id": "H11.05/land"}, (401, "invalid_client")),
]


async def test_parameters_are_checked(process: Process) -> None:
    for parameters, expected in WRONG_PARAMETERS:
        answer = await process.ask(**{"assertion": process.assertion(EC), **parameters})
        assert error(answer) == expected, parameters


async def test_unknown_parameters_are_ignored(process: Process) -> None:
    assert (await process.ask(process.assertion(EC), resource="https://other.example")).status_code == 200


async def test_the_request_itself_is_checked(process: Process) -> None:
    http = process.http
    form = {"content-type": "application/x-www-form-urlencoded"}
    body = "grant_type=client_credentials"
    asked = [
        (await http.post("/oauth2/token", content=f"{body}&{body}", headers=form), (400, "invalid_request")),
        (await http.post("/oauth2/token", content="%%%", headers=form), (400, "invalid_request")),
        (
            await http.post("/oauth2/token", json={"grant_type": "client_credentials"}),
            (400, "invalid_request"),
        ),
        (await http.post("/oauth2/token", content=body), (400, "invalid_request")),
        (await http.post("/oauth2/token", headers=form), (400, "invalid_request")),
        (await http.post("/oauth2/token?scope=api", content=body, headers=form), (400, "invalid_request")),
        (
            await http.post("/oauth2/token", content=b"a=" + b"x" * 100_000, headers=form),
            (413, "invalid_request"),
        ),
        (
            await http.post("/oauth2/token", content=body, headers=form, auth=("a", "b")),
            (401, "invalid_client"),
        ),
    ]
    for answer, expected in asked:
        assert error(answer) == expected
    assert asked[-1][0].headers["www-authenticate"].startswith("Basic ")


async def test_an_endless_body_is_cut_off(process: Process) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 8192
            yield b"a" * 8192

    async def send() -> httpx.Response:
        return await process.http.post(
            "/oauth2/token", content=endless(), headers={"content-type": "application/x-www-form-urlencoded"}
        )

    async with asyncio.timeout(10):
        # The server may close before the client has read the answer.
        with suppress(httpx.TransportError):
            assert (await send()).status_code == 413
    assert sent < 50_000_000


async def test_other_methods_and_paths_are_told(process: Process) -> None:
    wrong = await process.http.get("/oauth2/token")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")
    missing = await process.http.get("/oauth2/register")
    assert missing.status_code == 404
    assert missing.headers["content-type"] == "application/problem+json"


async def test_the_server_describes_itself(process: Process) -> None:
    document = (await process.http.get("/.well-known/oauth-authorization-server")).json()
    assert document["issuer"] == ISSUER
    assert document["token_endpoint"] == TOKEN_ENDPOINT
    assert document["jwks_uri"] == f"{ISSUER}/oauth2/jwks"
    assert document["grant_types_supported"] == [
        "client_credentials", "authorization_code", "refresh_token",
        "urn:ietf:params:oauth:grant-type:token-exchange",
    ]  # fmt: skip
    assert document["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
    assert document["token_endpoint_auth_signing_alg_values_supported"] == ["ES256", "EdDSA", "PS256"]


async def test_the_key_set_is_public_and_holds_no_secret(process: Process) -> None:
    one, other = await process.http.get("/oauth2/jwks"), await process.http.get("/.well-known/jwks.json")
    assert one.content == other.content
    assert one.headers["cache-control"] == "public, max-age=300"
    for key in one.json()["keys"]:
        assert set(key) == {"kty", "crv", "x", "y", "kid", "alg", "use"}


async def test_its_openapi_document_describes_every_answer(process: Process) -> None:
    document = (await process.http.get("/oauth2/openapi.json")).json()
    # What is there for people has tests of its own, and answers as all services do.
    paths = {
        at: rest
        for at, rest in document["paths"].items()
        if not at.startswith("/identity/")
        and at not in ("/oauth2/par", "/oauth2/introspect", "/oauth2/revoke", "/oauth2/userinfo")
    }
    assert set(paths) == {
        "/oauth2/token", "/oauth2/jwks", "/.well-known/jwks.json", "/.well-known/oauth-authorization-server",
        "/.well-known/openid-configuration",
    }  # fmt: skip
    ids = [operation["operationId"] for methods in paths.values() for operation in methods.values()]
    assert sorted(ids) == ["authorization_server", "jwks", "openid_configuration", "token", "well_known_jwks"]
    assert [*paths["/oauth2/token"]["post"]["requestBody"]["content"]] == [
        "application/x-www-form-urlencoded"
    ]

    def validate(answer: httpx.Response, method: str, path: str) -> None:
        stated = paths[path][method]["responses"][str(answer.status_code)]
        schema = stated["content"][answer.headers["content-type"].partition(";")[0]]["schema"]
        assert schema["required"]
        Draft202012Validator(schema).validate(answer.json())
        for name in stated["headers"]:
            assert name in answer.headers

    for path in paths.keys() - {"/oauth2/token"}:
        validate(await process.http.get(path), "get", path)
    genuine = process.assertion(EC)
    for proof in (genuine, genuine, process.assertion(EC, exp=...), None):
        validate(await process.ask(proof), "post", "/oauth2/token")
    validate(await process.ask(process.assertion(EC), scope="catalog:admin"), "post", "/oauth2/token")
    stated = {*paths["/oauth2/token"]["post"]["responses"]}
    assert stated == {"200", "400", "401", "408", "413", "429", "500", "503"}


async def test_a_client_gets_no_more_tokens_than_its_share_and_others_theirs(
    tmp_path: Path, database_url: str, clock: ManualClock
) -> None:
    limits: dict[str, Any] = {"identity_token_requests_per_s": 0.1, "identity_token_requests_burst": 2}
    async with running(settings_for(tmp_path, database_url, **limits), clock=clock) as process:
        await process.register(EC)
        await process.register(OTHER, "H11.02/other")
        for _ in range(2):
            assert (await process.ask(process.assertion(EC))).status_code == 200
        third = process.assertion(EC)
        refused = await process.ask(third)
        assert error(refused) == (429, "temporarily_unavailable")
        assert refused.headers["retry-after"] == "10"
        assert refused.headers["ratelimit"] == '"token-requests";r=0;t=10'
        assert refused.headers["lgsp-client"] == SYSTEM
        assert (await process.ask(process.assertion(OTHER, "H11.02/other"))).status_code == 200
        for _ in range(5):
            # Whoever only claims to be the client does not use up its share.
            assert (await process.ask(process.assertion(OTHER))).status_code == 401
        clock.advance(10)
        assert (await process.ask(third)).status_code == 200, "the refused assertion was not used up"


async def test_whoever_sends_used_assertions_again_does_not_use_up_their_owners_share(
    tmp_path: Path, database_url: str, clock: ManualClock
) -> None:
    limits: dict[str, Any] = {"identity_token_requests_per_s": 0.1, "identity_token_requests_burst": 3}
    async with running(settings_for(tmp_path, database_url, **limits), clock=clock) as process:
        await process.register(EC)
        used = process.assertion(EC)
        assert (await process.ask(used)).status_code == 200
        replays = await asyncio.gather(*(process.ask(used) for _ in range(20)))
        assert {error(answer) for answer in replays} == {(401, "invalid_client")}
        for _ in range(2):
            assert (await process.ask(process.assertion(EC))).status_code == 200
        assert error(await process.ask(process.assertion(EC))) == (429, "temporarily_unavailable")


async def test_the_answer_names_the_client_once_it_has_proved_itself(process: Process) -> None:
    assertion = process.assertion(EC)
    issued, replayed = await process.ask(assertion), await process.ask(assertion)
    scope = await process.ask(process.assertion(EC), scope="catalog:admin")
    for answer, status in ((issued, 200), (replayed, 401), (scope, 400)):
        assert (answer.status_code, answer.headers.get("lgsp-client")) == (status, SYSTEM)
    for stranger in (process.assertion(OTHER), process.assertion(EC, "H11.02/unknown"), "rubbish", None):
        answer = await process.ask(stranger)
        assert answer.status_code == 401
        assert "lgsp-client" not in answer.headers
