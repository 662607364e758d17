"""Cookies of an origin that serves nothing but these pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

LONGEST_COOKIE: Final = 200
"""Characters of a value that is looked at; ours are shorter."""


class Cookies:
    """Cookies that no other host and no path can set or see.

    With https their names begin with `__Host-` (RFC 6265bis §4.1.3.2), so that browsers take them only with
    `Secure`, `Path=/` and without `Domain`. All are `HttpOnly` and `SameSite=Lax`: a link from elsewhere
    finds the person signed in, a form from elsewhere does not.
    """

    def __init__(self, origin: str, *, prefix: str = "") -> None:
        """`origin` is the address of the pages, such as `https://account.example.gov.vn`.

        `prefix` begins the names where other pages may have the same host: cookies do not know ports.
        """
        self._prefix = prefix
        self._secure = origin.startswith("https://")

    def name(self, name: str) -> str:
        """The name as browsers know it."""
        own = f"{self._prefix}{name}"
        return f"__Host-{own}" if self._secure else own

    def read(self, request: Request, name: str) -> str | None:
        """The value that came with a request; None without one, and for one that is too long to be ours."""
        value = request.cookies.get(self.name(name))
        return value if value and len(value) <= LONGEST_COOKIE else None

    def names(self, request: Request, beginning: str) -> list[str]:
        """The names that begin so, of all that came with a request: as `read` takes them, oldest first."""
        whole = self.name(beginning)
        return [beginning + one.removeprefix(whole) for one in request.cookies if one.startswith(whole)]

    def set(self, response: Response, name: str, value: str, *, seconds: int | None = None) -> None:
        """Have the browser keep a value for so many `seconds`, by default until it is closed."""
        response.set_cookie(
            self.name(name), value, max_age=seconds, secure=self._secure, httponly=True, samesite="lax"
        )

    def drop(self, response: Response, name: str) -> None:
        """Have the browser forget a value."""
        response.delete_cookie(self.name(name), secure=self._secure, httponly=True, samesite="lax")
