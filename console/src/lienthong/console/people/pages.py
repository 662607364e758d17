"""Pages: the list of people, one person, and what is done with an account."""

import re
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from lienthong.console.errors import changed_meanwhile, nothing_there, room_closed
from lienthong.console.people.accounts import (
    FOR_AN_AGENCY,
    FOR_THE_PLATFORM,
    Account,
    AccountPage,
    Invited,
    Link,
    Rights,
    SessionList,
    choices,
    chosen,
    code_of,
    written,
)
from lienthong.console.web import NOTHING_FAILED, Visit, Web, shown_above
from lienthong.kit.policy import Action
from lienthong.kit.problems import ProblemError
from lienthong.kit.text import BilingualText
from lienthong.pages.frame import see_other

ROOM: Final = "people"
_PEOPLE: Final = "/identity/v1/people"
_AT_A_TIME: Final = 25
_LONGEST_WORDS: Final = 100
_MOST_FIELDS: Final = 300
"""A person may hold fifty roles, in as many agencies with five boxes each."""
_ID: Final = re.compile(r"[0-9A-Za-z-]{1,36}")
_INVITE: Final = BilingualText("inviting people", "mời người dùng")
_ROLES: Final = BilingualText("changing roles", "đổi vai trò")
_OFFERED: Final[dict[str, Any]] = {"for_an_agency": FOR_AN_AGENCY, "for_the_platform": FOR_THE_PLATFORM}
_DONE_BY: Final = {"suspend": "suspended", "resume": "resumed", "review": "reviewed"}


