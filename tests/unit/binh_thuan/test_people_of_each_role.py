"""One person for each role of the demo province: invited once, with a new link until let in."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from binh_thuan.people import PEOPLE, Administration, written
from lienthong.kit.policy import Role
from lienthong.local import InstallationError

FIRST = "https://account.example/invitation#first"


class Identity:
    """Accounts by login, as identity's API shows them; it counts the links that it has made."""

    def __init__(self) -> None:
        self.accounts: dict[str, dict[str, Any]] = {}
        self.invited: list[dict[str, Any]] = []
        self.links = 0
        self.let_in_meanwhile = False

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json={"items": list(self.accounts.values()), "next": None})
        if request.url.path.endswith("/first-administrator"):
            return httpx.Response(200, json={"url": FIRST})
        if request.url.path.endswith("/link"):
            if self.let_in_meanwhile:
                return httpx.Response(409)
            return httpx.Response(200, json=self._link())
        wanted = json.loads(request.content)
        self.invited.append(wanted)
        account = {"id": str(len(self.invited)), "login": wanted["login"], "state": "invited"}
        self.accounts[wanted["login"]] = account
        return httpx.Response(201, json={"person": account, "link": self._link()})

    def administration(self) -> Administration:
        transport = httpx.MockTransport(self.answer)
        return Administration(httpx.Client(transport=transport, base_url="http://gateway.example"))

    def _link(self) -> dict[str, str]:
        self.links += 1
        return {"url": f"https://account.example/invitation#{self.links}"}


def test_every_role_but_the_first_administrators_has_a_person_with_that_role_alone() -> None:
    assert {one.role for one in PEOPLE} == {role.value for role in Role} - {Role.PLATFORM_OPERATOR.value}
    assert len({one.login for one in PEOPLE}) == len(PEOPLE)
    identity = Identity()
    with identity.administration() as administration:
        assert administration.first_administrator_link() == FIRST
        administration.sign_ins()
    assert [one["roles"] for one in identity.invited] == [
        [{"role": one.role, "agency": one.agency}] for one in PEOPLE
    ]


def test_the_next_run_invites_nobody_twice_and_makes_links_for_those_not_let_in() -> None:
    identity = Identity()
    with identity.administration() as administration:
        first = administration.sign_ins()
        identity.accounts[PEOPLE[1].login]["state"] = "active"
        second = administration.sign_ins()
    assert len(identity.invited) == len(PEOPLE)
    assert [one.link is None for one in second] == [False, True, False, False, False]
    assert not {one.link for one in first} & {one.link for one in second if one.link}


def test_who_is_let_in_while_links_are_made_needs_none() -> None:
    identity = Identity()
    with identity.administration() as administration:
        administration.sign_ins()
        identity.let_in_meanwhile = True
        assert [one.link for one in administration.sign_ins()] == [None] * len(PEOPLE)


def test_the_file_has_a_line_for_each_person() -> None:
    identity = Identity()
    with identity.administration() as administration:
        lines = written(administration.sign_ins()).splitlines()
    assert lines[1].split("\t") == [
        "developer",
        "H11.05",
        PEOPLE[1].login,
        "https://account.example/invitation#2",
    ]
    assert len(lines) == len(PEOPLE)


def test_a_refusal_of_identity_says_where_to_look() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(503))
    with (
        Administration(
            httpx.Client(transport=transport, base_url="http://gateway.example")
        ) as administration,
        pytest.raises(InstallationError, match="identity"),
    ):
        administration.sign_ins()
