"""Authorization requests as applications push them (RFC 9126 §2.1): what is read of one, and what it asks.

Nothing is taken from the browser but the reference to a pushed request: what it asks has been said by an
application that proved itself, and nobody on the way can change it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias
from urllib.parse import urlencode

import msgspec

from lienthong.identity.domain.scopes import (
    CONSOLE,
    CONSOLE_SCOPES,
    DELEGATED_SCOPES,
    PEOPLE_SCOPES,
    granted_scopes,
)
from lienthong.identity.openid import errors
from lienthong.identity.openid.domain.applications import Application

REQUEST_LIFETIME: Final = timedelta(minutes=10)
"""As long as a sign-in may take: the browser comes back with the same reference."""
CODE_LIFETIME: Final = timedelta(seconds=60)
REFERENCE: Final = "urn:ietf:params:oauth:request_uri:"
PROMPTS: Final = ("none", "login")
LONGEST: Final = 512
"""Characters of `state` and `nonce`."""
_LONGEST_HINT: Final = 254
_MOST_SECONDS: Final = 10**9
_S256: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER: Final = re.compile(r"[A-Za-z0-9\-._~]{43,128}")
_PRINTABLE: Final = re.compile(r"[\x20-\x7e]*")


class AuthorizationRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What an application asks for; stored as JSON until the browser has come."""

    redirect_uri: str
    scopes: tuple[str, ...]
    challenge: str
    """BASE64URL(SHA-256(verifier)), RFC 7636 §4.2."""
    state: str | None = None
    nonce: str | None = None
    prompt: str | None = None
    max_age: int | None = None
    """Seconds since the person proved who it is."""
    login_hint: str | None = None
    ui_locales: str | None = None
    subject: str | None = None
    """Whom `id_token_hint` names: nobody else's sign-in is an answer."""
    key: str | None = None
    """The RFC 7638 thumbprint of the DPoP key that the code is bound to (RFC 9449 §10)."""

    def language(self, known: Sequence[str]) -> str | None:
        """The first of the languages that `ui_locales` prefers (RFC 5646 tags) which is one of `known`."""
        tags = (self.ui_locales or "").lower().split()
        return next((one for tag in tags if (one := tag.partition("-")[0]) in known), None)

    def needs_sign_in(self, signed_in_at: datetime | None, asked_at: datetime, now: datetime) -> bool:
        """Whether the person has to prove anew who it is (OpenID Connect Core §3.1.2.3)."""
        if signed_in_at is None:
            return True
        if self.prompt == "login" and signed_in_at < asked_at:
            return True
        if self.max_age is None:
            return False
        # A sign-in for this very request is always recent enough, however little is allowed.
        return now - signed_in_at > timedelta(seconds=self.max_age) and signed_in_at < asked_at


Parameters: TypeAlias = Mapping[str, str]


def read_request(form: Parameters, application: Application, subject: str | None) -> AuthorizationRequest:
    """Read the parameters of a pushed request; `subject` is whom its `id_token_hint` names.

    Raises:
        TokenError: a parameter is missing, or asks for what is not offered.
    """
    for name in ("request_uri", "request"):
        if name in form:
            raise errors.no_request_objects(name)
    if form.get("response_type") != "code":
        raise errors.only_code("response_type" in form)
    if form.get("response_mode", "query") != "query":
        raise errors.wrong("response_mode", "query")
    redirect = form.get("redirect_uri")
    if redirect is None or not application.takes(redirect):
        raise errors.unknown_redirect()
    if form.get("code_challenge_method") != "S256":
        raise errors.wrong("code_challenge_method", "S256")
    if _S256.fullmatch(form.get("code_challenge", "")) is None:
        value = "BASE64URL(SHA-256(code_verifier))"
        raise errors.unfit("code_challenge", f"{value}, 43 characters", f"{value}, 43 ký tự")
    prompt = form.get("prompt")
    if prompt is not None and prompt not in PROMPTS:
        raise errors.unfit("prompt", "none or login", "none hoặc login")
    key = form.get("dpop_jkt")
    if key is not None and _S256.fullmatch(key) is None:
        raise errors.unfit(
            "dpop_jkt",
            "an RFC 7638 thumbprint, 43 characters",
            "dấu vân tay của khoá theo RFC 7638, 43 ký tự",
        )
    return AuthorizationRequest(
        redirect_uri=redirect,
        scopes=_scopes(form.get("scope"), application),
        challenge=form["code_challenge"],
        state=_bounded(form, "state", LONGEST),
        nonce=_bounded(form, "nonce", LONGEST),
        prompt=prompt,
        max_age=_seconds(form.get("max_age")),
        login_hint=_bounded(form, "login_hint", _LONGEST_HINT),
        ui_locales=_bounded(form, "ui_locales", LONGEST),
        subject=subject,
        key=key,
    )


def is_verifier(text: str) -> bool:
    """Whether a text has the form of a `code_verifier` (RFC 7636 §4.1)."""
    return _VERIFIER.fullmatch(text) is not None


def sent_back(redirect_uri: str, parameters: Mapping[str, str | None]) -> str:
    """The address to which a browser is sent with an answer (RFC 6749 §4.1.2)."""
    said = {name: value for name, value in parameters.items() if value is not None}
    return f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(said)}"


def _scopes(asked: str | None, application: Application) -> tuple[str, ...]:
    allowed: tuple[str, ...] = CONSOLE_SCOPES if application.client_id == CONSOLE else PEOPLE_SCOPES
    if application.acts_for_people:
        allowed += DELEGATED_SCOPES
    scopes = granted_scopes(asked, allowed) if asked is not None else ()
    if "openid" not in scopes:
        raise errors.no_openid()
    return scopes


def _bounded(form: Parameters, name: str, most: int) -> str | None:
    value = form.get(name)
    if value is not None and (len(value) > most or _PRINTABLE.fullmatch(value) is None):
        raise errors.unfit(
            name, f"at most {most} printable ASCII characters", f"tối đa {most} ký tự ASCII in được"
        )
    return value


def _seconds(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(_MOST_SECONDS))):
        raise errors.unfit("max_age", "a number of seconds", "số giây, chỉ gồm chữ số")
    return int(text)


@dataclass(frozen=True, slots=True)
class PushedRequest:
    """A pushed request that waits for the browser."""

    client_id: str
    request: AuthorizationRequest
    asked_at: datetime
    expires_at: datetime
