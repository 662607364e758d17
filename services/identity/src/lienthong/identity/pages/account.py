"""The own account of whoever is signed in: who one is, sessions, password; and signing out."""

from fastapi import APIRouter, Request, Response

from lienthong.identity.pages.browser import ACCOUNT, Web
from lienthong.identity.pages.failed import NOTHING_FAILED, shown_above
from lienthong.identity.pages.steps import SIGN_IN
from lienthong.identity.people.domain.passwords import SHORTEST
from lienthong.identity.people.service.own_account import OwnAccount
from lienthong.identity.people.service.recording import itself
from lienthong.identity.people.service.sessions import Sessions, SignedIn
from lienthong.identity.service.providers import Providers
from lienthong.kit.problems import ProblemError
from lienthong.pages.browsers import browser_name
from lienthong.pages.frame import see_other

_PASSWORD = f"{ACCOUNT}/password"


class AccountPage:
    """The page of the own account, which others come back to with what was done or what failed."""

    def __init__(self, web: Web, sessions: Sessions, own_account: OwnAccount, providers: Providers) -> None:
        self._web = web
        self._sessions = sessions
        self._own_account = own_account
        self._providers = providers

    async def show(self, request: Request, who: SignedIn, problem: ProblemError | None = None) -> Response:
        """The page as it is now."""
        shown = NOTHING_FAILED if problem is None else shown_above(problem)
        return self._web.frame.page(
            request,
            "account.html",
            status=200 if problem is None else problem.status,
            who=who,
            held=await self._own_account.held(who),
            sessions=[
                (one, browser_name(one.origin.client)) for one in await self._sessions.of(who.account.id)
            ],
            providers={one.spec.id: one.spec for one in self._providers},
            device_name=browser_name(who.session.origin.client),
            done=request.query_params.get("done", ""),
            **shown,
        )


def account_routes(web: Web, page: AccountPage, sessions: Sessions, own_account: OwnAccount) -> APIRouter:
    """Build the routes."""
    router = APIRouter()

    @router.get(ACCOUNT)
    async def look(request: Request) -> Response:
        return await page.show(request, await web.browser.known(request))

    @router.post(f"{ACCOUNT}/sessions/end")
    async def end_session(request: Request) -> Response:
        form = await web.forms.read(request)
        who = await web.browser.known(request)
        await sessions.end(itself(who.account), who.account.id, form.get("session", ""))
        return see_other(f"{ACCOUNT}?done=session-ended")

    @router.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        await web.forms.read(request)
        who = await web.browser.read(request)
        if who is not None:
            await sessions.end(itself(who.account), who.account.id, who.session.id)
        left = "" if who is None else who.session.via.provider
        response = see_other(f"{SIGN_IN}?done=signed-out" + (f"&left={left}" if left else ""))
        web.browser.end(response)
        return response

    @router.get(_PASSWORD)
    async def ask_password(request: Request) -> Response:
        who = await web.browser.known(request)
        return web.frame.page(request, "password.html", who=who, shortest=SHORTEST, **NOTHING_FAILED)

    @router.post(_PASSWORD)
    async def change_password(request: Request) -> Response:
        form = await web.forms.read(request)
        who = await web.browser.known(request)
        try:
            device = web.browser.device(request)
            await own_account.change_password(who, form.get("old", ""), form.get("new", ""), device)
        except ProblemError as problem:
            values = {"who": who, "shortest": SHORTEST, **shown_above(problem)}
            return web.frame.page(request, "password.html", status=problem.status, **values)
        return see_other(f"{ACCOUNT}?done=password")

    return router
