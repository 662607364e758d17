"""What a person's browser keeps: the session, the sign-in that is under way, and that the device is known."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Self, TypeAlias
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import Response

from lienthong.identity.people.domain.sessions import Origin
from lienthong.identity.people.service.recording import itself
from lienthong.identity.people.service.sessions import Begun, Sessions, SignedIn
from lienthong.identity.settings import IdentitySettings
from lienthong.kit.clock import Clock
from lienthong.kit.text import BilingualText
from lienthong.pages.addresses import address_of
from lienthong.pages.cookies import Cookies
from lienthong.pages.forms import Forms
from lienthong.pages.frame import Frame
from lienthong.pages.paths import local_path
from lienthong.relying.attempts import AttemptCookies

SESSION: Final = "session"
SIGN_IN: Final = "sign-in"
PASSKEY: Final = "passkey-sign-in"
DEVICE: Final = "device"
HINT: Final = "login-hint"
UPSTREAM: Final = "upstream-"
"""Begins the name of the cookie of each sign-in at another provider that is under way."""
ACCOUNT: Final = "/account"
_NEXT: Final = re.compile(r"/(?:authorize\?.*|account(?:[/?].*)?)")


class NobodySignedInError(Exception):
    """The page is for somebody who is signed in; the application leads to where that is done."""


class BrowserSessions:
    """Sessions as cookies. Each request is looked up anew, so that what was ended elsewhere is ended here."""

    def __init__(self, sessions: Sessions, cookies: Cookies, *, proxies: int) -> None:
        """`proxies` is how many of them, one behind the other, write X-Forwarded-For before these pages."""
        self._sessions = sessions
        self._cookies = cookies
        self._proxies = proxies

    async def read(self, request: Request) -> SignedIn | None:
        """Who sent a request; None where nobody is signed in."""
        token = self._cookies.read(request, SESSION)
        return None if token is None else await self._sessions.check(token)

    def has_session(self, request: Request) -> bool:
        """Whether a request came with a session, be it one that has ended."""
        return self._cookies.read(request, SESSION) is not None

    async def begin(self, request: Request, response: Response, begun: Begun) -> None:
        """Let the browser keep a session that has begun.

        The one that it had before goes on as this one where it is the same person's: applications to which
        the person has signed in do not notice when one of them asks for a new proof. Else it ends.
        """
        before = await self.read(request)
        if before is not None and not await self._sessions.renew(before.session, begun):
            await self._sessions.end(itself(before.account), before.account.id, before.session.id)
        self._cookies.set(response, SESSION, begun.token)
        self._cookies.drop(response, SIGN_IN)
        self._cookies.drop(response, PASSKEY)
        if self.hint(request):
            self._cookies.drop(response, HINT)
        if begun.device is not None:
            lasting = int(self._sessions.rules.device.total_seconds())
            self._cookies.set(response, DEVICE, begun.device, seconds=lasting)

    def end(self, response: Response) -> None:
        """Have the browser forget a session that has ended."""
        self._cookies.drop(response, SESSION)

    async def forget_ended(self, request: Request, response: Response) -> None:
        """Have the browser forget the session that it sent, where that has ended.

        Where it sent none, it may have one all the same: browsers send none with requests of other sites.
        """
        token = self._cookies.read(request, SESSION)
        if token is not None and await self._sessions.check(token) is None:
            self.end(response)

    async def known(self, request: Request) -> SignedIn:
        """Who sent a request.

        Raises:
            NobodySignedInError: nobody is signed in.
        """
        who = await self.read(request)
        if who is None:
            raise NobodySignedInError
        return who

    def keep_sign_in(self, response: Response, token: str, *, alone: bool = False) -> None:
        """Let the browser keep the token of a sign-in that needs something more.

        One by a passkey `alone` begins with each page that offers it, and must not take another's place.
        """
        lasting = int(self._sessions.rules.sign_in.total_seconds())
        self._cookies.set(response, PASSKEY if alone else SIGN_IN, token, seconds=lasting)

    def sign_in(self, request: Request, *, alone: bool = False) -> str:
        """The token of the sign-in that is under way; where there is none, one that nothing is known of."""
        return self._cookies.read(request, PASSKEY if alone else SIGN_IN) or ""

    def keep_hint(self, response: Response, login: str) -> None:
        """Keep for the sign-in that follows whom an application expects. In an address a login would lie in
        the logs of proxies and in the browser's history."""
        lasting = int(self._sessions.rules.sign_in.total_seconds())
        self._cookies.set(response, HINT, quote(login, safe=""), seconds=lasting)

    def hint(self, request: Request) -> str:
        """Whom an application expects; "" where none has said so."""
        return unquote(self._cookies.read(request, HINT) or "", errors="replace")

    def device(self, request: Request) -> str | None:
        """What the browser was given when somebody signed in last."""
        return self._cookies.read(request, DEVICE)

    def origin(self, request: Request) -> Origin:
        """Where a request comes from: the address that the outermost of our own proxies saw."""
        return Origin.of(address_of(request, self._proxies), request.headers.get("user-agent", ""))


Asking: TypeAlias = Callable[[str], Awaitable[BilingualText | None]]
"""The name of the application to which a path leads on; None where it leads to none."""


async def nobody_asks(_: str) -> BilingualText | None:
    """Where there are no applications."""
    return None


@dataclass(frozen=True, slots=True)
class Web:
    """What every page of this origin is made with."""

    frame: Frame
    forms: Forms
    browser: BrowserSessions
    clock: Clock
    origin: str
    attempts: AttemptCookies
    asking: Asking

    @classmethod
    def of(
        cls, settings: IdentitySettings, sessions: Sessions, clock: Clock, asking: Asking = nobody_asks
    ) -> Self:
        """For the address that the settings name."""
        cookies = Cookies(settings.people_url)
        forms = Forms(settings.people_url, cookies)
        frame = Frame("lienthong.identity.pages", forms, place=settings.instance)
        browser = BrowserSessions(sessions, cookies, proxies=settings.identity_pages_proxies)
        attempts = AttemptCookies(cookies, UPSTREAM)
        return cls(frame, forms, browser, clock, settings.people_url, attempts, asking)


def next_path(text: str | None) -> str:
    """Where to go after signing in: `/authorize?…`, `/account…`, and for anything else the own account."""
    path = local_path(text or "")
    return path if path is not None and _NEXT.fullmatch(path) else ACCOUNT
