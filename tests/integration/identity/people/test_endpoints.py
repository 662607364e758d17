"""The REST addresses of people: what an administrator sends and gets, and what is refused at the door."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from joserfc.jwk import ECKey

from lienthong.identity.domain.scopes import SYSTEM_SCOPES
from tests.integration.identity.harness import SYSTEM, Process, running, settings_for
from tests.integration.identity.people.harness import PASSWORD
from tests.integration.identity.test_own_clients import own_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

WANTED: dict[str, Any] = {
    "login": "An.Nguyen@example.gov.vn",
    "name": " Nguyễn  Văn An ",
    "agency": "H11.05",
    "roles": [{"role": "data-owner", "agency": "H11.05"}, {"role": "auditor"}],
}
ACCEPT = "/identity/v1/invitations/accept"


@asynccontextmanager
async def an_administrator(folder: Path, database_url: str) -> AsyncIterator[Process]:
    """An identity whose HTTP client has the operator's token."""
    settings = settings_for(folder, database_url, identity_bootstrap_dir=folder / "home")
    async with running(settings) as process:
        answer = await process.ask(process.assertion(own_key(settings), "operator"), client_id="operator")
        process.http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        yield process


@pytest.fixture
async def process(tmp_path: Path, database_url: str) -> AsyncIterator[Process]:
    async with an_administrator(tmp_path, database_url) as opened:
        yield opened


async def invited(process: Process, **changed: object) -> dict[str, Any]:
    answer = await process.http.post("/identity/v1/people", json={**WANTED, **changed})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_person_is_invited_accepts_and_is_listed(process: Process) -> None:
    made = await invited(process)
    person, link = made["person"], made["link"]
    assert (person["login"], person["name"]) == ("an.nguyen@example.gov.vn", "Nguyễn Văn An")
    assert person["state"] == "invited"
    assert person["roles"] == [
        {"role": "auditor", "agency": ""},
        {"role": "data-owner", "agency": "H11.05"},
    ]
    address, _, token = link["url"].partition("#")
    assert address == f"{process.settings.people_url}/invitation"
    accepted = await process.http.post(
        ACCEPT, json={"token": token, "password": PASSWORD}, headers={"Authorization": ""}
    )
    assert (accepted.status_code, accepted.content) == (204, b"")
    listed = (await process.http.get("/identity/v1/people")).json()
    assert listed["next"] is None
    assert [(one["id"], one["state"]) for one in listed["items"]] == [(person["id"], "active")]
    again = await process.http.post(ACCEPT, json={"token": token, "password": PASSWORD})
    assert (again.status_code, again.json()["code"]) == (403, "link-refused")


async def test_an_account_is_changed_step_by_step(process: Process) -> None:
    person = (await invited(process))["person"]
    at = f"/identity/v1/people/{person['id']}"
    roles = await process.http.put(f"{at}/roles", json={"roles": [{"role": "platform-operator"}]})
    assert roles.json()["roles"] == [{"role": "platform-operator", "agency": ""}]
    assert (await process.http.post(f"{at}/suspend")).json()["state"] == "suspended"
    assert (await process.http.post(f"{at}/link")).json()["code"] == "account-state"
    assert (await process.http.post(f"{at}/resume")).json()["state"] == "invited"
    assert (await process.http.post(f"{at}/link")).json()["url"]
    assert (await process.http.post(f"{at}/review")).json()["review_due"] is False
    assert (await process.http.get(at)).json()["agency"] == "H11.05"
    assert (await process.http.get(f"{at}/sessions")).json() == {"items": []}
    assert (await process.http.delete(f"{at}/sessions")).json() == {"ended": 0}
    assert (await process.http.delete(f"{at}/sessions/none")).json() == {"ended": 0}


async def test_the_first_administrator_is_invited_while_there_is_none(process: Process) -> None:
    making = "/identity/v1/invitations/first-administrator"
    old, new = [(await process.http.post(making)).json()["url"].partition("#")[2] for _ in range(2)]
    body = {"password": PASSWORD, "login": "an@example.vn", "name": "An"}
    assert (await process.http.post(ACCEPT, json={**body, "token": old})).status_code == 403
    assert (await process.http.post(ACCEPT, json={**body, "token": new})).status_code == 204
    refused = await process.http.post(making)
    assert (refused.status_code, refused.json()["code"]) == (409, "account-state")


