"""The second factors of one's own account: added and removed; new recovery codes."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from webauthn.helpers import base64url_to_bytes

from lienthong.identity.pages.account import AccountPage
from lienthong.identity.pages.browser import ACCOUNT, Web
from lienthong.identity.pages.failed import NOTHING_FAILED, shown_above
from lienthong.identity.pages.pictures import shown_totp
from lienthong.identity.people.service.own_account import OwnAccount
from lienthong.kit.problems import ProblemError
from lienthong.pages.frame import see_other

_AUTHENTICATOR = f"{ACCOUNT}/authenticator"
_PASSKEYS = f"{ACCOUNT}/passkeys"


def factor_routes(web: Web, page: AccountPage, own_account: OwnAccount) -> APIRouter:
    """Build the routes."""
    router = APIRouter()
    show = web.frame.page

    @router.get(_AUTHENTICATOR)
    async def begin_authenticator(request: Request) -> Response:
        who = await web.browser.known(request)
        made = await own_account.begin_totp(who)
        return show(request, "authenticator.html", who=who, **shown_totp(made), **NOTHING_FAILED)

    @router.post(_AUTHENTICATOR)
    async def confirm_authenticator(request: Request) -> Response:
        form = await web.forms.read(request)
        who = await web.browser.known(request)
        try:
            await own_account.confirm_totp(who, form.get("code", ""))
        except ProblemError as problem:
            shown = shown_above(problem) | shown_totp(await own_account.pending_totp(who))
            return show(request, "authenticator.html", status=problem.status, who=who, **shown)
        return see_other(f"{ACCOUNT}?done=authenticator")

    @router.post(f"{_AUTHENTICATOR}/remove")
    async def remove_authenticator(request: Request) -> Response:
        await web.forms.read(request)
        who = await web.browser.known(request)
        try:
            await own_account.remove_totp(who)
        except ProblemError as problem:
            return await page.show(request, who, problem)
        return see_other(f"{ACCOUNT}?done=removed")

    @router.post(f"{_PASSKEYS}/options")
    async def passkey_options(request: Request) -> Response:
        await web.forms.read(request)
        return JSONResponse(await own_account.begin_passkey(await web.browser.known(request)))

    @router.post(_PASSKEYS)
    async def add_passkey(request: Request) -> Response:
        form = await web.forms.read(request)
        who = await web.browser.known(request)
        try:
            await own_account.register_passkey(who, form.get("response", ""), form.get("name", ""))
        except ProblemError as problem:
            return await page.show(request, who, problem)
        return see_other(f"{ACCOUNT}?done=passkey")

    @router.post(f"{_PASSKEYS}/remove")
    async def remove_passkey(request: Request) -> Response:
        form = await web.forms.read(request)
        who = await web.browser.known(request)
        try:
            await own_account.remove_passkey(who, _id_of(form.get("passkey", "")))
        except ProblemError as problem:
            return await page.show(request, who, problem)
        return see_other(f"{ACCOUNT}?done=removed")

    @router.post(f"{ACCOUNT}/recovery-codes")
    async def new_recovery_codes(request: Request) -> Response:
        form = await web.forms.read(request)
        who = await web.browser.known(request)
        codes = await own_account.new_recovery_codes(who, instead_of=form.get("instead_of", ""))
        if not codes:
            return see_other(f"{ACCOUNT}?done=codes-made")
        return show(request, "recovery_codes.html", codes=codes, onward=ACCOUNT, renewed=True)

    # The address above is where the form is sent, and shows the account to who loads it again.
    @router.get(f"{ACCOUNT}/recovery-codes/new")
    async def ask_for_recovery_codes(request: Request) -> Response:
        who = await web.browser.known(request)
        present = await own_account.present_recovery_codes(who)
        left = (await own_account.held(who)).recovery_codes
        return show(request, "new_recovery_codes.html", instead_of=present, left=left)

    return router


def _id_of(text: str) -> bytes:
    """A passkey's id as the page wrote it; nothing that anyone has for a text that is none."""
    try:
        return base64url_to_bytes(text) if text.isascii() else b""
    except ValueError:
        return b""
