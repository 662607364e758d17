"""Token exchange (RFC 8693): a system acts for a person, as long as that is signed in and no further."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from lienthong.kit.clock import ManualClock
from lienthong.kit.policy import Grant, Role
from tests.integration.identity.openid.harness import ACCESS_TOKEN, EXCHANGE, Relying, a_place
from tests.integration.identity.people.harness import LAND, OPERATOR

if TYPE_CHECKING:
    from pathlib import Path

    from lienthong.identity.people.service.sessions import SignedIn
    from tests.integration.identity.openid.harness import Place

OWNER = Grant(Role.DATA_OWNER, LAND)
BACKEND = "H11.01/backend"


async def an(place: Place) -> SignedIn:
    return await place.signed_in(await place.office.person("an", OWNER))


async def both(place: Place) -> tuple[Relying, Relying]:
    """An application in which people sign in, and a system behind it in which nobody does."""
    return await place.application(acts=True), await place.other(BACKEND, acts=True, redirects=())


async def token_of(application: Relying, signed_in: SignedIn, scope: str = "openid api") -> str:
    return str((await application.tokens(signed_in, scope=scope))["access_token"])


def claims(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


async def test_a_system_gets_a_token_by_which_it_acts_for_the_person(place: Place) -> None:
    application, backend = await both(place)
    signed_in = await an(place)
    given = await token_of(application, signed_in)
    place.clock.advance(60)
    answer = await backend.exchange(given)
    assert answer.status_code == 200, answer.text
    assert answer.headers["lgsp-client"] == BACKEND
    found = answer.json()
    assert {name: found[name] for name in found if name != "access_token"} == {
        "token_type": "Bearer",
        "expires_in": 240,
        "scope": "api",
        "issued_token_type": ACCESS_TOKEN,
    }
    said = claims(found["access_token"])
    before = claims(given)
    assert said.pop("jti") != before["jti"]
    now = int(place.clock.now().timestamp())
    assert said == {
        "iss": before["iss"],
        "aud": before["aud"],
        "sub": signed_in.account.id,
        "client_id": BACKEND,
        "scope": "api",
        "iat": now,
        "exp": before["exp"],
        "sid": signed_in.session.id,
        "roles": ["data-owner@H11.05"],
        "act": {"sub": BACKEND, "act": {"sub": application.client_id}},
    }
    worth = await backend.introspect(found["access_token"])
    assert (worth["active"], worth["sub"], worth["client_id"]) == (True, signed_in.account.id, BACKEND)
    assert worth["act"] == said["act"]


async def test_the_application_itself_exchanges_its_own(place: Place) -> None:
    application = await place.application(acts=True)
    acting = await application.acting(await token_of(application, await an(place)))
    assert claims(acting)["act"] == {"sub": application.client_id}
    # What it has in exchange already is not longer in its hands by another exchange.
    again = await application.acting(acting)
    assert claims(again)["act"] == {"sub": application.client_id}
    assert claims(again)["exp"] == claims(acting)["exp"]


async def test_a_chain_has_four_hands_at_most(place: Place) -> None:
    application = await place.application(acts=True)
    token = await token_of(application, await an(place))
    chain = [application.client_id]
    for number in range(3):
        system = await place.other(f"H11.01/step-{number}", acts=True, redirects=())
        token = await system.acting(token)
        chain.insert(0, system.client_id)
    act: dict[str, Any] | None = claims(token)["act"]
    found = []
    while act is not None:
        found.append(act["sub"])
        act = act.get("act")
    assert found == chain
    last = await place.other("H11.01/step-3", acts=True, redirects=())
    refused = await last.exchange(token)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")
    assert "4 clients" in refused.json()["error_description"]


async def test_what_is_asked_for_here_is_given(place: Place) -> None:
    application, backend = await both(place)
    token = await token_of(application, await an(place))
    issuer = place.process.settings.issuer
    for asked in (
        {"scope": "api"},
        {"audience": "urn:lgsp:VN-BTN"},
        {"audience": issuer},
        {"resource": issuer},
        {"resource": f"{issuer}/"},
        {"resource": issuer, "audience": "urn:lgsp:VN-BTN"},
        {"requested_token_type": ACCESS_TOKEN},
    ):
        assert (await backend.exchange(token, **asked)).json().get("scope") == "api", asked
    form = {
        "grant_type": EXCHANGE,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": place.process.assertion(backend.key, BACKEND),
        "subject_token": token,
        "subject_token_type": ACCESS_TOKEN,
        "resource": [issuer, f"{issuer}/"],
    }
    assert (await place.process.http.post("/oauth2/token", data=form)).status_code == 200
    elsewhere = {**form, "resource": [issuer, "https://evil.example"]}
    elsewhere["client_assertion"] = place.process.assertion(backend.key, BACKEND)
    refused = await place.process.http.post("/oauth2/token", data=elsewhere)
    assert refused.json()["error"] == "invalid_target"


@pytest.mark.parametrize(
    "how", ["signed out", "revoked", "used twice", "suspended", "stricter roles", "application removed"]
)
async def test_it_ends_with_what_it_came_of(place: Place, how: str) -> None:
    application, backend = await both(place)
    signed_in = await an(place)
    given = await application.tokens(signed_in, scope="openid api")
    token = str(given["access_token"])
    acting = await backend.acting(token)
    people, openid = place.process.core.people, place.process.core.openid
    match how:
        case "signed out":
            await people.sessions.end(OPERATOR, signed_in.account.id)
        case "revoked":
            assert (await application.post("/oauth2/revoke", token=token)).status_code == 200
        case "used twice":
            newer = (await application.refresh(given["refresh_token"])).json()
            assert (await application.refresh(newer["refresh_token"])).status_code == 200
            assert (await application.refresh(given["refresh_token"])).status_code == 400
        case "suspended":
            await people.people.suspend(OPERATOR, signed_in.account.id)
        case "stricter roles":
            await people.people.change_grants(OPERATOR, signed_in.account.id, [Grant(Role.PLATFORM_OPERATOR)])
        case _:
            await openid.applications.remove(OPERATOR, application.client_id)
    for each in (token, acting):
        refused = await backend.exchange(each)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")
    assert await backend.introspect(acting) == {"active": False}


async def test_whoever_may_not_act_any_more_stops_what_comes_after(place: Place) -> None:
    application, backend = await both(place)
    other = await place.other(acts=True, redirects=())
    signed_in = await an(place)
    token = await token_of(application, signed_in)
    acting = await backend.acting(token)
    assert (await other.exchange(acting)).status_code == 200
    await backend.as_application(redirects=(), acts=True, after_sign_out=["https://one-stop.example/"])
    assert (await other.exchange(acting)).status_code == 200
    await backend.as_application(acts=False)
    assert (await other.exchange(acting)).json()["error"] == "invalid_request"
    assert (await backend.exchange(token)).json()["error"] == "unauthorized_client"
    assert (await other.exchange(token)).status_code == 200
    await application.as_application(acts=False)
    assert (await other.exchange(token)).json()["error"] == "invalid_request"


async def test_a_suspended_system_in_the_chain_ends_it(place: Place) -> None:
    application, backend = await both(place)
    other = await place.other(acts=True, redirects=())
    acting = await other.acting(await backend.acting(await token_of(application, await an(place))))
    assert (await other.introspect(acting))["active"]
    await place.process.register(backend.key, BACKEND, version=2, status="suspended")
    assert (await other.exchange(acting)).json()["error"] == "invalid_request"
    assert await other.introspect(acting) == {"active": False}
    assert (await backend.exchange(acting)).json()["error"] == "unauthorized_client"


async def test_it_is_good_for_calls_alone(place: Place) -> None:
    application, backend = await both(place)
    acting = await backend.acting(await token_of(application, await an(place), "openid profile roles api"))
    assert (await backend.userinfo(acting)).json()["code"] == "insufficient-scope"
    headers = {"Authorization": f"Bearer {acting}"}
    answer = await place.process.http.get("/identity/v1/people", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient-scope")
    refused = await backend.post("/oauth2/revoke", token=acting)
    assert refused.json()["error"] == "unsupported_token_type"
    # Another's is none of its business.
    assert (await application.post("/oauth2/revoke", token=await backend.acting(acting))).status_code == 200


async def test_what_an_operator_registers_is_on_record(place: Place) -> None:
    await both(place)
    found = await place.records("application.register")
    assert [(one["object"], one["detail"]["acts_for_people"]) for one in found] == [
        ("Application/H11.01/one-stop", True),
        ("Application/H11.01/backend", True),
    ]


async def test_what_ends_at_one_replica_has_ended_at_the_other(tmp_path: Path, database_url: str) -> None:
    clock = ManualClock()
    async with (
        a_place(tmp_path, database_url, clock=clock) as one,
        a_place(tmp_path, database_url, clock=clock) as two,
    ):
        application, backend = await both(one)
        there = Relying(two.process, backend.key, BACKEND)
        signed_in = await an(one)
        token = await token_of(application, signed_in)
        acting = await there.acting(token)
        assert (await backend.exchange(acting)).status_code == 200
        answers = await asyncio.gather(*[each.exchange(token) for each in (backend, there) for _ in range(3)])
        assert {answer.status_code for answer in answers} == {200}
        await one.process.core.people.sessions.end(OPERATOR, signed_in.account.id)
        assert (await there.exchange(token)).json()["error"] == "invalid_request"
        assert (await there.exchange(acting)).json()["error"] == "invalid_request"
        assert await there.introspect(acting) == {"active": False}
