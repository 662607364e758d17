"""What a person's browser meets: signing in on the way to an application, signing out, refusals."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import httpx
import pytest

from lienthong.kit.policy import Grant, Role
from tests.integration.identity.openid.harness import CALLBACK, SIGNED_OUT, answer_of
from tests.integration.identity.people.harness import LAND, PASSWORD

if TYPE_CHECKING:
    from tests.integration.identity.openid.harness import Place, Relying
    from tests.integration.identity.pages.harness import Browser

OWNER = Grant(Role.DATA_OWNER, LAND)


def at(application: Relying, reference: str) -> str:
    return "/authorize?" + urlencode({"client_id": application.client_id, "request_uri": reference})


async def went(browser: Browser, path: str) -> httpx.Response:
    """One step, without following where it leads."""
    return await browser.http.get(path, follow_redirects=False)


async def signed_in(place: Place, browser: Browser, application: Relying) -> str:
    """Somebody signs in on the way to an application; gives the code."""
    person = await place.office.person("an", OWNER)
    page = await browser.open(at(application, await application.reference()))
    assert page.url.path == "/sign-in"
    onward = await browser.send("/sign-in", login=person.account.login, password=PASSWORD)
    (address,) = re.findall(r'http-equiv="refresh" content="0; url=([^"]+)"', onward.text)
    back = await went(browser, html.unescape(address))
    assert (back.status_code, back.headers["cache-control"]) == (303, "no-store")
    assert back.headers["location"].startswith(f"{CALLBACK}?code=")
    used = (await went(browser, html.unescape(address))).text
    assert "<h1>Lượt đăng nhập đã hết hạn hoặc đã được dùng</h1>" in used
    assert used.count("quay lại ứng dụng") == 1
    return answer_of(back.headers["location"])["code"]


async def test_a_person_signs_in_once_for_several_applications(place: Place) -> None:
    application, other = await place.application(), await place.other()
    async with place.browser() as browser:
        code = await signed_in(place, browser, application)
        found = (await application.redeem(code)).json()
        assert (await application.userinfo(found["access_token"])).json()["name"] == "An"
        back = await went(browser, at(other, await other.reference(prompt="none")))
        assert (await other.redeem(answer_of(back.headers["location"])["code"])).status_code == 200


async def test_the_page_knows_whom_the_application_expects_and_in_which_language(place: Place) -> None:
    application = await place.application()
    hints = {"login_hint": "an+1@example.vn", "ui_locales": "fr-CA en-GB vi"}
    async with place.browser() as browser:
        page = await browser.open(at(application, await application.reference(**hints)))
        assert 'value="an+1@example.vn"' in page.text
        assert not any("example.vn" in str(one.url.raw_path) for one in (*page.history, page))
        assert 'value="an+1' not in (await browser.open("/sign-in")).text
        assert "Password" in page.text
        await browser.open(at(application, await application.reference(ui_locales="vi")))
        # The language that the browser has by now is the person's.
        assert "Password" in browser.text(r"(Password)")


async def test_a_form_to_the_authorization_endpoint_becomes_the_same_with_get(place: Place) -> None:
    application = await place.application()
    reference = await application.reference()
    async with place.browser() as browser:
        form = {"client_id": application.client_id, "request_uri": reference, "scope": "openid"}
        answer = await browser.http.post("/authorize", data=form, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, at(application, reference))


NOT_PUSHED = [
    "",
    "client_id=H11.01%2Fone-stop",
    "request_uri=urn:ietf:params:oauth:request_uri:x",
    "client_id=H11.01%2Fone-stop&request_uri=R&request_uri=R",
    "client_id=H11.01%2Fone-stop&client_id=H11.05%2Fland&request_uri=R",
    "client_id=H11.01%2Fone-stop&request_uri=R&state=a&state=b",
    "client_id=H11.01%2Fone-stop&request_uri=R&x=" + "y" * 17_000,
    "response_type=code&client_id=H11.01%2Fone-stop&redirect_uri=https%3A%2F%2Fevil.example&scope=openid",
]
NO_REFERENCE = [
    "client_id=H11.01%2Fone-stop&request_uri=https%3A%2F%2Fevil.example%2Frequest.jwt",
    "client_id=H11.01%2Fone-stop&request_uri=urn:ietf:params:oauth:request_uri:" + "x" * 43,
    "client_id=H11.01%2Fone-sto%D1%80&request_uri=R",
    "client_id=H11.05%2Fland&request_uri=R",
    "client_id=H11.01%2FONE-STOP&request_uri=R",
    "client_id=H11.01%2Fone-stop&request_uri=R%20",
]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        *((query, "application-request-refused") for query in NOT_PUSHED),
        *((query, "application-sign-in-over") for query in NO_REFERENCE),
    ],
)
async def test_what_no_application_stands_behind_is_told_and_sends_nobody_anywhere(
    place: Place, query: str, code: str
) -> None:
    application = await place.application()
    await place.other()
    reference = await application.reference()
    async with place.browser() as browser:
        answer = await went(browser, "/authorize?" + query.replace("=R", f"={reference}"))
        assert answer.status_code == 400, answer.headers
        assert "location" not in answer.headers
        assert answer.headers["lgsp-error"] == code
        # The genuine one is as good as before.
        assert (await went(browser, at(application, reference))).headers["location"].startswith("/sign-in")


@pytest.mark.parametrize(
    "query",
    [
        "client_id=H11.01%2Fone-stop%00&request_uri=R",
        "client_id=H11.01%2Fone-stop&request_uri=R%00",
        "client_id=%ff&request_uri=R",
    ],
)
async def test_what_is_no_text_is_refused_before_it_is_looked_at(place: Place, query: str) -> None:
    await place.application()
    async with place.browser() as browser:
        answer = await went(browser, f"/authorize?{query}")
        assert (answer.status_code, answer.headers["lgsp-error"]) == (400, "malformed-request")
        assert "location" not in answer.headers


async def test_signing_out_with_an_id_token_leads_back(place: Place) -> None:
    application = await place.application()
    async with place.browser() as browser:
        found = (await application.redeem(await signed_in(place, browser, application))).json()
        asked = {
            "id_token_hint": found["id_token"],
            "post_logout_redirect_uri": SIGNED_OUT,
            "state": "bye",
        }
        page = await browser.open("/end-session?" + urlencode(asked))
        assert f'url={SIGNED_OUT}?state=bye"' in html.unescape(page.text)
        assert await application.introspect(found["access_token"]) == {"active": False}
        again = await went(browser, at(application, await application.reference()))
        assert again.headers["location"].startswith("/sign-in")


async def test_without_an_id_token_the_person_is_asked(place: Place) -> None:
    application = await place.application()
    async with place.browser() as browser:
        found = (await application.redeem(await signed_in(place, browser, application))).json()
        asked = {"client_id": application.client_id, "post_logout_redirect_uri": SIGNED_OUT}
        page = await browser.open("/end-session?" + urlencode(asked))
        assert "Bạn muốn đăng xuất?" in page.text
        assert (await application.introspect(found["access_token"]))["active"]
        forged = await browser.post("/end-session/confirm", asked)
        assert (forged.status_code, forged.headers["lgsp-error"]) == (403, "form-refused")
        page = await browser.send("/end-session/confirm")
        assert f'url={SIGNED_OUT}"' in page.text
        assert await application.introspect(found["access_token"]) == {"active": False}


async def test_signing_out_leads_nowhere_that_is_not_registered(place: Place) -> None:
    application, other = await place.application(), await place.other()
    async with place.browser() as browser:
        found = (await application.redeem(await signed_in(place, browser, application))).json()
        hint = {"id_token_hint": found["id_token"]}
        for wrong in (
            {**hint, "post_logout_redirect_uri": "https://evil.example/"},
            {**hint, "post_logout_redirect_uri": f"{SIGNED_OUT}?next=https://evil.example"},
            {**hint, "post_logout_redirect_uri": CALLBACK},
            {**hint, "client_id": other.client_id, "post_logout_redirect_uri": SIGNED_OUT},
            {"post_logout_redirect_uri": SIGNED_OUT},
            {"id_token_hint": found["access_token"], "post_logout_redirect_uri": SIGNED_OUT},
            {"id_token_hint": found["id_token"][:-8] + "AAAAAAAA"},
            {"id_token_hint": "x"},
        ):
            answer = await went(browser, "/end-session?" + urlencode(wrong))
            assert (answer.status_code, answer.headers["lgsp-error"]) == (400, "application-request-refused")
        assert (await application.introspect(found["access_token"]))["active"]


def from_elsewhere(browser: Browser) -> dict[str, str]:
    """What a browser says when a page of another site sends a form; its cookies (`SameSite=Lax`) are gone."""
    browser.http.cookies.clear()
    return {"Origin": "https://one-stop.example.gov.vn", "Sec-Fetch-Site": "cross-site"}


async def test_a_form_of_another_site_signs_nobody_out_and_takes_no_session_away(place: Place) -> None:
    application = await place.application()
    async with place.browser() as browser:
        found = (await application.redeem(await signed_in(place, browser, application))).json()
        kept = httpx.Cookies(browser.http.cookies)
        for asked in ({}, {"client_id": application.client_id, "post_logout_redirect_uri": SIGNED_OUT}):
            headers = from_elsewhere(browser)
            answer = await browser.http.post(
                "/end-session", data=asked, headers=headers, follow_redirects=False
            )
            assert answer.status_code == 303
            assert "set-cookie" not in answer.headers
            browser.http.cookies = httpx.Cookies(kept)
            page = await browser.open(answer.headers["location"])
            assert "Bạn muốn đăng xuất?" in page.text
            assert (await application.introspect(found["access_token"]))["active"]
        await browser.send("/end-session/confirm")
        assert await application.introspect(found["access_token"]) == {"active": False}
        assert (await went(browser, "/account")).headers["location"].startswith("/sign-in")


async def test_a_form_of_an_application_that_shows_an_id_token_signs_out(place: Place) -> None:
    application = await place.application()
    async with place.browser() as browser:
        found = (await application.redeem(await signed_in(place, browser, application))).json()
        kept = httpx.Cookies(browser.http.cookies)
        asked = {"id_token_hint": found["id_token"], "post_logout_redirect_uri": SIGNED_OUT, "x": "left out"}
        headers = from_elsewhere(browser)
        answer = await browser.http.post("/end-session", data=asked, headers=headers, follow_redirects=False)
        assert (await application.introspect(found["access_token"]))["active"]
        browser.http.cookies = httpx.Cookies(kept)
        assert "left" not in answer.headers["location"]
        page = await browser.open(answer.headers["location"])
        assert f'url={SIGNED_OUT}"' in html.unescape(page.text)
        assert await application.introspect(found["access_token"]) == {"active": False}


async def test_a_form_too_long_for_an_address_becomes_a_page_that_asks(place: Place) -> None:
    application = await place.application(after_sign_out=(SIGNED_OUT + "a" * 1200,))
    async with place.browser() as browser:
        found = (await application.redeem(await signed_in(place, browser, application))).json()
        kept = httpx.Cookies(browser.http.cookies)
        asked = {
            "id_token_hint": found["id_token"],
            "post_logout_redirect_uri": SIGNED_OUT + "a" * 1200,
            "state": "s" * 500,
        }
        headers = from_elsewhere(browser)
        page = await browser.http.post("/end-session", data=asked, headers=headers, follow_redirects=False)
        assert page.status_code == 200
        assert not any("session=" in one for one in page.headers.get_list("set-cookie"))
        assert (await application.introspect(found["access_token"]))["active"]
        given = httpx.Cookies(browser.http.cookies)
        browser.http.cookies = httpx.Cookies(kept)
        browser.http.cookies.update(given)
        browser.page = page
        page = await browser.send("/end-session/confirm")
        assert "Đang chuyển tiếp" in page.text
        assert await application.introspect(found["access_token"]) == {"active": False}


async def test_a_session_that_an_id_token_ended_is_on_record_for_its_application(place: Place) -> None:
    application = await place.application()
    somebody = await place.signed_in(await place.office.person("an", OWNER))
    found = await application.tokens(somebody)
    async with place.browser() as stranger:
        await stranger.open("/end-session?" + urlencode({"id_token_hint": found["id_token"]}))
    (record,) = await place.records("person.sign-out")
    assert record["actor"] == application.client_id
    assert record["detail"] == {"sessions": [somebody.session.id], "reason": "id-token-hint"}
