"""Signing in: the password or a passkey, and then the second factor that the account or its roles demand."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from lienthong.identity.pages.browser import ACCOUNT, Web, next_path
from lienthong.identity.pages.failed import NOTHING_FAILED, shown_above
from lienthong.identity.pages.steps import PASSKEY, RECOVERY, SECOND_FACTOR, SIGN_IN, Steps
from lienthong.identity.people.domain.names import LONGEST_LOGIN
from lienthong.identity.people.domain.sessions import Origin
from lienthong.identity.people.service.sessions import Begun
from lienthong.identity.people.service.sign_ins import SignIns
from lienthong.kit.problems import ProblemError
from lienthong.kit.problems import people as kinds
from lienthong.pages.frame import see_other

Prove = Callable[[str, str, Origin, str | None], Awaitable[Begun]]


def sign_in_routes(web: Web, sign_ins: SignIns, steps: Steps) -> APIRouter:
    """Build the routes."""
    router = APIRouter()
    show, browser = web.frame.page, web.browser

    def asking(path: str, template: str) -> None:
        @router.get(path, name=template)
        async def ask(request: Request) -> Response:
            onward = next_path(request.query_params.get("next"))
            try:
                await sign_ins.check(browser.sign_in(request))
            except ProblemError as problem:
                # Whoever goes back after signing in is where the sign-in led to.
                if await browser.read(request) is not None and onward.startswith(ACCOUNT):
                    return see_other(onward)
                return await steps.again(request, template, problem, onward)
            return show(request, template, onward=onward, **NOTHING_FAILED)

    @router.get(SIGN_IN)
    async def ask_password(request: Request) -> Response:
        onward = next_path(request.query_params.get("next"))
        done = request.query_params.get("done", "")
        # Of an application's earlier attempt nothing is said to who comes by itself.
        login = "" if onward.startswith(ACCOUNT) else browser.hint(request)
        left = request.query_params.get("left", "")
        return await steps.begin(request, onward, login=login, done=done, left=left)

    @router.post(SIGN_IN)
    async def password(request: Request) -> Response:
        form = await web.forms.read(request)
        onward, login = next_path(form.get("next")), form.get("login", "")
        try:
            found = await sign_ins.password(
                login, form.get("password", ""), browser.origin(request), browser.device(request)
            )
        except ProblemError as problem:
            shown_above(problem)
            return await steps.begin(request, onward, login=login[:LONGEST_LOGIN], problem=problem)
        return await steps.proved(request, found, onward)

    async def second(request: Request, template: str, field: str, prove: Prove) -> Response:
        form = await web.forms.read(request)
        onward, device = next_path(form.get("next")), browser.device(request)
        try:
            begun = await prove(
                browser.sign_in(request), form.get(field, ""), browser.origin(request), device
            )
        except ProblemError as problem:
            return await steps.again(request, template, problem, onward)
        return await steps.signed_in(request, begun, onward)

    asking(SECOND_FACTOR, "second_factor.html")
    asking(RECOVERY, "recovery_code.html")

    @router.post(SECOND_FACTOR)
    async def totp(request: Request) -> Response:
        return await second(request, "second_factor.html", "code", sign_ins.totp)

    @router.post(RECOVERY)
    async def recovery_code(request: Request) -> Response:
        return await second(request, "recovery_code.html", "code", sign_ins.recovery_code)

    @router.post(f"{SECOND_FACTOR}/options")
    async def second_passkey_options(request: Request) -> Response:
        await web.forms.read(request)
        return JSONResponse(await sign_ins.passkey_options(browser.sign_in(request)))

    @router.post(f"{SECOND_FACTOR}/passkey")
    async def second_passkey(request: Request) -> Response:
        return await second(request, "second_factor.html", "response", sign_ins.passkey)

    @router.post(f"{PASSKEY}/options")
    async def passkey_options(request: Request) -> Response:
        await web.forms.read(request)
        token, options = await sign_ins.begin_passkey(browser.origin(request), browser.device(request))
        response = JSONResponse(options)
        browser.keep_sign_in(response, token, alone=True)
        return response

    @router.post(PASSKEY)
    async def passkey(request: Request) -> Response:
        form = await web.forms.read(request)
        onward = next_path(form.get("next"))
        token = browser.sign_in(request, alone=True)
        given, device = form.get("response", ""), browser.device(request)
        try:
            begun = await sign_ins.passkey(token, given, browser.origin(request), device)
        except ProblemError as problem:
            if problem.kind is not kinds.SIGN_IN_EXPIRED:
                shown_above(problem)
            return await steps.begin(request, onward, problem=problem)
        return await steps.signed_in(request, begun, onward)

    return router
