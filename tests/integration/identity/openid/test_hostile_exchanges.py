"""A table of hostile and careless exchanges of tokens, each with the error that RFC 8693 §2.2.2 names."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from joserfc.jwk import ECKey

from lienthong.kit.policy import Grant, Role
from tests.integration.identity.harness import ISSUER, sign
from tests.integration.identity.openid.harness import ACCESS_TOKEN, Relying, a_place
from tests.integration.identity.people.harness import LAND

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.integration.identity.openid.harness import Place

TYPE = "urn:ietf:params:oauth:token-type"
CASES: dict[str, tuple[dict[str, str | None], str]] = {
    # What is exchanged.
    "subject: none": ({"subject_token": None}, "invalid_request"),
    "subject: empty": ({"subject_token": ""}, "invalid_request"),
    "subject: no token": ({"subject_token": "x"}, "invalid_request"),
    "subject: long": ({"subject_token": "x" * 9000}, "invalid_request"),
    "subject: a NUL": ({"subject_token": "\0"}, "invalid_request"),
    "subject: not ASCII": ({"subject_token": "\u1ec7"}, "invalid_request"),
    "subject: dots": ({"subject_token": ".."}, "invalid_request"),
    "subject: the ID token": ({"subject_token": "ID"}, "invalid_request"),
    "subject: the refresh token": ({"subject_token": "REFRESH"}, "invalid_request"),
    "subject: a system's own": ({"subject_token": "SYSTEM"}, "invalid_request"),
    "subject: another signature": ({"subject_token": "FORGED"}, "invalid_request"),
    "subject: no signature": ({"subject_token": "UNSIGNED"}, "invalid_request"),
    "subject: of another server": ({"subject_token": "FOREIGN"}, "invalid_request"),
    "subject: two": ({"subject_token": "ACCESS ACCESS"}, "invalid_request"),
    "subject: with a scheme": ({"subject_token": "Bearer ACCESS"}, "invalid_request"),
    "subject: an assertion": ({"subject_token": "ASSERTION"}, "invalid_request"),
    "type: none": ({"subject_token_type": None}, "invalid_request"),
    "type: jwt": ({"subject_token_type": f"{TYPE}:jwt"}, "invalid_request"),
    "type: id_token": ({"subject_token_type": f"{TYPE}:id_token"}, "invalid_request"),
    "type: refresh_token": ({"subject_token_type": f"{TYPE}:refresh_token"}, "invalid_request"),
    "type: saml2": ({"subject_token_type": f"{TYPE}:saml2"}, "invalid_request"),
    "type: in capitals": ({"subject_token_type": ACCESS_TOKEN.upper()}, "invalid_request"),
    "type: short": ({"subject_token_type": "access_token"}, "invalid_request"),
    # What is wanted.
    "wanted: refresh_token": ({"requested_token_type": f"{TYPE}:refresh_token"}, "invalid_request"),
    "wanted: id_token": ({"requested_token_type": f"{TYPE}:id_token"}, "invalid_request"),
    "wanted: unknown": ({"requested_token_type": "x"}, "invalid_request"),
    "scope: wider than the token": ({"scope": "api events"}, "invalid_scope"),
    "scope: the person's": ({"scope": "openid"}, "invalid_scope"),
    "scope: the console's": ({"scope": "platform"}, "invalid_scope"),
    "scope: the operator's": ({"scope": "identity:admin"}, "invalid_scope"),
    "scope: two blanks": ({"scope": "api  api"}, "invalid_scope"),
    "scope: a look-alike": ({"scope": "\u0430pi"}, "invalid_scope"),
    "audience: another's": ({"audience": "urn:lgsp:VN-HCM"}, "invalid_target"),
    "audience: a system": ({"audience": "H11.05/land"}, "invalid_target"),
    "audience: one too many": ({"audience": "urn:lgsp:VN-BTN urn:x"}, "invalid_target"),
    "audience: long": ({"audience": "x" * 5000}, "invalid_target"),
    "resource: elsewhere": ({"resource": "https://evil.example"}, "invalid_target"),
    "resource: the host as a prefix": ({"resource": f"{ISSUER}.evil.example"}, "invalid_target"),
    "resource: the host as a user": ({"resource": f"{ISSUER}@evil.example"}, "invalid_target"),
    "resource: a fragment": ({"resource": f"{ISSUER}#x"}, "invalid_target"),
    "resource: relative": ({"resource": "/"}, "invalid_target"),
    "resource: http": ({"resource": ISSUER.replace("https", "http")}, "invalid_target"),
    # Who acts.
    "actor: another": (
        {"actor_token": "ACCESS", "actor_token_type": ACCESS_TOKEN}, "invalid_request",
    ),
    "actor: a type alone": ({"actor_token_type": ACCESS_TOKEN}, "invalid_request"),
    "actor: without a type": ({"actor_token": "SYSTEM"}, "invalid_request"),
    "client: no assertion": ({"client_assertion": None}, "invalid_client"),
    "client: another's id": ({"client_id": "H11.05/land"}, "invalid_client"),
    "client: a secret too": ({"client_secret": "x"}, "invalid_request"),
    "grant: a look-alike": (
        {"grant_type": "urn:ietf:params:oauth:grant-type:token-exch\u0430nge"}, "unsupported_grant_type",
    ),
    "grant: short": ({"grant_type": "token-exchange"}, "unsupported_grant_type"),
}  # fmt: skip


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    """On SQLite: what is refused here does not depend on the database."""
    async with a_place(tmp_path, f"sqlite+aiosqlite:///{tmp_path / 'test.db'}") as opened:
        yield opened


async def test_each_exchange_that_is_wrong_gets_the_error_of_its_rfc(place: Place) -> None:
    application = await place.application(acts=True)
    backend = await place.other("H11.01/backend", acts=True, redirects=())
    signed_in = await place.signed_in(await place.office.person("an", Grant(Role.DATA_OWNER, LAND)))
    given = await application.tokens(signed_in, scope="openid api")
    access = str(given["access_token"])
    thief = ECKey.generate_key("P-256")
    said = _claims(access)
    own = await place.process.ask(place.process.assertion(application.key))
    words = {
        "ACCESS": access,
        "ID": given["id_token"],
        "REFRESH": given["refresh_token"],
        "SYSTEM": own.json()["access_token"],
        "ASSERTION": place.process.assertion(backend.key, "H11.01/backend"),
        "FORGED": sign(thief, said, typ="at+jwt", kid=_header(access)["kid"]),
        "UNSIGNED": f"{_part({'typ': 'at+jwt', 'alg': 'none', 'kid': _header(access)['kid']})}."
        f"{access.split('.')[1]}.",
        "FOREIGN": sign(thief, {**said, "iss": "https://evil.example"}, typ="at+jwt", kid="x"),
    }
    for name, (changed, expected) in CASES.items():
        sent = {key: _filled(value, words) for key, value in changed.items()}
        answer = await backend.exchange(access, **sent)
        found = answer.json()
        status = 401 if expected == "invalid_client" else 400
        assert (found.get("error"), answer.status_code) == (expected, status), name
        assert found["error_description"].isascii(), name
        assert found["error_description_vi"], name
        assert "access_token" not in found, name
        assert answer.headers["cache-control"] == "no-store", name
    assert (await backend.exchange(access)).status_code == 200


async def test_who_is_not_allowed_to_learns_nothing_of_the_token(place: Place) -> None:
    application = await place.application(acts=True)
    signed_in = await place.signed_in(await place.office.person("an", Grant(Role.DATA_OWNER, LAND)))
    access = str((await application.tokens(signed_in, scope="openid api"))["access_token"])
    stranger = Relying(place.process, client_id="H11.06/planning")
    await place.process.register(stranger.key, stranger.client_id)
    quiet = await place.other()
    for client in (stranger, quiet):
        for token in (access, "x", None):
            answer = await client.exchange(token)
            assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")
            assert answer.headers["lgsp-client"] == client.client_id


async def test_a_token_whose_person_did_not_let_it_out_is_not_exchanged(place: Place) -> None:
    application = await place.application(acts=True)
    backend = await place.other("H11.01/backend", acts=True, redirects=())
    signed_in = await place.signed_in(await place.office.person("an", Grant(Role.DATA_OWNER, LAND)))
    access = str((await application.tokens(signed_in, scope="openid profile"))["access_token"])
    answer = await backend.exchange(access)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")
    quiet = await place.other()
    refused = await quiet.pushed(scope="openid api")
    assert refused.json()["error"] == "invalid_scope"
    nowhere = await backend.pushed(scope="openid api")
    assert nowhere.json()["error"] == "invalid_request"


async def test_a_token_that_is_over_is_not_exchanged(place: Place) -> None:
    application = await place.application(acts=True)
    signed_in = await place.signed_in(await place.office.person("an", Grant(Role.DATA_OWNER, LAND)))
    access = str((await application.tokens(signed_in, scope="openid api"))["access_token"])
    place.clock.advance(299)
    answer = await application.exchange(access)
    assert answer.json()["expires_in"] == 1
    place.clock.advance(1)
    for token in (access, answer.json()["access_token"]):
        assert (await application.exchange(token)).json()["error"] == "invalid_request"


def _filled(value: str | None, words: dict[str, str]) -> str | None:
    for word, text in words.items():
        value = value.replace(word, text) if value is not None else None
    return value


def _part(content: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def _claims(token: str) -> dict[str, Any]:
    return _read(token.split(".")[1])


def _header(token: str) -> dict[str, Any]:
    return _read(token.split(".")[0])


def _read(part: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found
