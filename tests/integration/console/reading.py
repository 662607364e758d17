"""What somebody without scripts finds on a page: forms with what they would send, links, and texts."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx


@dataclass
class Form:
    """A form of a page, with the values that its fields have."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self._inside: Form | None = None
        self._text_of: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = Form(given["action"], given["method"])
            self.forms.append(self._inside)
        elif tag in ("a", "link", "script") and (address := given.get("href") or given.get("src")):
            self.links.append(address)
        elif tag in ("input", "textarea") and self._inside is not None and "name" in given:
            if given.get("type") != "checkbox" or "checked" in given:
                self._inside.fields[given["name"]] = given.get("value", "")
            self._text_of = given["name"] if tag == "textarea" else None
        elif tag == "option" and self._inside is not None and "selected" in given:
            self._inside.fields["agency"] = given.get("value", "")

    def handle_data(self, data: str) -> None:
        if self._inside is not None and self._text_of is not None:
            self._inside.fields[self._text_of] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._text_of = None
        if tag == "form":
            self._inside = None


def forms_of(page: httpx.Response) -> dict[str, Form]:
    """The forms of a page that are posted, by their address; of several with one address the first."""
    return {form.action: form for form in reversed(_read(page).forms) if form.method == "post"}


def links_of(page: httpx.Response) -> list[str]:
    """Where a page leads to: by links, styles, scripts, and forms that only look something up."""
    found = _read(page)
    return [*found.links, *(form.action for form in found.forms if form.method == "get")]


def _read(page: httpx.Response) -> _Page:
    reader = _Page()
    reader.feed(page.text)
    return reader
