"""The application for people's browsers: signing in and out, and the home page."""

from functools import partial
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from lienthong.console.agreements.amending import amendment_routes
from lienthong.console.agreements.late import late_routes
from lienthong.console.agreements.pages import agreement_routes
from lienthong.console.agreements.requesting import request_routes
from lienthong.console.errors import (
    NobodySignedInError,
    SessionEndedError,
    not_signed_in,
    too_many_starts,
)
from lienthong.console.finding.pages import finding_routes
from lienthong.console.health import health_routes
from lienthong.console.openid import OpenId
from lienthong.console.people.pages import people_routes
from lienthong.console.platform import Platform
from lienthong.console.publishing.pages import LARGEST_FORM, publishing_routes
from lienthong.console.records.pages import record_routes
from lienthong.console.sessions import Sessions
from lienthong.console.settings import ConsoleSettings
from lienthong.console.systems.agencies import agency_routes
from lienthong.console.systems.pages import system_routes
from lienthong.console.systems.suspending import suspension_routes
from lienthong.console.usage.pages import usage_routes
from lienthong.console.waiting import what_waits
from lienthong.console.web import NEXT, SESSION, Web
from lienthong.kit.clock import Clock
from lienthong.kit.failures import READING, problem_of
from lienthong.kit.problems import ProblemError
from lienthong.kit.rates import TokenBuckets, network_of
from lienthong.pages.addresses import address_of
from lienthong.pages.app import create_page_app
from lienthong.pages.frame import see_other
from lienthong.pages.preferences import preferences_of
from lienthong.relying.attempts import Attempt, AttemptCookies

SIGNED_OUT: Final = "signed-out"
ATTEMPT: Final = "sign-in-"
"""Begins the name of the cookie of each sign-in that is under way."""
_SIGNED_OUT_S: Final = 600
_LONGEST_CODE: Final = 512


def create_console(
    settings: ConsoleSettings,
    openid: OpenId,
    sessions: Sessions,
    platform: Platform,
    starts: TokenBuckets,
    clock: Clock,
) -> FastAPI:
    """Build the application; `starts` limits how often one network may begin to sign in."""
    web = Web.of(settings, sessions, platform, clock)
    cookies, forms, frame = web.cookies, web.forms, web.frame
    attempts = AttemptCookies(cookies, ATTEMPT)
    where_from = partial(address_of, proxies=settings.console_proxies)
    app = create_page_app(
        "Liên thông: console",
        frame,
        origin=settings.console_url,
        address_of=where_from,
        senders_room=2 * LARGEST_FORM,
    )

    @app.get("/")
    async def home(request: Request) -> Response:
        """Who is signed in and what waits for that person, or how to sign in."""
        visit = await web.visit(request)
        if visit is None:
            told = "" if cookies.read(request, SESSION) is None else "ended"
            if cookies.read(request, SIGNED_OUT) is not None:
                told = "signed-out"
            response = frame.page(request, "welcome.html", done=told)
            cookies.drop(response, SESSION)
            cookies.drop(response, SIGNED_OUT)
            return response
        agency = await web.names.of(visit.desk, [visit.person.agency])
        waiting = await what_waits(visit)
        return web.page(request, visit, "home.html", is_home=True, waiting=waiting, agency=agency)

    @app.get("/sign-in")
    async def sign_in(request: Request) -> Response:
        """Lead to identity's pages."""
        if (wait := starts.wait(network_of(where_from(request)))) > 0:
            raise too_many_starts(starts.limit, wait)
        attempt = Attempt.new()
        response = see_other(await openid.begin(attempt, preferences_of(request).language))
        attempts.keep(request, response, attempt)
        return response

    @app.get("/signed-in")
    async def signed_in(request: Request) -> Response:
        """Take what identity sent the browser back with (RFC 6749 §4.1.2, RFC 9207 §2.4)."""
        said = request.query_params
        code, state = said.get("code", ""), said.get("state", "")
        attempt = attempts.find(request, state)
        if attempt is None or said.get("iss") != settings.issuer:
            raise not_signed_in()
        if not 0 < len(code) <= _LONGEST_CODE:
            # Identity refused, or the person turned back.
            raise not_signed_in()
        tokens = await openid.redeem(attempt, code)
        sessions.end(cookies.read(request, SESSION))
        response = see_other(web.next_path(request))
        cookies.set(response, SESSION, sessions.begin(tokens))
        cookies.drop(response, NEXT)
        attempts.drop(response, state)
        cookies.drop(response, SIGNED_OUT)
        return response

    @app.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        """Forget the session here, and lead to where identity ends it."""
        await forms.read(request)
        tokens = sessions.end(cookies.read(request, SESSION))
        # A redirect after a form would be stopped by `form-action 'self'`.
        response = see_other("/") if tokens is None else frame.onward(request, openid.leaving(tokens))
        cookies.drop(response, SESSION)
        cookies.set(response, SIGNED_OUT, "1", seconds=_SIGNED_OUT_S)
        return response

    @app.get("/sign-out")
    async def after_choosing(_: Request) -> Response:
        """Where somebody comes back to who chooses a language on the page that leads on."""
        return see_other("/")

    async def failed(request: Request, error: Exception) -> Response:
        return await web.failed(request, problem_of(request, error))

    async def nobody(request: Request, _: Exception) -> Response:
        response = see_other("/")
        if request.method in READING:
            web.keep_next(request, response)
        return response

    for kind in (ProblemError, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, failed)
    app.add_exception_handler(NobodySignedInError, nobody)
    app.add_exception_handler(SessionEndedError, nobody)
    app.include_router(people_routes(web))
    app.include_router(health_routes(web))
    app.include_router(finding_routes(web))
    app.include_router(publishing_routes(web))
    app.include_router(agency_routes(web))
    app.include_router(system_routes(web, clock))
    app.include_router(suspension_routes(web))
    app.include_router(amendment_routes(web))
    app.include_router(agreement_routes(web, clock))
    app.include_router(late_routes(web))
    app.include_router(request_routes(web))
    app.include_router(usage_routes(web, clock))
    app.include_router(record_routes(web))
    return app
