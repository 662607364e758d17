"""Forms that a browser sends: bounded, read strictly, and only from our own pages.

A form of another site is refused twice over: by what the browser says of where it comes from
(`Sec-Fetch-Site`, `Origin`), and because it lacks the token that our pages put into their forms, which is
made of a cookie that no other site can read or set.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from lienthong.kit.bodies import BodyIncompleteError, BodyTooLargeError, read_body
from lienthong.kit.problems import ProblemError, general, people
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from lienthong.pages.cookies import Cookies

TOKEN_FIELD: Final = "form_token"  # noqa: S105 - a name
MAX_FORM: Final = 32 * 1024
"""Bytes of a form; the largest is the answer of a passkey, of up to 16 KiB before it is escaped."""
MAX_FIELDS: Final = 20
_COOKIE: Final = "form"
_FORM: Final = "application/x-www-form-urlencoded"
_PATIENCE: Final = 30.0
_SCOPE: Final = "lienthong.form_cookie"


class Forms:
    """Forms of the pages of one origin."""

    def __init__(self, origin: str, cookies: Cookies) -> None:
        self._origin = origin
        self._cookies = cookies

    def token(self, request: Request) -> str:
        """What a form on a page for this request has to carry in its field `form_token`."""
        return _derived(self._secret(request))

    def keep(self, request: Request, response: Response) -> None:
        """Give the browser the cookie that tokens are made of, where a token was made and it has none."""
        made = request.scope.get(_SCOPE)
        if made is not None:
            self._cookies.set(response, _COOKIE, made)

    async def read(
        self, request: Request, *, limit: int = MAX_FORM, fields: int = MAX_FIELDS
    ) -> Mapping[str, str]:
        """The fields of a form that one of our own pages sent, each given once, without its token.

        It has at most `limit` bytes and so many `fields`.

        Raises:
            ProblemError: 403 `form-refused`, it comes from elsewhere or its page is too old; 415
                `unsupported-media-type`; 413 `request-too-large`; 400 `malformed-request`; 408
                `request-timeout`.
        """
        self._check_origin(request)
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
            raise ProblemError(
                general.UNSUPPORTED_MEDIA_TYPE,
                BilingualText("Only a form of this page is taken.", "Chỉ nhận biểu mẫu của trang này."),
            )
        secret = self._cookies.read(request, _COOKIE)
        if secret is None:
            raise _refused()
        found = _fields(await _body(request, limit), fields)
        given = found.pop(TOKEN_FIELD, "")
        if not hmac.compare_digest(_derived(secret).encode(), given.encode()):
            raise _refused()
        return found

    def _secret(self, request: Request) -> str:
        secret = self._cookies.read(request, _COOKIE) or request.scope.get(_SCOPE)
        if secret is None:
            secret = request.scope[_SCOPE] = secrets.token_urlsafe(32)
        return str(secret)

    def _check_origin(self, request: Request) -> None:
        """Refuse what a browser says comes from elsewhere (Fetch Metadata §2.2, RFC 6454 §7)."""
        site = request.headers.get("sec-fetch-site")
        origin = request.headers.get("origin")
        if site not in (None, "same-origin") or origin not in (None, self._origin):
            raise _refused()


def _derived(secret: str) -> str:
    """The token: it tells nobody the cookie."""
    return hmac.new(secret.encode("utf-8", "surrogatepass"), b"lienthong form", hashlib.sha256).hexdigest()


async def _body(request: Request, limit: int) -> bytes:
    try:
        return await read_body(request, limit, seconds=_PATIENCE)
    except BodyTooLargeError:
        text = BilingualText(f"A form has at most {limit} bytes.", f"Biểu mẫu dài tối đa {limit} byte.")
        raise ProblemError(general.REQUEST_TOO_LARGE, text, {"Connection": "close"}) from None
    except BodyIncompleteError:
        raise _unreadable() from None


def _fields(body: bytes, most: int) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=most,
        )
    except ValueError:
        raise _unreadable() from None
    fields = dict(pairs)
    if len(fields) < len(pairs) or any("\0" in value for value in fields.values()):
        raise _unreadable()
    return fields


def _unreadable() -> ProblemError:
    return ProblemError(
        general.MALFORMED_REQUEST,
        BilingualText("The form cannot be read.", "Không đọc được biểu mẫu."),
    )


def _refused() -> ProblemError:
    return ProblemError(
        people.FORM_REFUSED,
        BilingualText(
            "The form was not sent from a page of this address that is still open.",
            "Biểu mẫu không được gửi từ một trang còn hiệu lực của địa chỉ này.",
        ),
    )
