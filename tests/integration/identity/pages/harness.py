"""The pages of an identity inside the test, and a browser without scripts: cookies, forms, redirects."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import httpx

from lienthong.identity.bootstrap import create_pages
from tests.integration.identity.harness import settings_for
from tests.integration.identity.people.harness import Office, an_office

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

PEOPLE = "https://account.example"
LOGIN = "an.nguyen@example.gov.vn"
NAME = "Nguyễn Văn An"


@dataclass
class Form:
    """A form of a page, with the values that its fields have."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            assert given["method"] == "post"
            self.found.append(Form(given["action"]))
        elif tag == "input":
            self.found[-1].fields[given["name"]] = given.get("value", "")


def forms_of(page: httpx.Response) -> dict[str, Form]:
    """The forms of a page by their address; of several with one address the first."""
    reader = _Forms()
    reader.feed(page.text)
    return {form.action: form for form in reversed(reader.found)}


@dataclass
class Browser:
    """Somebody's browser, with scripts turned off."""

    http: httpx.AsyncClient
    page: httpx.Response | None = None

    async def open(self, path: str) -> httpx.Response:
        self.page = await self.http.get(path)
        return self.page

    async def send(self, action: str, **typed: str) -> httpx.Response:
        """Fill in the form of the page that leads to `action`, and send it."""
        assert self.page is not None
        form = forms_of(self.page)[action]
        self.page = await self.post(action, form.fields | typed)
        return self.page

    async def post(self, action: str, fields: dict[str, str], **headers: str) -> httpx.Response:
        sent = {"Origin": PEOPLE, "Sec-Fetch-Site": "same-origin", **headers}
        return await self.http.post(action, data=fields, headers=sent)

    def text(self, pattern: str) -> str:
        """What the page says at the group of a pattern."""
        assert self.page is not None
        found = re.search(pattern, self.page.text)
        assert found is not None, self.page.text
        return found[1]


@dataclass
class Desk:
    """Accounts, and their pages."""

    office: Office
    app: object

    @asynccontextmanager
    async def browser(self, address: str = "192.0.2.1") -> AsyncIterator[Browser]:
        transport = httpx.ASGITransport(app=self.app, client=(address, 40_000))  # type: ignore[arg-type]
        async with httpx.AsyncClient(
            transport=transport, base_url=PEOPLE, follow_redirects=True, headers={"User-Agent": "Firefox"}
        ) as http:
            yield Browser(http)

    async def first_administrator(self, browser: Browser, password: str) -> None:
        """Make the first account, by its link."""
        link = await self.office.core.people.people.administrator_link()
        await browser.open("/invitation")
        await browser.send("/invitation/open", link=f"{PEOPLE}/invitation#{link.token}")
        page = await browser.send("/invitation/accept", login=LOGIN, name=NAME, password=password)
        assert page.url.path == "/sign-in", page.text


@asynccontextmanager
async def a_desk(folder: Path, database_url: str) -> AsyncIterator[Desk]:
    settings = settings_for(folder, database_url, people_url=PEOPLE)
    async with an_office(folder, database_url, settings=settings) as office:
        yield Desk(office, create_pages(settings, office.core))