async def test_a_list_is_read_page_by_page(process: Process) -> None:
    made = [(await invited(process, login=f"p{n}@example.vn"))["person"]["id"] for n in range(3)]
    first = (await process.http.get("/identity/v1/people", params={"limit": 2})).json()
    second = (
        await process.http.get("/identity/v1/people", params={"limit": 2, "cursor": first["next"]})
    ).json()
    assert [one["id"] for page in (first, second) for one in page["items"]] == made
    assert second["next"] is None
    due = await process.http.get("/identity/v1/people", params={"review": "due"})
    assert due.json()["items"] == []


async def test_what_cannot_be_an_invitation_is_refused_with_its_place(process: Process) -> None:
    answer = await process.http.post(
        "/identity/v1/people", json={**WANTED, "login": "аn@example.vn", "roles": [{"role": "developer"}]}
    )
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "invalid-request"), problem
    assert [error["pointer"] for error in problem["errors"]] == ["/roles", "/login"]
    assert all(error["detail"] and error["detail_vi"] for error in problem["errors"])
    assert (await process.http.get("/identity/v1/people")).json()["items"] == []


BAD_ACCEPTANCES: dict[str, tuple[bytes, int, str]] = {
    "no JSON": (b"{", 400, "malformed-request"),
    "nothing": (b"", 400, "malformed-request"),
    "a list": (b"[]", 422, "invalid-request"),
    "a member twice": (b'{"token": "x", "token": "y", "password": "z"}', 400, "malformed-request"),
    "no token": (b'{"password": "x"}', 422, "invalid-request"),
    "an unknown member": (b'{"token": "x", "password": "y", "role": "z"}', 422, "invalid-request"),
    "half of a surrogate pair": (b'{"token": "\\ud800", "password": "y"}', 400, "malformed-request"),
    "a token of nobody": (b'{"token": "x", "password": "y"}', 403, "link-refused"),
    "too large": (b'{"token": "' + b"x" * 5_000 + b'", "password": "y"}', 413, "request-too-large"),
}


async def test_what_accepts_nothing_is_refused(process: Process) -> None:
    headers = {"Content-Type": "application/json"}
    for name, (body, status, code) in BAD_ACCEPTANCES.items():
        answer = await process.http.post(ACCEPT, content=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code), (name, answer.text)


async def test_an_id_that_nobody_has_is_unknown_whatever_it_looks_like(process: Process) -> None:
    for name in ("x", "%00", "a%00b", "%F0%9F%98%80", "%ED%A0%80", "..%2F..", "x" * 5_000, "%27%20OR%201=1"):
        for method, rest in (("GET", ""), ("POST", "/suspend"), ("DELETE", f"/sessions/{name}")):
            answer = await process.http.request(method, f"/identity/v1/people/{name}{rest}")
            assert answer.status_code in (400, 404), (method, name, answer.text)
    for cursor in ("%00", "%F0%9F%98%80", "x" * 37):
        answer = await process.http.get(f"/identity/v1/people?cursor={cursor}")
        assert answer.status_code in (200, 400, 422), (cursor, answer.text)


async def test_only_the_operator_is_let_in(process: Process) -> None:
    key = ECKey.generate_key("P-256")
    await process.register(key)
    del process.http.headers["Authorization"]
    answer = await process.ask(process.assertion(key))
    assert answer.json()["scope"] == " ".join(SYSTEM_SCOPES)
    system = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    assert SYSTEM in answer.headers["LGSP-Client"]
    for method, path in (
        ("GET", "/identity/v1/people"),
        ("POST", "/identity/v1/people"),
        ("POST", "/identity/v1/invitations/first-administrator"),
        ("DELETE", "/identity/v1/people/x/sessions"),
    ):
        await _refused(process.http.request(method, path, headers=system), 403, "insufficient-scope")
        await _refused(
            process.http.request(method, path, headers={"Authorization": "Bearer x.y.z"}),
            401,
            "token-refused",
        )


async def _refused(request: Any, status: int, code: str) -> None:  # noqa: ANN401
    answer: httpx.Response = await request
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
