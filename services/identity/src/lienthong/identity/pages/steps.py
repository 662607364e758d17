"""The steps of signing in: their addresses, and what they have in common."""

from typing import Final
from urllib.parse import quote

from fastapi import Request, Response

from lienthong.identity.pages.browser import Web
from lienthong.identity.pages.failed import shown_above
from lienthong.identity.people.domain.sessions import NextStep
from lienthong.identity.people.service.sessions import Begun
from lienthong.identity.people.service.sign_ins import Enrolled, UnderWay
from lienthong.identity.service.providers import Providers
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


ANEW: Final = frozenset({"again", "anew"})
"""Why somebody who is signed in has to prove anew who it is."""


class Steps:
    """How a step of a sign-in ends: signed in, with new recovery codes, or with a problem."""

    def __init__(self, web: Web, providers: Providers) -> None:
        self._web = web
        self._providers = providers

    async def begin(
        self,
        request: Request,
        onward: str,
        *,
        login: str = "",
        done: str = "",
        left: str = "",
        problem: ProblemError | None = None,
    ) -> Response:
        """The page on which signing in begins: to which application, by which ways, and who is signed in.

        `left` is the provider by which a session had begun that has just ended.
        """
        provider = self._providers.get(left)
        made = self._web.frame.page(
            request,
            "sign_in.html",
            status=200 if problem is None else problem.status,
            problem=problem,
            errors={},
            login=login,
            done=done,
            onward=onward,
            fresh=done in ANEW,
            who=await self._web.browser.read(request),
            application=await self._web.asking(onward),
            providers=[one.spec for one in self._providers],
            left=None if provider is None else provider.spec,
        )
        made.headers.update({} if problem is None else problem.headers)
        return made

    async def signed_in(self, request: Request, begun: Begun, onward: str) -> Response:
        """Begin the session in the browser, and lead on."""
        leaves = onward.startswith("/authorize")
        response = self._web.frame.onward(request, onward) if leaves else see_other(onward)
        await self._web.browser.begin(request, response, begun)
        return response

    async def proved(self, request: Request, found: Begun | UnderWay, onward: str) -> Response:
        """Go on after the first factor: signed in, or to the second."""
        if isinstance(found, Begun):
            return await self.signed_in(request, found, onward)
        following = SECOND_FACTOR if found.step is NextStep.SECOND_FACTOR else ENROL
        response = see_other(at(following, onward))
        self._web.browser.keep_sign_in(response, found.token)
        return response

    async def enrolled(self, request: Request, made: Enrolled, onward: str) -> Response:
        """Begin the session, and show the recovery codes: once, on a page that cannot be asked for again."""
        response = self._web.frame.page(
            request, "recovery_codes.html", codes=made.recovery_codes, onward=onward, renewed=False
        )
        await self._web.browser.begin(request, response, made.begun)
        return response

    async def again(
        self, request: Request, template: str, problem: ProblemError, onward: str, **values: object
    ) -> Response:
        """The form again with what was wrong; at the beginning, where the sign-in has ended.

        Raises:
            ProblemError: `problem`, where neither form can say it.
        """
        if problem.kind is kinds.SIGN_IN_EXPIRED:
            return await self.begin(request, onward, problem=problem)
        shown = shown_above(problem)
        made = self._web.frame.page(
            request, template, status=problem.status, onward=onward, **values, **shown
        )
        made.headers.update(problem.headers)
        return made
