"""A sign-in that is under way, and how a browser keeps it."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lienthong.kit.jws import base64url

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from lienthong.pages.cookies import Cookies

ATTEMPT_S: Final = 600
"""Seconds for which a browser keeps an attempt."""
MOST_ATTEMPTS: Final = 5
"""Sign-ins under way in one browser, each in a tab of its own; the oldest is forgotten."""
_STATE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_NAMED_BY: Final = 16


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in that is under way. All follows from the secret, which the browser keeps in a cookie."""

    secret: str

    @classmethod
    def new(cls) -> Attempt:
        """Another one."""
        return cls(secrets.token_urlsafe(32))

    @property
    def state(self) -> str:
        """What comes back with the answer."""
        return self._derived("state")

    @property
    def nonce(self) -> str:
        """What the ID token has to carry."""
        return self._derived("nonce")

    @property
    def verifier(self) -> str:
        """The `code_verifier`; its challenge is what the provider is told first (RFC 7636 §4.2)."""
        return self._derived("verifier")

    @property
    def challenge(self) -> str:
        """The `code_challenge`."""
        return base64url(hashlib.sha256(self.verifier.encode()).digest())

    def _derived(self, what: str) -> str:
        return base64url(hashlib.sha256(f"{what} {self.secret}".encode("utf-8", "surrogatepass")).digest())


class AttemptCookies:
    """Attempts as cookies, one for each tab: an answer is taken in the browser that has asked, and in no
    other."""

    def __init__(self, cookies: Cookies, beginning: str) -> None:
        """`beginning` begins the name of each cookie; the beginning of the attempt's `state` follows."""
        self._cookies = cookies
        self._beginning = beginning
        self._own = re.compile(rf"{re.escape(beginning)}[A-Za-z0-9_-]{{{_NAMED_BY}}}")

    def keep(self, request: Request, response: Response, attempt: Attempt) -> None:
        """Have the browser keep an attempt; of too many the oldest is forgotten."""
        # Browsers send those first that they have had the longest (RFC 6265 §5.4).
        known = [one for one in self._cookies.names(request, self._beginning) if self._own.fullmatch(one)]
        for name in known[: max(0, len(known) - MOST_ATTEMPTS + 1)]:
            self._cookies.drop(response, name)
        self._cookies.set(response, self._named(attempt.state), attempt.secret, seconds=ATTEMPT_S)

    def find(self, request: Request, state: str) -> Attempt | None:
        """The attempt of this browser to which an answer with this `state` belongs."""
        if not _STATE.fullmatch(state):
            return None
        secret = self._cookies.read(request, self._named(state))
        attempt = Attempt(secret) if secret else None
        return attempt if attempt is not None and hmac.compare_digest(state, attempt.state) else None

    def drop(self, response: Response, state: str) -> None:
        """Have the browser forget an attempt."""
        self._cookies.drop(response, self._named(state))

    def _named(self, state: str) -> str:
        return f"{self._beginning}{state[:_NAMED_BY]}"
