"""From a pushed request to tokens: what an application gets of a person, and when it gets nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from lienthong.identity.openid.service.authorizations import SignInFirst
from lienthong.kit.clock import ManualClock
from lienthong.kit.policy import Grant, Role
from lienthong.kit.problems import ProblemError
from tests.integration.identity.harness import ISSUER
from tests.integration.identity.openid.harness import CALLBACK, Relying, a_place, challenge_of, verifier_of
from tests.integration.identity.people.harness import LAND, ONE_STOP, OPERATOR
from tests.integration.identity.test_own_clients import own_key

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.identity.openid.harness import Place

OWNER = Grant(Role.DATA_OWNER, LAND)


async def claims(place: Place, token: str) -> dict[str, Any]:
    keys = KeySet.import_key_set((await place.process.http.get("/oauth2/jwks")).json())
    decoded = jwt.decode(token, keys, algorithms=["ES256"])
    return {"typ": decoded.header["typ"], **decoded.claims}


async def test_an_application_is_told_who_has_signed_in(place: Place) -> None:
    application = await place.application()
    person = await place.office.person("an", OWNER)
    signed_in = await place.signed_in(person)
    back = await application.sent_back(signed_in)
    assert (back["state"], back["iss"]) == ("s-1", ISSUER)
    answer = await application.redeem(back["code"])
    found = answer.json()
    assert (found["token_type"], found["expires_in"], found["scope"]) == (
        "Bearer",
        300,
        "openid profile roles",
    )
    assert answer.headers["cache-control"] == "no-store"
    said = await claims(place, found["id_token"])
    now = int(place.clock.now().timestamp())
    assert said.pop("at_hash")
    assert said == {
        "typ": "JWT",
        "iss": ISSUER,
        "sub": person.account.id,
        "aud": application.client_id,
        "iat": now,
        "exp": now + 300,
        "auth_time": int(signed_in.session.created_at.timestamp()),
        "acr": "urn:lgsp:acr:one-factor",
        "amr": ["pwd"],
        "sid": signed_in.session.id,
        "nonce": "n-1",
    }
    access = await claims(place, found["access_token"])
    assert (access["typ"], access["sub"], access["client_id"]) == (
        "at+jwt",
        person.account.id,
        application.client_id,
    )
    assert (access["roles"], access["sid"]) == (["data-owner@H11.05"], signed_in.session.id)
    info = await application.userinfo(found["access_token"])
    assert info.json() == {
        "sub": person.account.id,
        "name": "An",
        "preferred_username": "an@example.vn",
        "agency": LAND,
        "roles": ["data-owner@H11.05"],
    }
    (record,) = await place.records("application.sign-in")
    assert (record["actor"], record["object"]) == (
        f"person/{person.account.id}",
        f"Application/{application.client_id}",
    )


async def test_an_application_is_told_no_more_than_it_asks(place: Place) -> None:
    application = await place.application()
    signed_in = await place.signed_in(await place.office.person("an", OWNER))
    found = await application.tokens(signed_in, scope="openid")
    info = await application.userinfo(found["access_token"])
    assert info.json() == {"sub": signed_in.account.id}


async def test_two_factors_are_said(place: Place) -> None:
    application = await place.application()
    person = await place.office.person("an", Grant(Role.PLATFORM_OPERATOR), agency="")
    signed_in = await person.signed_in(await person.enrol())
    said = await claims(place, (await application.tokens(signed_in))["id_token"])
    assert (said["acr"], said["amr"]) == ("urn:lgsp:acr:two-factors", ["pwd", "otp", "mfa"])


async def test_a_code_is_good_once_and_what_came_of_it_ends_with_its_second_use(place: Place) -> None:
    application = await place.application()
    signed_in = await place.signed_in(await place.office.person("an", OWNER))
    code = await application.code(signed_in)
    found = (await application.redeem(code)).json()
    assert (await application.introspect(found["access_token"]))["active"]
    again = await application.redeem(code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert await application.introspect(found["access_token"]) == {"active": False}
    assert (await application.refresh(found["refresh_token"])).json()["error"] == "invalid_grant"
    assert (await application.userinfo(found["access_token"])).json()["reason"] == "ended"
    (record,) = await place.records("application.reuse-code")
    assert record["detail"]["person"] == signed_in.account.id


async def test_of_two_replicas_one_redeems_a_code(tmp_path: Path, database_url: str) -> None:
    clock = ManualClock()
    async with (
        a_place(tmp_path, database_url, clock=clock) as one,
        a_place(tmp_path, database_url, clock=clock) as other,
    ):
        application = await one.application()
        there = Relying(other.process, application.key, verifier=application.verifier)
        signed_in = await one.signed_in(await one.office.person("an", OWNER))
        for _ in range(3):
            code = await application.code(signed_in)
            answers = await asyncio.gather(application.redeem(code), there.redeem(code))
            assert sorted(answer.status_code for answer in answers) == [200, 400]


async def test_a_code_is_good_for_a_minute(place: Place) -> None:
    application = await place.application()
    signed_in = await place.signed_in(await place.office.person("an", OWNER))
    code = await application.code(signed_in)
    place.clock.advance(61)
    assert (await application.redeem(code)).json()["error"] == "invalid_grant"


async def test_a_reference_is_answered_once(place: Place) -> None:
    application = await place.application()
    signed_in = await place.signed_in(await place.office.person("an", OWNER))
    reference = await application.reference()
    answer = place.process.core.openid.authorizations.answer
    await answer(application.client_id, reference, signed_in)
    with pytest.raises(ProblemError, match="application-sign-in-over"):
        await answer(application.client_id, reference, signed_in)


async def test_a_reference_belongs_to_its_application_and_ends(place: Place) -> None:
    application, other = await place.application(), await place.other()
    reference = await application.reference()
    answer = place.process.core.openid.authorizations.answer
    for client_id in (other.client_id, "H11.01/one-stoр", ""):
        with pytest.raises(ProblemError, match="invalid_request_uri"):
            await answer(client_id, reference, None)
    place.clock.advance(601)
    with pytest.raises(ProblemError, match="invalid_request_uri"):
        await answer(application.client_id, reference, None)


async def test_who_has_not_signed_in_does_so_first_and_comes_back(place: Place) -> None:
    application = await place.application()
    reference = await application.reference()
    answer = place.process.core.openid.authorizations.answer
    outcome = await answer(application.client_id, reference, None)
    assert isinstance(outcome, SignInFirst)
    assert outcome.next.startswith("/authorize?client_id=H11.01%2Fone-stop&request_uri=urn%3Aietf")
    signed_in = await place.signed_in(await place.office.person("an", OWNER))
    assert "code=" in str(await answer(application.client_id, reference, signed_in))


async def test_without_a_person_prompt_none_gets_an_error(place: Place) -> None:
    application = await place.application()
    assert await application.sent_back(None, prompt="none") == {
        "error": "login_required",
        "state": "s-1",
        "iss": ISSUER,
    }


async def test_prompt_login_and_max_age_want_a_newer_sign_in(place: Place) -> None:
    application = await place.application()
    person = await place.office.person("an", OWNER)
    old = await place.signed_in(person)
    place.clock.advance(100)
    answer = place.process.core.openid.authorizations.answer
    for asked in ({"prompt": "login"}, {"max_age": "99"}, {"max_age": "0"}):
        reference = await application.reference(**asked)
        outcome = await answer(application.client_id, reference, old)
        assert isinstance(outcome, SignInFirst)
        assert outcome.anew
        place.clock.advance(1)
        assert "code=" in str(await answer(application.client_id, reference, await place.signed_in(person)))
    assert (await application.sent_back(old, prompt="none", max_age="99"))["error"] == "login_required"
    assert "code" in await application.sent_back(old, max_age="1000")


async def test_whom_a_hint_names_or_nobody(place: Place) -> None:
    application = await place.application()
    an, binh = [await place.signed_in(await place.office.person(name, OWNER)) for name in ("an", "binh")]
    hint = (await application.tokens(an))["id_token"]
    assert "code" in await application.sent_back(an, id_token_hint=hint, prompt="none")
    assert (await application.sent_back(binh, id_token_hint=hint))["error"] == "login_required"


async def test_a_session_that_ended_gives_no_code_and_no_token(place: Place) -> None:
    application = await place.application()
    signed_in = await place.signed_in(await place.office.person("an", OWNER))
    code = await application.code(signed_in)
    found = await application.tokens(signed_in)
    await place.process.core.people.people.sign_out(OPERATOR, signed_in.account.id)
    assert (await application.redeem(code)).json()["error"] == "invalid_grant"
    assert (await application.refresh(found["refresh_token"])).json()["error"] == "invalid_grant"
    assert await application.introspect(found["access_token"]) == {"active": False}
    reference = await application.reference()
    outcome = await place.process.core.openid.authorizations.answer(
        application.client_id, reference, signed_in
    )
    assert isinstance(outcome, SignInFirst)


async def test_an_application_that_was_taken_away_gets_nothing(place: Place) -> None:
    application = await place.application()
    signed_in = await place.signed_in(await place.office.person("an", OWNER))
    found, reference = await application.tokens(signed_in), await application.reference()
    await place.process.core.openid.applications.remove(OPERATOR, application.client_id)
    with pytest.raises(ProblemError, match="invalid_request_uri"):
        await place.process.core.openid.authorizations.answer(application.client_id, reference, signed_in)
    assert (await application.pushed()).json()["error"] == "unauthorized_client"
    assert (await application.refresh(found["refresh_token"])).json()["error"] == "invalid_grant"


async def test_a_system_in_which_nobody_signs_in_pushes_nothing(place: Place) -> None:
    system = Relying(place.process)
    await place.process.register(system.key)
    answer = await system.pushed()
    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")


async def test_of_many_sign_ins_in_one_session_the_newest_stand(place: Place) -> None:
    application = await place.application()
    signed_in = await place.signed_in(await place.office.person("an", OWNER))
    found = []
    for _ in range(12):
        found.append(await application.tokens(signed_in))
        place.clock.advance(1)
    active = [(await application.introspect(one["refresh_token"]))["active"] for one in found]
    assert active == [False] * 2 + [True] * 10


async def test_a_code_is_bound_to_what_it_was_asked_for(place: Place) -> None:
    application, other = await place.application(), await place.other()
    signed_in = await place.signed_in(await place.office.person("an", OWNER))
    wrong: tuple[dict[str, str], ...] = (
        {"code_verifier": verifier_of("another")},
        {"code_verifier": challenge_of(application.verifier)},
        {"redirect_uri": f"{CALLBACK}/"},
        {"redirect_uri": CALLBACK.replace("https", "http")},
    )
    for changed in wrong:
        code = await application.code(signed_in)
        assert (await application.redeem(code, **changed)).json()["error"] == "invalid_grant"
        assert (await application.redeem(code)).json()["error"] == "invalid_grant"
    code = await application.code(signed_in)
    there = Relying(place.process, other.key, other.client_id, application.verifier)
    assert (await there.redeem(code)).json()["error"] == "invalid_grant"
    assert (await application.redeem(code)).status_code == 200


async def test_a_person_of_an_agency_administers_over_rest_with_the_console(place: Place) -> None:
    key = own_key(place.process.settings, "console")
    console = await Relying(place.process, key, "console").as_application()
    person = await place.office.person("an", Grant(Role.AGENCY_ADMINISTRATOR, LAND))
    signed_in = await person.signed_in(await person.enrol())
    token = (await console.tokens(signed_in, scope="openid platform"))["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    http = place.process.http
    wanted = {"login": "binh@example.vn", "name": "Bình", "agency": LAND, "roles": []}
    made = await http.post("/identity/v1/people", json=wanted, headers=headers)
    assert made.status_code == 201, made.text
    elsewhere = await http.post(
        "/identity/v1/people", json={**wanted, "login": "cuc@example.vn", "agency": ONE_STOP}, headers=headers
    )
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (403, "role-required")
    actors = [record["actor"] for record in await place.office.records("person.invite")]
    assert actors == ["operator", f"person/{person.account.id}"]
    applications = await http.get("/identity/v1/applications", headers=headers)
    assert applications.json()["code"] == "role-required"
    await place.process.core.people.people.sign_out(OPERATOR, person.account.id)
    ended = await http.get("/identity/v1/people", headers=headers)
    assert (ended.status_code, ended.json()["reason"]) == (401, "ended")


async def test_another_application_cannot_act_for_an_administrator(place: Place) -> None:
    application = await place.application()
    person = await place.office.person("an", Grant(Role.AGENCY_ADMINISTRATOR, LAND))
    signed_in = await person.signed_in(await person.enrol())
    refused = await application.pushed(scope="openid platform")
    assert refused.json()["error"] == "invalid_scope"
    token = (await application.tokens(signed_in))["access_token"]
    answer = await place.process.http.get("/identity/v1/people", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient-scope")
