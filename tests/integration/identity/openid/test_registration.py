"""Registering applications over REST: who may, what is kept, what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from joserfc.jwk import ECKey

from tests.integration.identity.harness import SYSTEM
from tests.integration.identity.test_own_clients import own_key

if TYPE_CHECKING:
    import httpx

    from tests.integration.identity.openid.harness import Place

WANTED: dict[str, Any] = {
    "name": {"vi": "Một cửa", "en": "One-stop"},
    "redirect_uris": ["https://one-stop.example.gov.vn/callback"],
    "post_logout_redirect_uris": ["https://one-stop.example.gov.vn/"],
    "backchannel_logout_uri": "https://one-stop.example.gov.vn/logout",
    "acts_for_people": False,
}
AT = f"/identity/v1/applications/{SYSTEM}"


async def as_operator(place: Place) -> dict[str, str]:
    process = place.process
    key = own_key(process.settings)
    answer = await process.ask(process.assertion(key, "operator"), client_id="operator")
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


async def put(place: Place, **changed: object) -> httpx.Response:
    return await place.process.http.put(AT, json={**WANTED, **changed}, headers=await as_operator(place))


async def test_an_application_is_registered_changed_listed_and_removed(place: Place) -> None:
    http, headers = place.process.http, await as_operator(place)
    missing = await put(place)
    assert (missing.status_code, missing.json()["code"]) == (404, "unknown-application")
    await place.process.register(ECKey.generate_key("P-256"))
    made = await put(place)
    assert (made.status_code, made.json()) == (200, {"client_id": SYSTEM, **WANTED})
    assert (await put(place)).json() == made.json()
    changed = (await put(place, backchannel_logout_uri=None)).json()
    assert changed == {"client_id": SYSTEM, **WANTED, "backchannel_logout_uri": None}
    assert (await http.get(AT, headers=headers)).json() == changed
    listed = (await http.get("/identity/v1/applications", headers=headers)).json()
    assert listed == {"items": [changed], "next": None}
    assert (await http.delete(AT, headers=headers)).status_code == 204
    assert (await http.delete(AT, headers=headers)).json()["code"] == "unknown-application"
    for action in ("register", "change", "remove"):
        (record,) = await place.records(f"application.{action}")
        assert (record["actor"], record["object"]) == ("operator", f"Application/{SYSTEM}")


async def test_the_platforms_own_clients_are_no_applications_but_the_console(place: Place) -> None:
    headers = await as_operator(place)
    for client_id, status in (("console", 200), ("operator", 404), ("auditor", 404)):
        at = f"/identity/v1/applications/{client_id}"
        assert (await place.process.http.put(at, json=WANTED, headers=headers)).status_code == status


async def test_a_system_registers_nothing(place: Place) -> None:
    key = ECKey.generate_key("P-256")
    await place.process.register(key)
    token = (await place.process.ask(place.process.assertion(key))).json()["access_token"]
    answer = await place.process.http.put(AT, json=WANTED, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient-scope")


@pytest.mark.parametrize(
    "address",
    [
        "http://one-stop.example.gov.vn/callback",
        "https://one-stop.example.gov.vn",
        "https://one-stop.example.gov.vn/callback#part",
        "https://user@one-stop.example.gov.vn/callback",
        "https://user:secret@one-stop.example.gov.vn/callback",
        "https://one-stop.example.gov.vn/a/../callback",
        "https://one-stop.example.gov.vn/a/%2e%2E/callback",
        "https://one-stop.example.gov.vn/./callback",
        "https://one-stop.example.gov.vn/..",
        "https://*.example.gov.vn/callback",
        "https://one-stop.example.gov.vn/*",
        "https://One-Stop.example.gov.vn/callback",
        "HTTPS://one-stop.example.gov.vn/callback",
        "https://one-stop.example.gov.vn:port/callback",
        "https://one-stop.example.gov.vn:99999/callback",
        "https:///callback",
        "https:/callback",
        "https:one-stop.example.gov.vn/callback",
        "//one-stop.example.gov.vn/callback",
        "/callback",
        "javascript:alert(1)",
        "data:text/html,x",
        "vn.gov.example:/callback",
        "https://one-stop.example.gov.vn/call back",
        "https://one-stop.example.gov.vn/callback\\@evil.example",
        "https://one-stop.example.gov.vn\\@evil.example/",
        "https://оne-stop.example.gov.vn/callback",
        "https://one-stop.example.gov.vn/callback\u200b",
        "https://one-stop.example.gov.vn/callback\n",
        "https://one-stop.example.gov.vn/callback?code=1",
        "https://one-stop.example.gov.vn/callback?a=b&state=1",
        "https://[::1/callback",
        "http://127.0.0.1.evil.example/callback",
        "http://127.0.0.2/callback",
        "http://localhost.evil.example/callback",
        "http://0.0.0.0/callback",
        "https://one-stop.example.gov.vn/" + "x" * 1000,
        "",
    ],
)
async def test_an_address_that_cannot_be_relied_on_is_refused_with_its_place(
    place: Place, address: str
) -> None:
    await place.process.register(ECKey.generate_key("P-256"))
    answer = await put(place, redirect_uris=["https://one-stop.example.gov.vn/", address])
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "invalid-request"), problem
    assert [error["pointer"] for error in problem["errors"]] == ["/redirect_uris/1"]
