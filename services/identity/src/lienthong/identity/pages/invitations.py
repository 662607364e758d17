"""Taking an account over with a one-time link.

The link's secret stands behind `#`: a script of the page posts it, and without scripts the person does.
"""

from fastapi import APIRouter, Request, Response

from lienthong.identity.pages.browser import Web
from lienthong.identity.pages.failed import NOTHING_FAILED, shown_above
from lienthong.identity.people.domain.passwords import SHORTEST
from lienthong.identity.people.service.people import INVITATION, People
from lienthong.identity.service.providers import Providers
from lienthong.kit.problems import ProblemError
from lienthong.kit.problems import people as kinds
from lienthong.pages.frame import see_other

_OPEN = f"{INVITATION}/open"
_ACCEPT = f"{INVITATION}/accept"


def invitation_routes(web: Web, people: People, providers: Providers) -> APIRouter:
    """Build the routes."""
    router = APIRouter()
    specs = [one.spec for one in providers]
    show = web.frame.page

    @router.get(INVITATION)
    async def ask(request: Request) -> Response:
        return show(request, "invitation.html", problem=None)

    # Not where the link leads: a browser that shows that address already would not load it again.
    @router.post(_OPEN)
    async def open_link(request: Request) -> Response:
        form = await web.forms.read(request)
        # The whole link may be pasted, too.
        token = form.get("link", "").rpartition("#")[2].strip()
        try:
            account = await people.invited(token)
        except ProblemError as problem:
            if problem.kind is not kinds.LINK_REFUSED:
                raise
            return show(request, "invitation.html", status=problem.status, problem=problem)
        values = {"login": "", "name": "", "shortest": SHORTEST, "providers": specs, **NOTHING_FAILED}
        return show(request, "accept.html", account=account, link=token, **values)

    @router.post(_ACCEPT)
    async def accept(request: Request) -> Response:
        form = await web.forms.read(request)
        token = form.get("link", "")
        account = await people.invited(token)
        chosen = {} if account is not None else {"login": form.get("login", ""), "name": form.get("name", "")}
        try:
            await people.accept(token, form.get("password", ""), **chosen)
        except ProblemError as problem:
            login, name = form.get("login", "")[:254], form.get("name", "")[:400]
            shown = {"shortest": SHORTEST, "providers": specs, **shown_above(problem)}
            values = {"login": login, "name": name, **shown}
            return show(request, "accept.html", status=problem.status, account=account, link=token, **values)
        return see_other("/sign-in?done=accepted")

    return router
