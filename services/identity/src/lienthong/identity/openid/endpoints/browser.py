"""Where applications send people's browsers: the authorization endpoint (RFC 6749 §3.1), and the end of a
session (OpenID Connect RP-Initiated Logout §2), at the origin of the pages for people.

Nothing but a reference to a pushed request is read at the first. A form that is posted to either becomes the
same request with GET, because browsers send no session with forms of other sites: what is decided without one
would be decided for nobody, and an answer to it must not take the session away.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode

from fastapi import APIRouter, Request, Response

from lienthong.identity.openid import errors
from lienthong.identity.openid.service.authorizations import Authorizations, SentBack, SignInFirst
from lienthong.identity.openid.service.signing_out import SigningOut, Wish
from lienthong.identity.pages.browser import Web
from lienthong.kit.bodies import BodyIncompleteError, BodyTooLargeError, read_body
from lienthong.pages.frame import see_other
from lienthong.pages.preferences import KEPT_S, LANGUAGE_COOKIE, LANGUAGES

AUTHORIZE: Final = "/authorize"
END_SESSION: Final = "/end-session"
_MAX_FORM: Final = 16 * 1024
_MAX_FIELDS: Final = 32
_LONGEST_QUERY: Final = 16 * 1024
_LONGEST_LOCATION: Final = 2 * 1024
"""Of an address to which a browser is sent: what every proxy on the way takes."""
_PATIENCE: Final = 10.0
_ASKED: Final = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state")


def browser_routes(web: Web, authorizations: Authorizations, signing_out: SigningOut) -> APIRouter:
    """Build the routes."""
    router = APIRouter()

    @router.get(AUTHORIZE)
    async def authorize(request: Request) -> Response:
        asked = _query(request)
        client_id, reference = asked.get("client_id"), asked.get("request_uri")
        if client_id is None or reference is None:
            raise errors.not_pushed()
        outcome = await authorizations.answer(client_id, reference, await web.browser.read(request))
        if isinstance(outcome, SentBack):
            return _away(outcome.address)
        return _sign_in(request, outcome)

    def _sign_in(request: Request, first: SignInFirst) -> Response:
        why = "&done=anew" if first.anew else ""
        response = see_other(f"/sign-in?next={quote(first.next, safe='')}{why}")
        web.browser.keep_hint(response, first.request.login_hint or "")
        language = first.request.language(LANGUAGES)
        # What the person has chosen before the application did, stays.
        if language is not None and LANGUAGE_COOKIE not in request.cookies:
            secure = web.origin.startswith("https://")
            response.set_cookie(LANGUAGE_COOKIE, language, max_age=KEPT_S, samesite="lax", secure=secure)
        return response

    @router.post(AUTHORIZE)
    async def authorize_by_form(request: Request) -> Response:
        asked = await _form(request)
        known = {name: asked[name] for name in ("client_id", "request_uri") if name in asked}
        if len(known) < len(("client_id", "request_uri")):
            raise errors.not_pushed()
        return see_other(f"{AUTHORIZE}?{urlencode(known)}")

    async def ended(request: Request, wish: Wish) -> Response:
        """The session is over: back to the application, or a page that says so."""
        if wish.address is not None:
            response = web.frame.onward(request, wish.address)
        else:
            response = see_other("/sign-in?done=signed-out")
        await web.browser.forget_ended(request, response)
        return response

    def ask(request: Request, asked: Mapping[str, str]) -> Response:
        return web.frame.page(request, "end_session.html", asked=asked)

    async def end(request: Request, asked: Mapping[str, str]) -> Response:
        wish = await signing_out.read(asked)
        if await signing_out.end(wish, await web.browser.read(request), confirmed=False):
            return ask(request, _kept(asked))
        return await ended(request, wish)

    @router.get(END_SESSION)
    async def end_session(request: Request) -> Response:
        return await end(request, _query(request))

    @router.post(END_SESSION)
    async def end_session_by_form(request: Request) -> Response:
        asked = _kept(await _form(request))
        query = urlencode(asked)
        if len(query) <= _LONGEST_LOCATION:
            return see_other(f"{END_SESSION}?{query}" if query else END_SESSION)
        await signing_out.read(asked)
        return ask(request, asked)

    @router.post(f"{END_SESSION}/confirm")
    async def confirm(request: Request) -> Response:
        wish = await signing_out.read(await web.forms.read(request))
        await signing_out.end(wish, await web.browser.read(request), confirmed=True)
        return await ended(request, wish)

    return router


def _away(address: str) -> Response:
    response = see_other(address)
    response.headers["Cache-Control"] = "no-store"
    return response


def _kept(asked: Mapping[str, str]) -> Mapping[str, str]:
    return {name: asked[name] for name in _ASKED if name in asked}


def _query(request: Request) -> Mapping[str, str]:
    query: bytes = request.scope["query_string"]
    if len(query) > _LONGEST_QUERY:
        raise errors.not_pushed()
    return _read(query)


async def _form(request: Request) -> Mapping[str, str]:
    try:
        return _read(await read_body(request, _MAX_FORM, seconds=_PATIENCE))
    except (BodyTooLargeError, BodyIncompleteError):
        raise errors.not_pushed() from None


def _read(text: bytes) -> Mapping[str, str]:
    """Parameters, each once (RFC 6749 §3.1); those without a value are left out."""
    try:
        pairs = parse_qsl(
            text.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(text),
            errors="strict",
            max_num_fields=_MAX_FIELDS,
        )
    except ValueError:
        raise errors.not_pushed() from None
    if len({name for name, _ in pairs}) < len(pairs) or any("\0" in value for _, value in pairs):
        raise errors.not_pushed()
    return {name: value for name, value in pairs if value}
