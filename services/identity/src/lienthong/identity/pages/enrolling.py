"""A second factor for someone whose roles demand one and who has none: part of signing in."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from lienthong.identity.pages.browser import ACCOUNT, Web, next_path
from lienthong.identity.pages.failed import NOTHING_FAILED
from lienthong.identity.pages.pictures import shown_totp
from lienthong.identity.pages.steps import ENROL, Steps
from lienthong.identity.people.domain.sessions import Origin
from lienthong.identity.people.service.sign_ins import SignIns
from lienthong.kit.problems import ProblemError
from lienthong.kit.text import BilingualText
from lienthong.pages.browsers import browser_name
from lienthong.pages.frame import see_other


def enrolment_routes(web: Web, sign_ins: SignIns, steps: Steps) -> APIRouter:
    """Build the routes."""
    router = APIRouter()
    browser = web.browser

    @router.get(ENROL)
    async def begin(request: Request) -> Response:
        onward = next_path(request.query_params.get("next"))
        try:
            made = await sign_ins.enrol_totp(browser.sign_in(request))
        except ProblemError as problem:
            if await browser.read(request) is not None and onward.startswith(ACCOUNT):
                return see_other(onward)
            return await steps.again(request, "enrol.html", problem, onward)
        values = {"onward": onward, "device_name": _device(request), **shown_totp(made), **NOTHING_FAILED}
        return web.frame.page(request, "enrol.html", **values)

    @router.post(ENROL)
    async def confirm(request: Request) -> Response:
        form = await web.forms.read(request)
        onward, origin, device = _of(request, form.get("next"))
        try:
            made = await sign_ins.confirm_totp(browser.sign_in(request), form.get("code", ""), origin, device)
        except ProblemError as problem:
            return await _once_more(request, problem, onward)
        return await steps.enrolled(request, made, onward)

    @router.post(f"{ENROL}/options")
    async def passkey_options(request: Request) -> Response:
        await web.forms.read(request)
        return JSONResponse(await sign_ins.enrol_passkey(browser.sign_in(request)))

    @router.post(f"{ENROL}/passkey")
    async def passkey(request: Request) -> Response:
        form = await web.forms.read(request)
        onward, origin, device = _of(request, form.get("next"))
        token, given = browser.sign_in(request), form.get("response", "")
        try:
            made = await sign_ins.register_passkey(token, given, form.get("name", ""), origin, device)
        except ProblemError as problem:
            return await _once_more(request, problem, onward)
        return await steps.enrolled(request, made, onward)

    async def _once_more(request: Request, problem: ProblemError, onward: str) -> Response:
        """The page with the same secret; at the beginning, where the sign-in has ended."""
        try:
            made = await sign_ins.pending_totp(browser.sign_in(request))
        except ProblemError as ended:
            return await steps.again(request, "enrol.html", ended, onward)
        values = {"device_name": _device(request), **shown_totp(made)}
        return await steps.again(request, "enrol.html", problem, onward, **values)

    def _device(request: Request) -> BilingualText:
        return browser_name(browser.origin(request).client)

    def _of(request: Request, onward: str | None) -> tuple[str, Origin, str | None]:
        return next_path(onward), browser.origin(request), browser.device(request)

    return router
