"""An application that serves pages: failures are pages too, in words, with the transaction id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from lienthong.kit.body_room import BodyRoom, BoundedBodies
from lienthong.kit.engines import DatabaseAwayError
from lienthong.kit.failures import TextOnly, Unexpected, problem_of, problem_response, transaction_id
from lienthong.kit.ids import NewId, uuid7
from lienthong.kit.problems import ERROR_HEADER, ProblemError
from lienthong.kit.rates import network_of
from lienthong.pages.addresses import address_of
from lienthong.pages.frame import Frame, see_other
from lienthong.pages.headers import PageHeaders
from lienthong.pages.paths import local_path
from lienthong.pages.preferences import KEPT_S, LANGUAGE_COOKIE, LANGUAGES, THEME_COOKIE, THEMES
from lienthong.pages.static_files import static_routes

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.responses import Response
    from starlette.types import Scope

MIB: Final = 1024 * 1024
_ROOM: Final = 16 * MIB
"""Bytes of forms that are under way at a time, of all."""
_SENDERS_ROOM: Final = MIB
"""The same of one network (an IPv4 address, or 64 bits of IPv6), so that no stranger takes others' room.
Most forms have some hundred bytes, 32 KiB at most."""


def create_page_app(
    title: str,
    frame: Frame,
    *,
    origin: str,
    address_of: Callable[[Request], str] = address_of,
    new_id: NewId = uuid7,
    senders_room: int = _SENDERS_ROOM,
) -> FastAPI:
    """A FastAPI application for pages at `origin`; routes are added by `include_router`.

    `address_of` says from which address a request comes, where proxies stand before the process;
    `senders_room` is how many bytes of forms one network has under way at a time.
    """
    app = FastAPI(title=title, openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)

    async def answer(request: Request, error: Exception) -> Response:
        return problem_page(frame, request, problem_of(request, error))

    expected: list[type[Exception]] = [ProblemError, RequestValidationError, HTTPException]
    expected += [DBAPIError, DatabaseAwayError, PoolTimeoutError, TimeoutError]
    for kind in expected:
        app.add_exception_handler(kind, answer)
    room = BodyRoom(all_bytes=_ROOM, callers_bytes=senders_room)
    secure = origin.startswith("https://")

    def sender_of(scope: Scope) -> str:
        return network_of(address_of(Request(scope))) or "unknown"

    def respond(scope: Scope, problem: ProblemError) -> Response:
        return problem_page(frame, Request(scope), problem)

    app.add_middleware(Unexpected, respond=respond)
    app.add_middleware(TextOnly, respond=respond)
    app.add_middleware(BoundedBodies, room=room, sender_of=sender_of)
    app.add_middleware(PageHeaders, secure=secure, new_id=new_id)
    app.include_router(static_routes(frame.static))
    app.include_router(_preferences(frame, secure=secure))
    return app


def for_a_script(request: Request) -> bool:
    """Whether a script of a page has sent it, which reads JSON."""
    return request.headers.get("accept") == "application/json"


def problem_page(
    frame: Frame,
    request: Request,
    problem: ProblemError,
    **values: Any,  # noqa: ANN401 - whatever the templates of the package show
) -> Response:
    """The page for a problem: what happened, what to do, and the transaction id.

    A script of a page that asks for JSON gets the problem document. `values` are for the templates
    `problem_advice.html` and `problem_ways.html` of the package, and for the one that `around` names, which
    stands around the page (`layout.html` if it names none); where a failure is met first by what stands
    before the routes, they are not given. A problem that another process told of keeps the transaction id
    under which it is known there (`instance`).
    """
    if for_a_script(request):
        return problem_response(problem, transaction_id(request.scope))
    if told := problem.extra.get("instance"):
        values["transaction_id"] = told
    response = frame.page(request, "problem.html", status=problem.status, problem=problem, **values)
    response.headers.update({**problem.headers, ERROR_HEADER: problem.code})
    return response


def _preferences(frame: Frame, *, secure: bool) -> APIRouter:
    router = APIRouter()

    @router.post("/preferences")
    async def choose(request: Request) -> Response:
        form = await frame.forms.read(request)
        response = see_other(local_path(form.get("back", "")) or "/")
        for name, allowed in ((LANGUAGE_COOKIE, LANGUAGES), (THEME_COOKIE, THEMES)):
            if form.get(name) in allowed:
                response.set_cookie(name, form[name], max_age=KEPT_S, samesite="lax", secure=secure)
        return response

    return router
