"""Two owners of the data approve the one-stop shop's request on pages, once, and whatever stands in their way
does not stop the province."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import httpx
import pytest

from binh_thuan import catalog, owners
from binh_thuan.browsing import Browser, PageError
from binh_thuan.owners import AGREEMENT, OWNERS, Owners
from binh_thuan.people import SignIn

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from binh_thuan.people import DemoPerson
    from lienthong.client.operations import Operation

PEOPLE, CONSOLE = "http://people.example", "http://console.example"
APPROVE = f"/agreements/{AGREEMENT}/approve"
LOGINS = [one.login for one in OWNERS]


def form(action: str, *fields: str) -> str:
    inside = "".join(f'<input name="{name}" value="{name}-was-there">' for name in fields)
    return f'<form method="post" action="{action}">{inside}</form>'


@dataclass
class Pages:
    """Identity's and the console's pages, as far as an owner sees them."""

    status: str | None = None
    passwords: dict[str, str] = field(default_factory=dict)
    signed_in: str = ""
    approved_by: list[str] = field(default_factory=list)
    broken: bool = False

    def answer(self, request: httpx.Request) -> httpx.Response:
        sent = dict(httpx.QueryParams(request.content.decode()))
        path = f"{request.method} {request.url.path}"
        if request.method == "POST":
            assert request.headers["Origin"] == f"{request.url.scheme}://{request.url.host}"
        if path == "GET /invitation":
            return page(form("/invitation/open", "token"))
        if path == "POST /invitation/open":
            login = sent["link"].rpartition("#")[2]
            assert sent["token"] == "token-was-there"
            return page(form("/invitation/accept", "link").replace("link-was-there", login))
        if path == "POST /invitation/accept":
            self.passwords[sent["link"]] = sent["password"]
            return page("accepted")
        if path == "GET /sign-in":
            if request.url.host == "console.example":
                return httpx.Response(303, headers={"Location": f"{PEOPLE}/sign-in"})
            return page(form("/sign-in", "login", "password"))
        if path == "POST /sign-in":
            if self.passwords.get(sent["login"]) != sent["password"]:
                return httpx.Response(401)
            self.signed_in = sent["login"]
            return page(f'<meta http-equiv="refresh" content="0; url={CONSOLE}/home?a=1&amp;b=2">')
        if path == "GET /home":
            assert request.url.params["b"] == "2"
            return page("home")
        if path == f"GET /agreements/{AGREEMENT}":
            return page("" if self.signed_in in self.approved_by else form(APPROVE, "version"))
        assert path == f"POST {APPROVE}"
        assert sent["version"] == "version-was-there"
        if self.broken:
            return httpx.Response(503)
        self.approved_by.append(self.signed_in)
        self.status = "approved" if len(self.approved_by) > 1 else "endorsed"
        return page("thanks")


def page(text: str) -> httpx.Response:
    return httpx.Response(200, text=text)


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> Pages:
    found = Pages()
    let_in: set[str] = set()

    class Administration:
        @classmethod
        def of(cls, _operator: Path, _gateway: str) -> Self:
            return cls()

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *error: object) -> None:
            pass

        def sign_ins(self, people: Sequence[DemoPerson]) -> list[SignIn]:
            let_in.update(found.passwords)
            return [SignIn(one, None if one.login in let_in else f"{PEOPLE}/i#{one.login}") for one in people]

    class Client:
        def __init__(self, _credentials: object, *, gateway: str) -> None:
            pass

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *error: object) -> None:
            pass

        def perform(self, operation: Operation[object]) -> None:
            assert json.loads(operation.content or b"")["id"] == AGREEMENT
            found.status = "requested"

    def client(*, follow_redirects: bool, timeout: float) -> httpx.Client:
        transport = httpx.MockTransport(found.answer)
        return made(transport=transport, follow_redirects=follow_redirects, timeout=timeout)

    made = httpx.Client
    monkeypatch.setattr(httpx, "Client", client)
    monkeypatch.setattr(owners, "Administration", Administration)
    monkeypatch.setattr(owners, "Client", Client)
    monkeypatch.setattr(catalog, "status_of", lambda *_: found.status)
    return found


def decide(folder: Path) -> owners.Decision:
    found = Owners(folder / "owners.json", people=PEOPLE, console=CONSOLE)
    return found.decide(None, folder, "http://gateway.example")  # type: ignore[arg-type]


def test_the_shop_asks_and_two_owners_approve_once(pages: Pages, tmp_path: Path) -> None:
    first, second = decide(tmp_path), decide(tmp_path)
    assert (first.approved, first.now, first.complaint) == (True, True, None)
    assert (second.approved, second.now) == (True, False)
    assert pages.approved_by == LOGINS
    assert json.loads((tmp_path / "owners.json").read_text()) == pages.passwords
    assert (tmp_path / "owners.json").stat().st_mode & 0o077 == 0


def test_a_run_that_was_stopped_after_the_first_goes_on_with_the_second(pages: Pages, tmp_path: Path) -> None:
    pages.status, pages.approved_by, pages.passwords = "endorsed", [LOGINS[0]], {LOGINS[0]: "chosen before"}
    (tmp_path / "owners.json").write_text(json.dumps(pages.passwords))
    assert decide(tmp_path).approved
    assert pages.approved_by == LOGINS


@pytest.mark.parametrize("status", ["revoked", "rejected", "suspended"])
def test_what_was_ended_since_is_left_as_it_is(pages: Pages, tmp_path: Path, status: str) -> None:
    pages.status = status
    decision = decide(tmp_path)
    assert (decision.status, decision.approved) == (status, False)
    assert not pages.passwords


def test_an_owner_who_chose_another_password_is_told_of_and_the_province_goes_on(
    pages: Pages, tmp_path: Path
) -> None:
    pages.status, pages.passwords = "requested", dict.fromkeys(LOGINS, "nobody here knows it")
    decision = decide(tmp_path)
    assert not decision.approved
    assert decision.complaint == f"{PEOPLE}/sign-in: 401"


def test_a_page_that_fails_leaves_the_request_waiting(pages: Pages, tmp_path: Path) -> None:
    pages.broken = True
    decision = decide(tmp_path)
    assert decision.status == "requested"
    assert decision.complaint == f"{CONSOLE}{APPROVE}: 503"


@pytest.mark.usefixtures("pages")
def test_a_form_that_is_not_there_is_named() -> None:
    with Browser() as browser, pytest.raises(PageError, match="no form that leads to /nowhere"):
        browser.send(browser.open(f"{PEOPLE}/invitation"), "/nowhere")
