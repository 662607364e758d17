"""An application of pages by itself: its forms, failures and headers, whatever the pages are about."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httpx
import pytest
from fastapi import APIRouter, Request
from starlette.responses import Response

from lienthong.kit.problems import ProblemError, general
from lienthong.kit.text import BilingualText
from lienthong.pages.app import create_page_app
from lienthong.pages.cookies import Cookies
from lienthong.pages.forms import TOKEN_FIELD, Forms
from lienthong.pages.frame import Frame

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ORIGIN = "https://account.example"


@pytest.fixture
async def browser() -> AsyncIterator[httpx.AsyncClient]:
    forms = Forms(ORIGIN, Cookies(ORIGIN))
    frame = Frame("lienthong.pages", forms, place="VN-BTN")
    app = create_page_app("A test", frame, origin=ORIGIN)
    router = APIRouter()

    @router.get("/onward")
    async def onward(request: Request) -> Response:
        return frame.onward(request, "https://elsewhere.example/?a=1&b=<2>")

    @router.post("/echo")
    async def echo(request: Request) -> Response:
        return Response(repr(sorted((await forms.read(request)).items())))

    @router.get("/broken")
    async def broken() -> Response:
        raise RuntimeError("secret of the house")

    @router.get("/busy")
    async def busy() -> Response:
        text = BilingualText("Too many at once.", "Quá nhiều cùng lúc.")
        raise ProblemError(general.BUSY, text, {"Retry-After": "2"})

    @router.get("/closed")
    async def closed() -> Response:
        text = BilingualText("It is closed.", "Trang này đang đóng.")
        advice = BilingualText("Come back on Monday.", "Hãy quay lại vào thứ hai.")
        raise ProblemError(general.BUSY, text, other_advice=advice)

    app.include_router(router)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        yield client


async def token(browser: httpx.AsyncClient) -> str:
    page = await browser.get("/onward")
    found = re.search(f'name="{TOKEN_FIELD}" value="([0-9a-f]+)"', page.text)
    assert found is not None
    return found[1]


async def test_a_form_of_our_own_page_is_read(browser: httpx.AsyncClient) -> None:
    form = {TOKEN_FIELD: await token(browser), "name": "Nguyễn An", "empty": ""}
    answer = await browser.post("/echo", data=form)
    assert answer.text == "[('empty', ''), ('name', 'Nguyễn An')]"
    again = await browser.post("/echo", data={TOKEN_FIELD: await token(browser)})
    assert (again.status_code, form[TOKEN_FIELD]) == (200, await token(browser))


@pytest.mark.parametrize(
    ("headers", "changed"),
    [
        ({"Origin": "https://evil.example"}, {}),
        ({"Sec-Fetch-Site": "cross-site"}, {}),
        ({"Sec-Fetch-Site": "same-site"}, {}),
        ({}, {TOKEN_FIELD: "0" * 64}),
        ({}, {TOKEN_FIELD: "ế"}),
    ],
)
async def test_a_form_from_elsewhere_is_refused_in_words(
    browser: httpx.AsyncClient, headers: dict[str, str], changed: dict[str, str]
) -> None:
    form = {TOKEN_FIELD: await token(browser), **changed}
    answer = await browser.post("/echo", data=form, headers=headers)
    assert (answer.status_code, answer.headers["lgsp-error"]) == (403, "form-refused")
    assert "Biểu mẫu không được chấp nhận" in answer.text


async def test_the_way_on_is_escaped(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/onward")
    assert 'content="0; url=https://elsewhere.example/?a=1&amp;b=&lt;2&gt;"' in page.text


async def test_what_breaks_says_nothing_of_the_inside(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/broken")
    assert (page.status_code, page.headers["lgsp-error"]) == (500, "internal-error")
    assert "secret of the house" not in page.text
    assert page.headers["lgsp-transaction-id"] in page.text
    assert page.headers["cache-control"] == "no-store"


async def test_a_script_of_a_page_gets_a_problem_document(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/busy")
    assert (page.status_code, page.headers["retry-after"]) == (503, "2")
    assert page.headers["content-type"].startswith("text/html")
    told = await browser.get("/busy", headers={"Accept": "application/json"})
    assert (told.status_code, told.json()["detail_vi"]) == (503, "Quá nhiều cùng lúc.")


async def test_a_problem_is_told_in_the_language_that_was_chosen(browser: httpx.AsyncClient) -> None:
    form = {TOKEN_FIELD: await token(browser), "language": "en", "theme": "dark", "back": "/busy"}
    answer = await browser.post("/preferences", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/busy")
    page = await browser.get("/busy")
    assert '<html lang="en" data-bs-theme="dark">' in page.text
    assert "Too many at once." in page.text


async def test_the_advice_of_this_time_stands_in_for_that_of_the_kind(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/closed")).text
    assert "Hãy quay lại vào thứ hai." in page
    assert general.BUSY.advice.vi not in page
    assert general.BUSY.advice.vi in (await browser.get("/busy")).text


async def test_a_file_is_packed_for_who_takes_it(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/onward")
    address = page.text.split('href="')[2].split('"')[0]
    packed = await browser.get(address)
    plain = await browser.get(address, headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content
    assert plain.headers["vary"] == "Accept-Encoding"
