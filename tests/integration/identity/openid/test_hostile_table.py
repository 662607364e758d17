"""A table of what hostile or careless applications and browsers send, each with the error that its RFC names.

Every case has a name: `PUSHED` are changes of a genuine pushed request (RFC 9126), `REDEEMED` those of a
genuine request for tokens (RFC 6749 §4.1.3).
"""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import httpx
import pytest
from joserfc.jwk import ECKey

from lienthong.kit.policy import Grant, Role
from tests.integration.identity.harness import ASSERTION_TYPE, ISSUER, SYSTEM
from tests.integration.identity.openid.harness import (
    CALLBACK,
    Relying,
    a_place,
    challenge_of,
    verifier_of,
)
from tests.integration.identity.people.harness import LAND, OPERATOR

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.integration.identity.openid.harness import Place

OWNER = Grant(Role.DATA_OWNER, LAND)
LOOPBACK = "http://127.0.0.1:8400/callback"
HOST = "https://one-stop.example.gov.vn"

PUSHED: dict[str, tuple[dict[str, str | None], str]] = {
    # Where the browser would be sent back.
    "redirect: none": ({"redirect_uri": None}, "invalid_request"),
    "redirect: empty": ({"redirect_uri": ""}, "invalid_request"),
    "redirect: another host": ({"redirect_uri": "https://evil.example/callback"}, "invalid_request"),
    "redirect: a subdomain": (
        {"redirect_uri": "https://a.one-stop.example.gov.vn/callback"},
        "invalid_request",
    ),
    "redirect: the host as a prefix": ({"redirect_uri": f"{HOST}.evil.example/callback"}, "invalid_request"),
    "redirect: the host as a user": ({"redirect_uri": f"{HOST}@evil.example/callback"}, "invalid_request"),
    "redirect: a backslash": ({"redirect_uri": f"{HOST}\\@evil.example/callback"}, "invalid_request"),
    "redirect: http": ({"redirect_uri": CALLBACK.replace("https", "http")}, "invalid_request"),
    "redirect: a port": ({"redirect_uri": f"{HOST}:443/callback"}, "invalid_request"),
    "redirect: a slash more": ({"redirect_uri": f"{CALLBACK}/"}, "invalid_request"),
    "redirect: a slash in between": ({"redirect_uri": f"{HOST}//callback"}, "invalid_request"),
    "redirect: a path below": ({"redirect_uri": f"{CALLBACK}/more"}, "invalid_request"),
    "redirect: climbing": ({"redirect_uri": f"{CALLBACK}/../open"}, "invalid_request"),
    "redirect: climbing, encoded": ({"redirect_uri": f"{CALLBACK}/%2e%2e/open"}, "invalid_request"),
    "redirect: a query more": ({"redirect_uri": f"{CALLBACK}?next=/"}, "invalid_request"),
    "redirect: an empty query": ({"redirect_uri": f"{CALLBACK}?"}, "invalid_request"),
    "redirect: a fragment": ({"redirect_uri": f"{CALLBACK}#x"}, "invalid_request"),
    "redirect: an encoded letter": ({"redirect_uri": f"{HOST}/%63allback"}, "invalid_request"),
    "redirect: capitals in the path": ({"redirect_uri": f"{HOST}/Callback"}, "invalid_request"),
    "redirect: capitals in the host": ({"redirect_uri": CALLBACK.replace("one", "ONE")}, "invalid_request"),
    "redirect: a Cyrillic letter": ({"redirect_uri": CALLBACK.replace("o", "\u043e", 1)}, "invalid_request"),
    "redirect: a full-width letter": ({"redirect_uri": f"{HOST}/callbac\uff4b"}, "invalid_request"),
    "redirect: a zero-width space": ({"redirect_uri": f"{CALLBACK}\u200b"}, "invalid_request"),
    "redirect: a line break": ({"redirect_uri": f"{CALLBACK}\r\nLocation: x"}, "invalid_request"),
    "redirect: a NUL": ({"redirect_uri": f"{CALLBACK}\0"}, "invalid_request"),
    "redirect: a blank before": ({"redirect_uri": f" {CALLBACK}"}, "invalid_request"),
    "redirect: two of them": ({"redirect_uri": f"{CALLBACK} https://evil.example/"}, "invalid_request"),
    "redirect: a script": ({"redirect_uri": "javascript:alert(1)//callback"}, "invalid_request"),
    "redirect: data": ({"redirect_uri": "data:text/html,x"}, "invalid_request"),
    "redirect: the one after signing out": ({"redirect_uri": f"{HOST}/"}, "invalid_request"),
    "redirect: another application's": ({"redirect_uri": "https://land.example/cb"}, "invalid_request"),
    "redirect: localhost for the number": (
        {"redirect_uri": "http://localhost:8400/callback"},
        "invalid_request",
    ),
    "redirect: another loopback number": (
        {"redirect_uri": "http://127.0.0.2:8400/callback"},
        "invalid_request",
    ),
    "redirect: loopback, another path": ({"redirect_uri": "http://127.0.0.1:9/other"}, "invalid_request"),
    "redirect: loopback as a prefix": (
        {"redirect_uri": "http://127.0.0.1:8400.evil.example/callback"},
        "invalid_request",
    ),
    "redirect: loopback as a user": (
        {"redirect_uri": "http://127.0.0.1:8400@evil.example/callback"},
        "invalid_request",
    ),
    # What is asked for.
    "type: none": ({"response_type": None}, "invalid_request"),
    "type: token": ({"response_type": "token"}, "unsupported_response_type"),
    "type: hybrid": ({"response_type": "code id_token"}, "unsupported_response_type"),
    "type: capitals": ({"response_type": "CODE"}, "unsupported_response_type"),
    "mode: fragment": ({"response_mode": "fragment"}, "invalid_request"),
    "mode: form_post": ({"response_mode": "form_post"}, "invalid_request"),
    "scope: none": ({"scope": None}, "invalid_scope"),
    "scope: without openid": ({"scope": "profile"}, "invalid_scope"),
    "scope: a system's": ({"scope": "openid api"}, "invalid_scope"),
    "scope: the operator's": ({"scope": "openid identity:admin"}, "invalid_scope"),
    "scope: the console's": ({"scope": "openid platform"}, "invalid_scope"),
    "scope: two blanks": ({"scope": "openid  profile"}, "invalid_scope"),
    "scope: a tab": ({"scope": "openid\tprofile"}, "invalid_scope"),
    "scope: a look-alike": ({"scope": "\u043epenid"}, "invalid_scope"),
    "challenge: none": ({"code_challenge": None}, "invalid_request"),
    "challenge: no method": ({"code_challenge_method": None}, "invalid_request"),
    "challenge: plain": ({"code_challenge_method": "plain"}, "invalid_request"),
    "challenge: another case": ({"code_challenge_method": "s256"}, "invalid_request"),
    "challenge: short": ({"code_challenge": "x" * 42}, "invalid_request"),
    "challenge: long": ({"code_challenge": "x" * 44}, "invalid_request"),
    "challenge: padded": ({"code_challenge": "x" * 42 + "="}, "invalid_request"),
    "challenge: base64 of the other kind": ({"code_challenge": "x" * 42 + "+"}, "invalid_request"),
    "state: too long": ({"state": "x" * 513}, "invalid_request"),
    "state: a line break": ({"state": "a\r\nb"}, "invalid_request"),
    "state: a NUL": ({"state": "a\0"}, "invalid_request"),
    "state: not ASCII": ({"state": "\u1ec7"}, "invalid_request"),
    "nonce: too long": ({"nonce": "x" * 513}, "invalid_request"),
    "nonce: not ASCII": ({"nonce": "n\u200b1"}, "invalid_request"),
    "prompt: unknown": ({"prompt": "consent"}, "invalid_request"),
    "prompt: two": ({"prompt": "none login"}, "invalid_request"),
    "max_age: negative": ({"max_age": "-1"}, "invalid_request"),
    "max_age: a fraction": ({"max_age": "1.5"}, "invalid_request"),
    "max_age: endless": ({"max_age": "9" * 400}, "invalid_request"),
    "max_age: Arabic digits": ({"max_age": "\u0661"}, "invalid_request"),
    "login_hint: too long": ({"login_hint": "x" * 255}, "invalid_request"),
    "hint: no token": ({"id_token_hint": "x"}, "invalid_request"),
    "request: an object": ({"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
    "request_uri: in a pushed request": ({"request_uri": "urn:x"}, "invalid_request"),
    "request_uri: of another machine": ({"request_uri": "http://169.254.169.254/"}, "invalid_request"),
    "key: no thumbprint": ({"dpop_jkt": "x"}, "invalid_request"),
    # Who asks.
    "client: another's id": ({"client_id": "H11.05/land"}, "invalid_client"),
    "client: a look-alike": ({"client_id": "H11.01/\u043ene-stop"}, "invalid_client"),
    "client: no assertion": ({"client_assertion": None}, "invalid_client"),
    "client: no type": ({"client_assertion_type": None}, "invalid_client"),
    "client: a secret too": ({"client_secret": "x"}, "invalid_request"),
}
REDEEMED: dict[str, tuple[dict[str, str | None], str]] = {
    "code: none": ({"code": None}, "invalid_request"),
    "code: unknown": ({"code": "x" * 43}, "invalid_grant"),
    "code: long": ({"code": "x" * 5000}, "invalid_grant"),
    "code: a NUL": ({"code": "\0"}, "invalid_grant"),
    "code: half a surrogate pair": ({"code": "\ufffd"}, "invalid_grant"),
    "code: a state": ({"code": "s-1"}, "invalid_grant"),
    "redirect: none": ({"redirect_uri": None}, "invalid_request"),
    "redirect: another of its own": ({"redirect_uri": LOOPBACK}, "invalid_grant"),
    "redirect: a slash more": ({"redirect_uri": f"{CALLBACK}/"}, "invalid_grant"),
    "redirect: a look-alike": ({"redirect_uri": CALLBACK.replace("c", "\u0441", 1)}, "invalid_grant"),
    "verifier: none": ({"code_verifier": None}, "invalid_request"),
    "verifier: another": ({"code_verifier": verifier_of("another")}, "invalid_grant"),
    "verifier: short": ({"code_verifier": "x" * 42}, "invalid_request"),
    "verifier: long": ({"code_verifier": "x" * 129}, "invalid_request"),
    "verifier: a sign that is none of it": ({"code_verifier": "x" * 42 + "="}, "invalid_request"),
    "verifier: a look-alike": ({"code_verifier": "\u0445" * 43}, "invalid_request"),
    "verifier: a line break": ({"code_verifier": "x" * 43 + "\n"}, "invalid_request"),
    "grant: none": ({"grant_type": None}, "invalid_request"),
    "grant: implicit": ({"grant_type": "implicit"}, "unsupported_grant_type"),
    "grant: password": ({"grant_type": "password"}, "unsupported_grant_type"),
    "grant: a look-alike": ({"grant_type": "authorization_c\u043ede"}, "unsupported_grant_type"),
    "grant: a code as a refresh token": (
        {"grant_type": "refresh_token", "refresh_token": "CODE"}, "invalid_grant",
    ),
    "client: another's id": ({"client_id": "H11.05/land"}, "invalid_client"),
    "client: no assertion": ({"client_assertion": None}, "invalid_client"),
}  # fmt: skip


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    """On SQLite: what is refused here does not depend on the database."""
    async with a_place(tmp_path, f"sqlite+aiosqlite:///{tmp_path / 'test.db'}") as opened:
        yield opened


async def registered(place: Place) -> Relying:
    await Relying(place.process, client_id="H11.05/land").register(redirects=["https://land.example/cb"])
    return await place.application(redirects=[CALLBACK, LOOPBACK])


def test_the_table_has_as_many_cases_as_are_promised() -> None:
    assert len(PUSHED) + len(REDEEMED) >= 60


async def test_pushed_requests(place: Place) -> None:
    application = await registered(place)
    for name, (changed, expected) in PUSHED.items():
        answer = await application.pushed(**changed)
        found = answer.json()
        assert (found.get("error"), answer.status_code) == (
            expected,
            401 if expected == "invalid_client" else 400,
        ), name
        assert found["error_description"].isascii(), name
        assert found["error_description_vi"], name
        assert answer.headers["cache-control"] == "no-store", name
    assert (await application.pushed()).status_code == 201
    for port in ("", ":1", ":65535"):
        assert (await application.pushed(redirect_uri=f"http://127.0.0.1{port}/callback")).status_code == 201


async def test_redeemed_codes(place: Place) -> None:
    application = await registered(place)
    signed_in = await place.signed_in(await place.office.person("an", OWNER))
    for name, (changed, expected) in REDEEMED.items():
        code = await application.code(signed_in)
        sent = {key: code if value == "CODE" else value for key, value in changed.items()}
        answer = await application.redeem(code, **sent)
        assert answer.json().get("error") == expected, name
        assert "access_token" not in answer.text, name


async def test_forms_that_can_be_read_in_two_ways(place: Place) -> None:
    application = await registered(place)
    for twice in ("redirect_uri", "state", "scope", "client_assertion", "code_challenge", "unknown"):
        form = [
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", place.process.assertion(application.key)),
            ("response_type", "code"),
            ("redirect_uri", CALLBACK),
            ("scope", "openid"),
            ("code_challenge", challenge_of(application.verifier)),
            ("code_challenge_method", "S256"),
            (twice, "https://evil.example/"),
            (twice, "x"),
        ]
        answer = await place.process.http.post(
            "/oauth2/par",
            content=urlencode(form),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request"), twice
    kinds: dict[str, dict[str, Any]] = {
        "a query": {"params": {"scope": "openid"}, "data": {"scope": "openid"}},
        "JSON": {"json": {"scope": "openid"}},
        "packed": {"content": b"x", "headers": {"Content-Encoding": "gzip"}},
        "many fields": {"data": {f"p{n}": "x" for n in range(40)}},
        "not ASCII": {"content": "scope=opénid".encode()},
    }
    for path in ("/oauth2/par", "/oauth2/introspect", "/oauth2/revoke", "/oauth2/token"):
        for name, sent in kinds.items():
            headers = {"Content-Type": "application/x-www-form-urlencoded", **sent.get("headers", {})}
            given = {key: value for key, value in sent.items() if key != "headers"}
            if "json" in sent:
                headers.pop("Content-Type")
            answer = await _sent(place, path, headers, given)
            assert answer.json()["error"] == "invalid_request", (path, name)
            assert answer.status_code in (400, 413), (path, name)


async def test_assertions_of_others(place: Place) -> None:
    application = await registered(place)
    thief = ECKey.generate_key("P-256")
    process = place.process
    genuine = process.assertion(application.key)
    assert (await application.pushed(client_assertion=genuine)).status_code == 201
    wrong = {
        "used for another endpoint": genuine,
        "another key": process.assertion(thief),
        "another's": process.assertion(thief, "H11.05/land"),
        "for another server": process.assertion(application.key, aud="https://evil.example"),
        "for an endpoint that takes none": process.assertion(
            application.key, aud=f"{ISSUER}/oauth2/userinfo"
        ),
        "no algorithm": _unsigned(SYSTEM),
        "too old": process.assertion(application.key, exp=1),
        "without an end": process.assertion(application.key, exp=...),
        "without an id": process.assertion(application.key, jti=...),
        "for somebody else": process.assertion(application.key, sub="H11.05/land"),
    }
    for name, assertion in wrong.items():
        for path in ("/oauth2/par", "/oauth2/introspect", "/oauth2/revoke", "/oauth2/token"):
            answer = await application.post(
                path, client_assertion=assertion, token="x", grant_type="refresh_token", refresh_token="x"
            )
            assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), (name, path)
    own = process.assertion(application.key, aud=f"{ISSUER}/oauth2/par")
    assert (await application.pushed(client_assertion=own)).status_code == 201


async def test_tokens_in_the_place_of_others(place: Place) -> None:
    application = await registered(place)
    signed_in = await place.signed_in(await place.office.person("an", OWNER))
    found = await application.tokens(signed_in)
    for wrong in (found["id_token"], found["refresh_token"], "x"):
        answer = await application.userinfo(wrong)
        assert answer.status_code in (400, 401), wrong
    assert (await application.userinfo(found["access_token"], scheme="DPoP")).status_code == 401
    assert (await application.refresh(found["access_token"])).json()["error"] == "invalid_grant"
    refused = await application.pushed(id_token_hint=found["access_token"])
    assert refused.json()["error"] == "invalid_request"
    other = Relying(place.process, client_id="H11.06/planning")
    await other.register()
    foreign = await other.pushed(id_token_hint=found["id_token"])
    assert foreign.json()["error"] == "invalid_request"
    await place.process.core.people.people.suspend(OPERATOR, signed_in.account.id)
    assert (await application.userinfo(found["access_token"])).json()["reason"] == "ended"


async def _sent(place: Place, path: str, headers: dict[str, str], given: dict[str, Any]) -> httpx.Response:
    """The server closes the connection on what it does not read, perhaps before its answer was."""
    for _ in range(5):
        async with httpx.AsyncClient(base_url=place.process.url, timeout=5) as http:
            with suppress(httpx.TransportError):
                return await http.post(path, headers=headers, **given)
    raise AssertionError((path, given))


def _unsigned(client_id: str) -> str:
    def part(content: dict[str, object]) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()

    claims = {"iss": client_id, "sub": client_id, "aud": ISSUER, "exp": 9_999_999_999, "jti": "x"}
    return f"{part({'alg': 'none'})}.{part(claims)}."
