"""The steps of signing in: their addresses, and what they have in common."""

from typing import Final
from urllib.parse import quote

from fastapi import Request, Response

from lienthong.identity.pages.browser import Web
from lienthong.identity.pages.failed import shown_above
from lienthong.identity.people.service.sessions import Begun
from lienthong.identity.people.service.sign_ins import Enrolled
from lienthong.kit.problems import ProblemError
from lienthong.kit.problems import people as kinds
from lienthong.pages.frame import see_other

SIGN_IN: Final = "/sign-in"
SECOND_FACTOR: Final = f"{SIGN_IN}/second-factor"
RECOVERY: Final = f"{SIGN_IN}/recovery-code"
PASSKEY: Final = f"{SIGN_IN}/passkey"
ENROL: Final = f"{SIGN_IN}/enrol"


def at(path: str, onward: str) -> str:
    """The address of a step of a sign-in that leads to `onward`."""
    return f"{path}?next={quote(onward, safe='')}"


class Steps:
    """How a step of a sign-in ends: signed in, with new recovery codes, or with a problem."""

    def __init__(self, web: Web) -> None:
        self._web = web

    async def signed_in(self, request: Request, begun: Begun, onward: str) -> Response:
        """Begin the session in the browser, and lead on."""
        leaves = onward.startswith("/authorize")
        response = self._web.frame.onward(request, onward) if leaves else see_other(onward)
        await self._web.browser.begin(request, response, begun)
        return response

    async def enrolled(self, request: Request, made: Enrolled, onward: str) -> Response:
        """Begin the session, and show the recovery codes: once, on a page that cannot be asked for again."""
        response = self._web.frame.page(
            request, "recovery_codes.html", codes=made.recovery_codes, onward=onward, renewed=False
        )
        await self._web.browser.begin(request, response, made.begun)
        return response

    def again(
        self, request: Request, template: str, problem: ProblemError, onward: str, **values: object
    ) -> Response:
        """The form again with what was wrong; at the beginning, where the sign-in has ended.

        Raises:
            ProblemError: `problem`, where neither form can say it.
        """
        if problem.kind is kinds.SIGN_IN_EXPIRED:
            template, values, shown = "sign_in.html", {"login": "", "done": ""}, _at_the_beginning(problem)
        else:
            shown = shown_above(problem)
        made = self._web.frame.page(
            request, template, status=problem.status, onward=onward, **values, **shown
        )
        made.headers.update(problem.headers)
        return made


def _at_the_beginning(problem: ProblemError) -> dict[str, object]:
    return {"problem": problem, "errors": {}}
