"""The application for people's browsers."""

from collections.abc import Awaitable, Callable, Sequence

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response

from lienthong.identity.pages.account import AccountPage, account_routes
from lienthong.identity.pages.browser import ACCOUNT, NobodySignedInError, Web
from lienthong.identity.pages.enrolling import enrolment_routes
from lienthong.identity.pages.invitations import invitation_routes
from lienthong.identity.pages.own_factors import factor_routes
from lienthong.identity.pages.providers import (
    INVITATION_BY,
    LINK,
    SIGN_IN_BY,
    UNLINK,
    back_channel_routes,
    provider_routes,
)
from lienthong.identity.pages.signing_in import sign_in_routes
from lienthong.identity.pages.steps import ENROL, PASSKEY, SECOND_FACTOR, SIGN_IN, Steps, at
from lienthong.identity.people.service.own_account import OwnAccount
from lienthong.identity.people.service.people import INVITATION, People
from lienthong.identity.people.service.sessions import Sessions
from lienthong.identity.people.service.sign_ins import SignIns
from lienthong.identity.people.service.upstream import UpstreamSignIns
from lienthong.kit.failures import problem_of
from lienthong.kit.problems import ProblemError
from lienthong.kit.problems import people as kinds
from lienthong.pages.app import create_page_app, for_a_script, problem_page
from lienthong.pages.frame import see_other

_INSTEAD = {
    "/invitation/open": INVITATION,
    "/invitation/accept": INVITATION,
    INVITATION_BY: INVITATION,
    SIGN_IN_BY: SIGN_IN,
    LINK: ACCOUNT,
    UNLINK: ACCOUNT,
    f"{SECOND_FACTOR}/passkey": SECOND_FACTOR,
    f"{ENROL}/passkey": ENROL,
    PASSKEY: SIGN_IN,
    "/sign-out": ACCOUNT,
    f"{ACCOUNT}/sessions/end": ACCOUNT,
    f"{ACCOUNT}/authenticator/remove": ACCOUNT,
    f"{ACCOUNT}/passkeys": ACCOUNT,
    f"{ACCOUNT}/passkeys/remove": ACCOUNT,
    f"{ACCOUNT}/recovery-codes": ACCOUNT,
}
"""Where forms are sent, and the page that somebody finds there, as after choosing a language."""


def create_pages_app(
    web: Web,
    people: People,
    sign_ins: SignIns,
    sessions: Sessions,
    own_account: OwnAccount,
    upstream: UpstreamSignIns,
    *,
    more: Sequence[APIRouter] = (),
) -> FastAPI:
    """Build the application; `more` are routes of other parts of identity at the same origin."""

    def address_of(request: Request) -> str:
        return web.browser.origin(request).address

    app = create_page_app("Liên thông: pages for people", web.frame, origin=web.origin, address_of=address_of)
    steps = Steps(web, upstream.providers)
    app.include_router(sign_in_routes(web, sign_ins, steps))
    app.include_router(invitation_routes(web, people, upstream.providers))
    app.include_router(enrolment_routes(web, sign_ins, steps))
    page = AccountPage(web, sessions, own_account, upstream.providers)
    app.include_router(account_routes(web, page, sessions, own_account))
    app.include_router(factor_routes(web, page, own_account))
    app.include_router(provider_routes(web, page, steps, upstream, own_account))
    app.include_router(back_channel_routes(upstream))
    for router in more:
        app.include_router(router)

    async def sign_in_first(request: Request, _: Exception) -> Response:
        read_only = request.method == "GET"
        address = at(SIGN_IN, request.url.path if read_only else ACCOUNT)
        if not read_only:
            # Signed out in another tab, or the session has ended.
            address += "&done=not-done"
        elif web.browser.has_session(request):
            address += "&done=ended"
        response = see_other(address)
        web.browser.end(response)
        return response

    async def failed(request: Request, error: Exception) -> Response:
        problem = problem_of(request, error)
        if problem.kind is kinds.SIGN_IN_TOO_OLD and not for_a_script(request):
            return see_other(f"{at(SIGN_IN, ACCOUNT)}&done=again")
        return problem_page(web.frame, request, problem)

    app.add_exception_handler(NobodySignedInError, sign_in_first)
    app.add_exception_handler(ProblemError, failed)

    for path, page_there in _INSTEAD.items():
        app.add_api_route(path, _leading_to(page_there), methods=["GET"])

    @app.get("/")
    async def first(_: Request) -> Response:
        return see_other(ACCOUNT)

    return app


def _leading_to(address: str) -> Callable[[], Awaitable[Response]]:
    async def lead() -> Response:
        return see_other(address)

    return lead
