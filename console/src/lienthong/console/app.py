"""The application for people's browsers: signing in and out, and the home page."""

import hmac
import re
from functools import partial
from typing import Final

from fastapi import FastAPI, Request
from starlette.responses import Response

from lienthong.console.errors import (
    NobodySignedInError,
    SessionEndedError,
    not_signed_in,
    too_many_starts,
)
from lienthong.console.health import health_routes
from lienthong.console.openid import Attempt, OpenId
from lienthong.console.people.pages import people_routes
from lienthong.console.platform import Platform
from lienthong.console.sessions import Sessions
from lienthong.console.settings import ConsoleSettings
from lienthong.console.waiting import what_waits
from lienthong.console.web import NEXT, SESSION, Web
from lienthong.console.work import room_routes
from lienthong.kit.failures import READING, problem_of
from lienthong.kit.problems import ProblemError
from lienthong.kit.rates import TokenBuckets, network_of
from lienthong.pages.addresses import address_of
from lienthong.pages.app import create_page_app, problem_page
from lienthong.pages.frame import see_other
from lienthong.pages.preferences import preferences_of

SIGNED_OUT: Final = "signed-out"
ATTEMPT: Final = "sign-in-"
"""Begins the name of the cookie of each sign-in that is under way; the beginning of its `state` follows."""
MOST_ATTEMPTS: Final = 5
"""Sign-ins under way in one browser, each in a tab of its own; the oldest is forgotten."""
_ATTEMPT_S: Final = 600
_SIGNED_OUT_S: Final = 600
_STATE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_NAMED_BY: Final = 16
_OWN_ATTEMPT: Final = re.compile(rf"{ATTEMPT}[A-Za-z0-9_-]{{{_NAMED_BY}}}")
_LONGEST_CODE: Final = 512


def create_console(
    settings: ConsoleSettings, openid: OpenId, sessions: Sessions, platform: Platform, starts: TokenBuckets
) -> FastAPI:
    """Build the application; `starts` limits how often one network may begin to sign in."""
    web = Web.of(settings, sessions, platform)
    cookies, forms, frame = web.cookies, web.forms, web.frame
    where_from = partial(address_of, proxies=settings.console_proxies)
    app = create_page_app("Liên thông: console", frame, origin=settings.console_url, address_of=where_from)

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
        return web.page(request, visit, "home.html", is_home=True, waiting=await what_waits(visit))

    @app.get("/sign-in")
    async def sign_in(request: Request) -> Response:
        """Lead to identity's pages."""
        if (wait := starts.wait(network_of(where_from(request)))) > 0:
            raise too_many_starts(starts.limit, wait)
        attempt = Attempt.new()
        response = see_other(await openid.begin(attempt, preferences_of(request).language))
        # Browsers send those first that they have had the longest (RFC 6265 §5.4).
        known = [one for one in cookies.names(request, ATTEMPT) if _OWN_ATTEMPT.fullmatch(one)]
        for name in known[: max(0, len(known) - MOST_ATTEMPTS + 1)]:
            cookies.drop(response, name)
        cookies.set(response, _named(attempt.state), attempt.secret, seconds=_ATTEMPT_S)
        return response

    @app.get("/signed-in")
    async def signed_in(request: Request) -> Response:
        """Take what identity sent the browser back with (RFC 6749 §4.1.2, RFC 9207 §2.4)."""
        said = request.query_params
        code, state = said.get("code", ""), said.get("state", "")
        if not _STATE.fullmatch(state):
            raise not_signed_in()
        attempt = Attempt(cookies.read(request, _named(state)) or "")
        answers = hmac.compare_digest(state, attempt.state)
        if not attempt.secret or not answers or said.get("iss") != settings.issuer:
            raise not_signed_in()
        if not 0 < len(code) <= _LONGEST_CODE:
            # Identity refused, or the person turned back.
            raise not_signed_in()
        tokens = await openid.redeem(attempt, code)
        sessions.end(cookies.read(request, SESSION))
        response = see_other(web.next_path(request))
        cookies.set(response, SESSION, sessions.begin(tokens))
        cookies.drop(response, NEXT)
        cookies.drop(response, _named(state))
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
        signed_in = cookies.read(request, SESSION) is not None
        return problem_page(frame, request, problem_of(request, error), signed_in=signed_in)

    async def nobody(request: Request, _: Exception) -> Response:
        response = see_other("/")
        if request.method in READING:
            web.keep_next(request, response)
        return response

    app.add_exception_handler(ProblemError, failed)
    app.add_exception_handler(NobodySignedInError, nobody)
    app.add_exception_handler(SessionEndedError, nobody)
    app.include_router(people_routes(web))
    app.include_router(health_routes(web))
    app.include_router(room_routes(web))
    return app


def _named(state: str) -> str:
    """The cookie of the sign-in with this `state`."""
    return f"{ATTEMPT}{state[:_NAMED_BY]}"