def people_routes(web: Web) -> APIRouter:
    """Build the routes."""
    router = APIRouter(prefix="/people")

    @router.get("")
    async def list_people(request: Request) -> Response:
        visit = await web.known(request, ROOM)
        said = request.query_params
        wanted = {
            "q": said.get("q", "").strip()[:_LONGEST_WORDS],
            "agency": code_of(said.get("agency", "")),
            "review": "due" if said.get("review") == "due" else "",
        }
        values: dict[str, Any] = {**NOTHING_FAILED, "people": [], "onward": None}
        status = 200
        try:
            cursor = said.get("cursor", "")
            found = await visit.desk.get(_PEOPLE, **wanted, cursor=cursor, limit=_AT_A_TIME)
        except ProblemError as problem:
            values |= shown_above(problem, "invalid-request")
            status = problem.status
        else:
            listed = AccountPage.of(found)
            values |= {"people": [(one, Rights.of(visit, one)) for one in listed.items]}
            values["agency"] = await web.names.of(visit.desk, [one.agency for one in listed.items])
            if listed.next:
                values["onward"] = "/people?" + urlencode({**_given(wanted), "cursor": listed.next})
        return web.page(
            request,
            visit,
            "people.html",
            room=ROOM,
            status=status,
            wanted=wanted,
            first=not said.get("cursor"),
            may_invite=bool(visit.places(Action.MANAGE_PEOPLE)),
            everywhere=visit.may(Action.READ_PEOPLE),
            done=said.get("done", ""),
            **values,
        )

    async def invitation(request: Request, visit: Visit, form: dict[str, str], **failed: Any) -> Response:  # noqa: ANN401
        places = visit.places(Action.MANAGE_PEOPLE)
        if not places:
            raise room_closed(_INVITE)
        agency = await web.names.of(visit.desk, places)
        values = {"form": form, "places": places, "agency": agency, **_OFFERED, **NOTHING_FAILED, **failed}
        return web.page(request, visit, "invite.html", room=ROOM, **values)

    @router.get("/invite")
    async def ask_whom(request: Request) -> Response:
        return await invitation(request, await web.known(request, ROOM), {})

    @router.post("/invite")
    async def invite(request: Request) -> Response:
        form = await web.forms.read(request, fields=_MOST_FIELDS)
        visit = await web.known(request, ROOM)
        sent: dict[str, Any] = {
            "login": form.get("login", ""),
            "name": form.get("name", ""),
            "agency": code_of(form.get("agency", "")),
        }
        try:
            sent["roles"] = written(chosen(visit, form, another="agency"))
            made = Invited.of(await visit.desk.send("POST", _PEOPLE, sent))
        except ProblemError as problem:
            failed = shown_above(problem, "invalid-request", "login-taken", "role-required", "rate-limited")
            return await invitation(request, visit, dict(form), status=problem.status, **failed)
        return web.page(request, visit, "link.html", room=ROOM, account=made.person, link=made.link, new=True)

    async def person_page(request: Request, visit: Visit, person_id: str, **values: Any) -> Response:  # noqa: ANN401
        account = await _account(visit, person_id)
        sessions = SessionList.of(await visit.desk.get(f"{_PEOPLE}/{person_id}/sessions")).items
        values = {**NOTHING_FAILED, "done": request.query_params.get("done", ""), **values}
        offered = choices(visit, account)
        return web.page(
            request,
            visit,
            "person_page.html",
            room=ROOM,
            account=account,
            rights=Rights.of(visit, account),
            sessions=sessions,
            choices=offered,
            agency=await web.names.of(visit.desk, [account.agency, *(one.agency for one in offered)]),
            may_anywhere=visit.may(Action.MANAGE_PEOPLE),
            **_OFFERED,
            seen=_seen(account),
            own=visit.person.id == account.id,
            **values,
        )

    @router.get("/{person_id}")
    async def one_person(request: Request, person_id: str) -> Response:
        return await person_page(request, await web.known(request, ROOM), _checked(person_id))

    @router.post("/{person_id}/roles")
    async def change_roles(request: Request, person_id: str) -> Response:
        form = await web.forms.read(request, fields=_MOST_FIELDS)
        visit = await web.known(request, ROOM)
        account = await _account(visit, _checked(person_id))
        if not visit.places(Action.MANAGE_PEOPLE):
            raise room_closed(_ROLES)
        if form.get("seen") != _seen(account):
            failed = shown_above(changed_meanwhile(), "conflict")
            return await person_page(request, visit, person_id, status=409, **failed)
        try:
            wanted = chosen(visit, form, another="another", held=account.grants)
            await visit.desk.send("PUT", f"{_PEOPLE}/{person_id}/roles", {"roles": written(wanted)})
        except ProblemError as problem:
            failed = shown_above(problem, "invalid-request", "role-required")
            return await person_page(request, visit, person_id, status=problem.status, **failed)
        return see_other(f"/people/{person_id}?done=roles")

    @router.post("/{person_id}/link")
    async def renew_link(request: Request, person_id: str) -> Response:
        await web.forms.read(request)
        visit = await web.known(request, ROOM)
        account = await _account(visit, _checked(person_id))
        link = Link.of(await visit.desk.send("POST", f"{_PEOPLE}/{person_id}/link"))
        return web.page(request, visit, "link.html", room=ROOM, account=account, link=link, new=False)

    @router.post("/{person_id}/sign-out")
    async def sign_out(request: Request, person_id: str) -> Response:
        await web.forms.read(request)
        visit = await web.known(request, ROOM)
        await visit.desk.send("DELETE", f"{_PEOPLE}/{_checked(person_id)}/sessions")
        return see_other(f"/people/{person_id}?done=signed-out")

    @router.post("/{person_id}/sessions/end")
    async def end_session(request: Request, person_id: str) -> Response:
        form = await web.forms.read(request)
        visit = await web.known(request, ROOM)
        session = _checked(form.get("session", ""))
        await visit.desk.send("DELETE", f"{_PEOPLE}/{_checked(person_id)}/sessions/{session}")
        return see_other(f"/people/{person_id}?done=session-ended")

    @router.post("/{person_id}/{act}")
    async def move(request: Request, person_id: str, act: str) -> Response:
        form = await web.forms.read(request)
        visit = await web.known(request, ROOM)
        if act not in _DONE_BY:
            raise nothing_there()
        await visit.desk.send("POST", f"{_PEOPLE}/{_checked(person_id)}/{act}")
        if form.get("back") == "review":
            return see_other("/people?review=due&done=reviewed")
        return see_other(f"/people/{person_id}?done={_DONE_BY[act]}")

    return router


def _seen(account: Account) -> str:
    """The roles that a page shows, so that a form can say what it was made from."""
    return " ".join(sorted(f"{one.role}@{one.agency}" for one in account.roles))


async def _account(visit: Visit, person_id: str) -> Account:
    return Account.of(await visit.desk.get(f"{_PEOPLE}/{person_id}"))


def _checked(text: str) -> str:
    """An id that can stand in a path.

    Raises:
        ProblemError: 404 `not-found`, it can be none.
    """
    if not _ID.fullmatch(text):
        raise nothing_there()
    return text


def _given(wanted: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in wanted.items() if value}
