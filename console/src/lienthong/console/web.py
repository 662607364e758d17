"""What every page of the console is made with: who looks at it, what they may ask, and where they may go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import quote, unquote

from lienthong.console.agency_names import AgencyNames
from lienthong.console.errors import NobodySignedInError, room_closed
from lienthong.console.rooms import ROOMS, open_to
from lienthong.kit.policy import allowed
from lienthong.kit.problems import ProblemError
from lienthong.kit.problems.general import PLATFORM_UNAVAILABLE
from lienthong.kit.text import BilingualText
from lienthong.pages.app import problem_page
from lienthong.pages.cookies import LONGEST_COOKIE, Cookies
from lienthong.pages.forms import Forms
from lienthong.pages.frame import Frame
from lienthong.pages.paths import local_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from lienthong.console.openid import Person
    from lienthong.console.platform import Desk, Platform
    from lienthong.console.rooms import Room
    from lienthong.console.sessions import Sessions
    from lienthong.console.settings import ConsoleSettings
    from lienthong.kit.clock import Clock
    from lienthong.kit.policy import Action

SESSION: Final = "session"
NEXT: Final = "next"
"""Where somebody wanted to go before signing in."""
_NEXT_S: Final = 1_800
_HOME: Final = BilingualText("To the console", "Về bảng điều khiển")
_ROOMS: Final = {room.name: room for room in ROOMS}


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody who is signed in and looks at a page, and the platform as that person may use it."""

    person: Person
    desk: Desk

    def may(self, action: Action, agency: str = "") -> bool:
        """Whether the platform's policy lets the person do it; "" is the platform itself.

        It decides what pages show. Whether it is done, the service decides that is asked for it.
        """
        return allowed(self.person.reach, action, agency)

    def places(self, action: Action) -> list[str]:
        """The agencies for which the person holds a role that allows an action; "" for the whole platform."""
        held = {grant.agency for grant in self.person.grants}
        return sorted(place for place in held if self.may(action, place))


@dataclass(frozen=True, slots=True)
class Web:
    """Pages, forms and sessions at the console's address."""

    settings: ConsoleSettings
    frame: Frame
    forms: Forms
    cookies: Cookies
    sessions: Sessions
    platform: Platform
    names: AgencyNames

    @classmethod
    def of(cls, settings: ConsoleSettings, sessions: Sessions, platform: Platform, clock: Clock) -> Self:
        """For the address that the settings name."""
        # On one machine identity's pages have the same host, and cookies do not know ports.
        cookies = Cookies(settings.console_url, prefix="console-")
        forms = Forms(settings.console_url, cookies)
        frame = Frame("lienthong.console", forms, place=settings.instance, home=_HOME)
        return cls(settings, frame, forms, cookies, sessions, platform, AgencyNames(clock))

    async def visit(self, request: Request) -> Visit | None:
        """Who sent a request; None where nobody is signed in.

        Raises:
            ProblemError: 503 `platform-unavailable`.
        """
        found = await self.sessions.find(self.cookies.read(request, SESSION))
        visit = None if found is None else Visit(found.person, self.platform.as_person(found.access))
        request.state.visit = visit
        return visit

    async def known(self, request: Request, room: str | None = None) -> Visit:
        """Who sent a request, for a page of a room.

        Raises:
            NobodySignedInError: nobody is signed in.
            ProblemError: 403 `role-required`, the room is closed to that person; 503 `platform-unavailable`.
        """
        found = await self.visit(request)
        if found is None:
            raise NobodySignedInError
        if room is not None and _ROOMS[room] not in open_to(found.person.grants):
            raise room_closed(_ROOMS[room].title)
        return found

    def page(
        self,
        request: Request,
        visit: Visit,
        template: str,
        *,
        room: str = "",
        status: int = 200,
        **values: Any,  # noqa: ANN401 - whatever the template shows
    ) -> Response:
        """A page for somebody who is signed in, with the ways to all rooms that are open to that person."""
        ways = self._ways(visit, room)
        return self.frame.page(request, template, status=status, **ways, **values)

    async def failed(self, request: Request, problem: ProblemError) -> Response:
        """The page for a problem, with the same ways around it for who is signed in."""
        values: dict[str, Any] = {"signed_in": self.cookies.read(request, SESSION) is not None}
        if (visit := await self._still_known(request, problem)) is not None:
            values |= {"around": "console.html", **self._ways(visit, "")}
        return problem_page(self.frame, request, problem, **values)

    async def _still_known(self, request: Request, problem: ProblemError) -> Visit | None:
        """Who sent a request that failed; None also where that cannot be found out."""
        if hasattr(request.state, "visit"):
            found: Visit | None = request.state.visit
            return found
        if problem.code == PLATFORM_UNAVAILABLE.code:
            return None
        try:
            return await self.visit(request)
        except ProblemError:
            return None

    def _ways(self, visit: Visit, room: str) -> dict[str, Any]:
        return {
            "who": visit.person,
            "rooms": open_to(visit.person.grants),
            "room": _ROOMS.get(room),
            "people_url": self.settings.people_url,
        }

    def keep_next(self, request: Request, response: Response) -> None:
        """Keep where somebody wanted to go, for the sign-in that follows."""
        query = request.url.query
        wanted = quote(request.url.path + (f"?{query}" if query else ""), safe="/")
        if len(wanted) <= LONGEST_COOKIE:
            self.cookies.set(response, NEXT, wanted, seconds=_NEXT_S)

    def next_path(self, request: Request) -> str:
        """Where somebody wanted to go; the first page where nothing is known of it."""
        return local_path(unquote(self.cookies.read(request, NEXT) or "", errors="replace")) or "/"


def room_named(name: str) -> Room:
    """A room by its name, which has to be one."""
    return _ROOMS[name]


def shown_above(problem: ProblemError, *codes: str) -> dict[str, Any]:
    """The values `problem` and `errors` of a form's template, for a problem that can be corrected there.

    Raises:
        ProblemError: `problem`, where its code is none of `codes`.
    """
    if problem.code not in codes:
        raise problem
    told = problem.extra.get("instance")
    known = {} if told is None else {"transaction_id": str(told)}
    return {"problem": problem, "errors": errors_of(problem), **known}


def errors_of(problem: ProblemError) -> Mapping[str, BilingualText]:
    """What is wrong with each field, by its name."""
    return {
        str(error["pointer"]).rpartition("/")[2]: BilingualText(error["detail"], error["detail_vi"])
        for error in problem.extra.get("errors", ())
    }


NOTHING_FAILED: Final[dict[str, Any]] = {"problem": None, "errors": {}}
