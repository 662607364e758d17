"""Signing in by another OpenID Connect provider: the forms that begin it, the address to which the browser
comes back, and where the provider says that somebody has signed out there.

A form leads to the provider by a page of ours, since `form-action 'self'` holds for redirects too.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from lienthong.identity.pages.account import AccountPage
from lienthong.identity.pages.browser import ACCOUNT, Web, next_path
from lienthong.identity.pages.steps import SIGN_IN, Steps
from lienthong.identity.people import errors
from lienthong.identity.people.domain.upstream import Purpose
from lienthong.identity.people.service.own_account import OwnAccount
from lienthong.identity.people.service.people import INVITATION
from lienthong.identity.people.service.upstream import UpstreamSignIns
from lienthong.kit.bodies import BodyIncompleteError, BodyTooLargeError, read_body
from lienthong.kit.problems import ProblemError
from lienthong.pages.frame import see_other
from lienthong.relying.attempts import Attempt
from lienthong.relying.errors import ProviderAwayError, RelyingError

SIGN_IN_BY: Final = f"{SIGN_IN}/provider"
INVITATION_BY: Final = f"{INVITATION}/provider"
LINK: Final = f"{ACCOUNT}/providers"
UNLINK: Final = f"{LINK}/remove"
_UPSTREAM: Final = "/upstream/{provider_id}"
_LONGEST_QUERY: Final = 8 * 1024
_MOST_FIELDS: Final = 20
_LARGEST_LOGOUT: Final = 40 * 1024
_PATIENCE: Final = 10.0


def provider_routes(
    web: Web, page: AccountPage, steps: Steps, upstream: UpstreamSignIns, own_account: OwnAccount
) -> APIRouter:
    """Build the routes."""
    router = APIRouter()
    browser = web.browser

    def leave(request: Request, attempt: Attempt, address: str) -> Response:
        response = web.frame.onward(request, address)
        web.attempts.keep(request, response, attempt)
        return response

    @router.post(SIGN_IN_BY)
    async def sign_in(request: Request) -> Response:
        form = await web.forms.read(request)
        attempt, address = await upstream.begin(
            form.get("provider", ""),
            next_path(form.get("next")),
            browser.origin(request),
            browser.device(request),
            fresh=form.get("fresh") == "1",
        )
        return leave(request, attempt, address)

    @router.post(INVITATION_BY)
    async def accept(request: Request) -> Response:
        form = await web.forms.read(request)
        origin, device = browser.origin(request), browser.device(request)
        begun = await upstream.begin_accept(form.get("provider", ""), form.get("link", ""), origin, device)
        return leave(request, *begun)

    @router.post(LINK)
    async def link(request: Request) -> Response:
        form = await web.forms.read(request)
        who = await browser.known(request)
        origin, device = browser.origin(request), browser.device(request)
        return leave(request, *await upstream.begin_link(form.get("provider", ""), who, origin, device))

    @router.post(UNLINK)
    async def unlink(request: Request) -> Response:
        form = await web.forms.read(request)
        who = await browser.known(request)
        try:
            await own_account.unlink(who, form.get("identity", ""))
        except ProblemError as problem:
            return await page.show(request, who, problem)
        return see_other(f"{ACCOUNT}?done=removed")

    @router.get(f"{_UPSTREAM}/callback")
    async def come_back(request: Request, provider_id: str) -> Response:
        """Take what a provider sent the browser back with (RFC 6749 §4.1.2, RFC 9207 §2.4)."""
        answer = _answer(request.scope["query_string"])
        state = answer.get("state", "")
        attempt = web.attempts.find(request, state)
        if attempt is None:
            raise errors.sign_in_expired()
        origin, device = browser.origin(request), browser.device(request)
        who = await browser.read(request)
        wanted, found = await upstream.answer(provider_id, attempt, answer, who, origin, device)
        if wanted.purpose is Purpose.LINK or found is None:
            response: Response = see_other(f"{ACCOUNT}?done=linked")
        else:
            response = await steps.proved(request, found, next_path(wanted.onward))
        web.attempts.drop(response, state)
        return response

    @router.get(f"{_UPSTREAM}/sign-out")
    async def sign_out_there(provider_id: str) -> Response:
        return see_other(await upstream.leaving(provider_id) or f"{SIGN_IN}?done=signed-out")

    return router


def back_channel_routes(upstream: UpstreamSignIns) -> APIRouter:
    """Build the route that providers call themselves (OpenID Connect Back-Channel Logout §2.5)."""
    router = APIRouter()

    @router.post(f"{_UPSTREAM}/back-channel-logout")
    async def logged_out(request: Request, provider_id: str) -> Response:
        try:
            form = _fields(await read_body(request, _LARGEST_LOGOUT, seconds=_PATIENCE))
            await upstream.logged_out(provider_id, form.get("logout_token", ""))
        except ProviderAwayError:
            return _refused(503, "temporarily_unavailable")
        except (RelyingError, BodyTooLargeError, BodyIncompleteError):
            return _refused(400, "invalid_request")
        return Response(status_code=200, headers={"Cache-Control": "no-store"})

    return router


def _refused(status: int, error: str) -> Response:
    return JSONResponse({"error": error}, status, {"Cache-Control": "no-store"})


def _answer(query: bytes) -> dict[str, str]:
    if len(query) > _LONGEST_QUERY:
        raise errors.sign_in_expired()
    return dict(_fields(query))


def _fields(text: bytes) -> Mapping[str, str]:
    """Parameters, each once; none where one comes twice (RFC 6749 §3.1) or they cannot be read."""
    try:
        pairs = parse_qsl(text.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return {}
    found = dict(pairs)
    return found if len(found) == len(pairs) else {}
