"""Going from page to page as somebody does who has turned scripts off: links, forms, cookies."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import urljoin

import httpx

if TYPE_CHECKING:
    from types import TracebackType

_TIMEOUT_S: Final = 30.0
_ONWARD: Final = re.compile(r'http-equiv="refresh" content="0; url=([^"]+)"')


class PageError(Exception):
    """A page is not there, or lacks the form that was to be filled in."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page that was opened: where it is, and what each of its forms would send, by the form's address."""

    url: str
    text: str
    forms: dict[str, dict[str, str]]


class Browser:
    """One person's browser.

    Its methods raise `PageError`.
    """

    def __init__(self) -> None:
        self._http = httpx.Client(follow_redirects=True, timeout=_TIMEOUT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def open(self, address: str) -> Page:
        """Go to an address, and on to where it leads."""
        return self._opened("GET", address)

    def send(self, page: Page, action: str, **typed: str) -> Page:
        """Fill in the form of a page that leads to `action`, and send it."""
        if action not in page.forms:
            raise PageError(f"{page.url}: no form that leads to {action}")
        address = urljoin(page.url, action)
        return self._opened("POST", address, page.forms[action] | typed)

    def _opened(self, method: str, address: str, sent: dict[str, str] | None = None) -> Page:
        origin = httpx.URL(address).copy_with(raw_path=b"")
        said = {"Origin": str(origin), "Sec-Fetch-Site": "same-origin"} if sent is not None else {}
        try:
            answer = self._http.request(method, address, data=sent, headers=said)
        except httpx.HTTPError as error:
            raise PageError(f"{address}: {error!r}") from error
        if answer.is_error:
            raise PageError(f"{answer.url}: {answer.status_code}")
        onward = _ONWARD.search(answer.text)
        if onward is not None:
            return self._opened("GET", urljoin(str(answer.url), unescape(onward[1])))
        reader = _Reader()
        reader.feed(answer.text)
        return Page(str(answer.url), answer.text, reader.forms)


class _Reader(HTMLParser):
    """Reads the forms of a page that are posted; of several with one address the first."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: dict[str, dict[str, str]] = {}
        self._inside: dict[str, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = {}
            if given.get("method") == "post":
                self.forms.setdefault(given["action"], self._inside)
        elif tag in ("input", "textarea") and self._inside is not None and "name" in given:
            self._inside[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = None
