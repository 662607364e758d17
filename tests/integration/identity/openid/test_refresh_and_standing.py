"""Refresh tokens are good once; what tokens are worth, and their revocation."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from joserfc.jwk import ECKey

from lienthong.kit.policy import Grant, Role
from tests.integration.identity.harness import ISSUER
from tests.integration.identity.openid.harness import Relying
from tests.integration.identity.people.harness import LAND, OPERATOR

if TYPE_CHECKING:
    from pathlib import Path

    from lienthong.identity.people.service.sessions import SignedIn
    from tests.integration.identity.openid.harness import Place

OWNER = Grant(Role.DATA_OWNER, LAND)


async def an(place: Place) -> SignedIn:
    return await place.signed_in(await place.office.person("an", OWNER))


async def test_a_refresh_token_is_replaced_each_time(place: Place) -> None:
    application = await place.application()
    found = await application.tokens(await an(place))
    seen = {found["refresh_token"]}
    for _ in range(5):
        place.clock.advance(300)
        answer = await application.refresh(found["refresh_token"])
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert found["refresh_token"] not in seen
        seen.add(found["refresh_token"])
        assert (await application.userinfo(found["access_token"])).status_code == 200
    assert "nonce" not in found["id_token"]


async def test_a_refresh_token_that_comes_again_ends_the_family(place: Place) -> None:
    application = await place.application()
    first = await application.tokens(await an(place))
    second = (await application.refresh(first["refresh_token"])).json()
    third = (await application.refresh(second["refresh_token"])).json()
    again = await application.refresh(first["refresh_token"])
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert (await application.refresh(third["refresh_token"])).json()["error"] == "invalid_grant"
    assert await application.introspect(third["access_token"]) == {"active": False}
    assert len(await place.records("application.reuse-refresh-token")) == 1


async def test_an_answer_that_was_lost_is_given_once_more_for_a_moment(place: Place) -> None:
    application = await place.application()
    first = await application.tokens(await an(place))
    lost = (await application.refresh(first["refresh_token"])).json()
    place.clock.advance(9)
    kept = (await application.refresh(first["refresh_token"])).json()
    # The moment is not prolonged, and what was given first is worth nothing now.
    assert (await application.introspect(lost["refresh_token"])) == {"active": False}
    assert (await application.introspect(kept["refresh_token"]))["active"]
    place.clock.advance(2)
    late = await application.refresh(first["refresh_token"])
    assert late.json()["error"] == "invalid_grant"
    assert (await application.refresh(kept["refresh_token"])).json()["error"] == "invalid_grant"


async def test_whoever_uses_what_was_replaced_in_that_moment_ends_the_family(place: Place) -> None:
    application = await place.application()
    first = await application.tokens(await an(place))
    lost = (await application.refresh(first["refresh_token"])).json()
    kept = (await application.refresh(first["refresh_token"])).json()
    assert (await application.refresh(lost["refresh_token"])).json()["error"] == "invalid_grant"
    assert (await application.refresh(kept["refresh_token"])).json()["error"] == "invalid_grant"


async def test_after_the_successor_was_used_there_is_no_such_moment(place: Place) -> None:
    application = await place.application()
    first = await application.tokens(await an(place))
    second = (await application.refresh(first["refresh_token"])).json()
    assert (await application.refresh(second["refresh_token"])).status_code == 200
    assert (await application.refresh(first["refresh_token"])).json()["error"] == "invalid_grant"


async def test_of_many_uses_at_once_one_family_comes_out(place: Place) -> None:
    application = await place.application()
    first = await application.tokens(await an(place))
    answers = await asyncio.gather(*[application.refresh(first["refresh_token"]) for _ in range(5)])
    assert {answer.status_code for answer in answers} == {200}
    tokens = [answer.json()["refresh_token"] for answer in answers]
    assert len(set(tokens)) == 5
    active = [(await application.introspect(token))["active"] for token in tokens]
    assert sum(active) == 1


async def test_another_client_cannot_use_it_and_does_no_harm(place: Place) -> None:
    application, other = await place.application(), await place.other()
    found = await application.tokens(await an(place))
    assert (await other.refresh(found["refresh_token"])).json()["error"] == "invalid_grant"
    assert await other.introspect(found["refresh_token"]) == {"active": False}
    assert (await other.post("/oauth2/revoke", token=found["refresh_token"])).status_code == 200
    assert (await other.post("/oauth2/revoke", token=found["access_token"])).status_code == 200
    assert (await application.refresh(found["refresh_token"])).status_code == 200


async def test_fewer_scopes_can_be_had_and_no_more(place: Place) -> None:
    application = await place.application()
    found = await application.tokens(await an(place), scope="openid profile")
    less = (await application.refresh(found["refresh_token"], scope="openid")).json()
    assert less["scope"] == "openid"
    more = await application.refresh(less["refresh_token"], scope="openid roles")
    assert more.json()["error"] == "invalid_scope"
    # Nothing was used up by that.
    assert (await application.refresh(less["refresh_token"])).json()["scope"] == "openid profile"


async def test_it_ends_with_the_session_and_keeps_it_awake(place: Place) -> None:
    application = await place.application()
    found = await application.tokens(await an(place))
    for _ in range(20):
        place.clock.advance(29 * 60)
        answer = await application.refresh(found["refresh_token"])
        assert answer.status_code == 200
        found = answer.json()
    place.clock.advance(31 * 60)
    assert (await application.refresh(found["refresh_token"])).json()["error"] == "invalid_grant"


async def test_roles_follow_the_moment_and_stricter_ones_end_it(place: Place) -> None:
    application = await place.application()
    signed_in = await an(place)
    found = await application.tokens(signed_in)
    people = place.process.core.people.people
    await people.change_grants(OPERATOR, signed_in.account.id, [Grant(Role.AUDITOR)])
    assert (await application.introspect(found["access_token"]))["roles"] == ["auditor"]
    found = (await application.refresh(found["refresh_token"])).json()
    await people.change_grants(OPERATOR, signed_in.account.id, [Grant(Role.PLATFORM_OPERATOR)])
    assert (await application.refresh(found["refresh_token"])).json()["error"] == "invalid_grant"
    assert await application.introspect(found["access_token"]) == {"active": False}


async def test_what_tokens_are_worth(place: Place) -> None:
    application = await place.application()
    signed_in = await an(place)
    found = await application.tokens(signed_in)
    now = int(place.clock.now().timestamp())
    access = await application.introspect(found["access_token"])
    assert access.pop("jti")
    person = {
        "active": True,
        "scope": "openid profile roles",
        "client_id": application.client_id,
        "sub": signed_in.account.id,
        "username": "an@example.vn",
        "sid": signed_in.session.id,
        "roles": ["data-owner@H11.05"],
        "auth_time": int(signed_in.session.created_at.timestamp()),
        "acr": "urn:lgsp:acr:one-factor",
        "amr": ["pwd"],
        "iss": ISSUER,
    }
    times = {"iat": now, "exp": now + 300}
    assert access == {**person, **times, "aud": "urn:lgsp:VN-BTN", "token_type": "Bearer"}
    refresh = await application.introspect(found["refresh_token"])
    assert refresh == {**person, "exp": int(signed_in.session.expires_at.timestamp())}
    own = (await place.process.ask(place.process.assertion(application.key))).json()["access_token"]
    system = await application.introspect(own)
    assert (system["active"], system["sub"], system["scope"]) == (True, application.client_id, "api events")
    place.clock.advance(301)
    assert await application.introspect(found["access_token"]) == {"active": False}


async def test_what_is_no_token_is_worth_nothing(place: Place) -> None:
    application = await place.application()
    found = await application.tokens(await an(place))
    for text in ("x", "x" * 5000, found["id_token"], found["access_token"][:-4] + "AAAA", "\u00e9"):
        assert await application.introspect(text) == {"active": False}
        assert (await application.post("/oauth2/revoke", token=text)).status_code == 200
    for path in ("/oauth2/introspect", "/oauth2/revoke"):
        assert (await application.post(path)).json()["error"] == "invalid_request"
        nobody = await place.process.http.post(path, data={"token": found["access_token"]})
        assert (nobody.status_code, nobody.json()["error"]) == (401, "invalid_client")


async def test_revoking_either_token_ends_what_came_of_the_sign_in(place: Place) -> None:
    application = await place.application()
    signed_in = await an(place)
    for kind in ("access_token", "refresh_token"):
        found = await application.tokens(signed_in)
        other = await application.tokens(signed_in)
        answer = await application.post("/oauth2/revoke", token=found[kind], token_type_hint="nonsense")
        assert (answer.status_code, answer.content) == (200, b"")
        assert await application.introspect(found["access_token"]) == {"active": False}
        assert (await application.refresh(found["refresh_token"])).json()["error"] == "invalid_grant"
        assert (await application.introspect(other["access_token"]))["active"]
    assert len(await place.records("application.revoke")) == 2


async def test_a_systems_own_token_is_not_revoked_and_that_is_said(place: Place) -> None:
    application, other = await place.application(), await place.other()
    own = (await place.process.ask(place.process.assertion(application.key))).json()["access_token"]
    answer = await application.post("/oauth2/revoke", token=own)
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_token_type")
    assert answer.headers["LGSP-Client"] == application.client_id
    assert (await application.introspect(own))["active"]
    # Another's is none of its business, of whatever kind it is.
    assert (await other.post("/oauth2/revoke", token=own)).status_code == 200
    place.clock.advance(301)
    assert (await application.post("/oauth2/revoke", token=own)).status_code == 200


async def test_a_token_of_an_ended_sign_in_says_what_may_have_ended_it(place: Place) -> None:
    application = await place.application()
    found = await application.tokens(await an(place))
    assert (await application.post("/oauth2/revoke", token=found["refresh_token"])).status_code == 200
    document = (await application.userinfo(found["access_token"])).json()
    assert (document["code"], document["reason"]) == ("token-refused", "ended")
    assert "the application revoked it" in document["detail"]
    assert "ứng dụng đã thu hồi" in document["detail_vi"]
    assert document["advice"] == "Send the person to sign in again."
    assert "lienthong doctor" not in document["advice_vi"]


async def test_tokens_of_a_suspended_application_are_worth_nothing(place: Place) -> None:
    application, other = await place.application(), await place.other()
    found = await application.tokens(await an(place))
    await place.process.register(application.key, version=2, status="suspended")
    assert await other.introspect(found["access_token"]) == {"active": False}
    assert (await application.refresh(found["refresh_token"])).json()["error"] == "unauthorized_client"
    assert (await application.userinfo(found["access_token"])).json()["code"] == "client-suspended"


async def test_a_systems_token_says_nothing_of_a_person(place: Place) -> None:
    system = Relying(place.process, ECKey.generate_key("P-256"))
    await place.process.register(system.key)
    token = (await place.process.ask(place.process.assertion(system.key))).json()["access_token"]
    answer = await system.userinfo(token)
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient-scope")


@pytest.mark.parametrize("how", ["used twice", "revoked"])
async def test_a_token_whose_sign_on_has_ended_administers_no_more(
    place: Place, tmp_path: Path, how: str
) -> None:
    key = ECKey.import_key(json.loads((tmp_path / "home" / "console" / "key.jwk").read_text()))
    console = await Relying(place.process, key=key, client_id="console").as_application()
    somebody = await place.signed_in(await place.office.person("an", OWNER))
    given = await console.tokens(somebody, scope="openid platform")
    headers = {"Authorization": f"Bearer {given['access_token']}"}
    own = f"/identity/v1/people/{somebody.account.id}"
    assert (await place.process.http.get(own, headers=headers)).status_code == 200
    if how == "revoked":
        await console.post("/oauth2/revoke", token=given["refresh_token"])
    else:
        newer = (await console.refresh(given["refresh_token"])).json()
        assert (await console.refresh(newer["refresh_token"])).status_code == 200
        assert (await console.refresh(given["refresh_token"])).status_code == 400
    for path in (own, "/identity/v1/applications"):
        answer = await place.process.http.get(path, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "token-refused")
