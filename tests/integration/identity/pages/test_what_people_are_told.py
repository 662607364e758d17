"""Locked, expired, taken, look-alike: each state is said in words on the page, with what to do."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from lienthong.kit.policy import Grant, Role
from tests.integration.identity.pages.harness import forms_of
from tests.integration.identity.people.harness import OPERATOR, PASSWORD

if TYPE_CHECKING:
    from tests.integration.identity.pages.harness import Browser, Desk


async def typed(browser: Browser, login: str, password: str = PASSWORD) -> str:
    """What the page says after login and password."""
    await browser.open("/sign-in")
    return (await browser.send("/sign-in", login=login, password=password)).text


async def test_a_closed_account_says_why_and_whom_to_ask_to_who_knows_the_password_alone(
    desk: Desk, browser: Browser
) -> None:
    person = await desk.office.person("binh")
    await desk.office.core.people.people.suspend(OPERATOR, person.account.id)
    assert "đang bị tạm ngừng" not in await typed(browser, "binh@example.vn", "wrong")
    told = await typed(browser, "binh@example.vn")
    assert "đang bị tạm ngừng" in told
    assert "quản trị viên của cơ quan" in told
    assert "bị khoá" not in told
    await desk.office.person("chi")
    desk.office.clock.advance(timedelta(days=46).total_seconds())
    assert "bị khoá vì đã lâu không đăng nhập" in await typed(browser, "chi@example.vn")


async def test_a_sign_in_that_took_too_long_begins_again_where_it_began(desk: Desk, browser: Browser) -> None:
    person = await desk.office.person("an", Grant(Role.SECURITY_OFFICER, "H11.05"))
    await person.enrol()
    await typed(browser, "an@example.vn")
    assert browser.page is not None
    assert browser.page.url.path == "/sign-in/second-factor"
    desk.office.clock.advance(601)
    page = await browser.send("/sign-in/second-factor", code=person.code())
    assert (page.status_code, "Lượt đăng nhập đã kết thúc" in page.text) == (403, True)
    assert 'name="password"' in page.text
    for path in ("/sign-in/enrol", "/sign-in/enrol?next=/account"):
        assert "Lượt đăng nhập đã kết thúc" in (await browser.open(path)).text


async def test_letters_that_look_like_others_are_named_at_their_field(desk: Desk, browser: Browser) -> None:
    link = await desk.office.core.people.people.administrator_link()
    await browser.open("/invitation")
    await browser.send("/invitation/open", link=link.token)
    # Both begin with a Cyrillic letter.
    page = await browser.send(
        "/invitation/accept", login="аn@example.vn", name="Аn", password="one two three four"
    )
    assert page.status_code == 422
    assert browser.text('id="login-error">([^<]+)<').startswith("Chỉ được dùng ký tự ASCII")
    page = await browser.send("/invitation/accept", login="an@example.vn", password="one two three four")
    assert "U+0410" in browser.text('id="name-error">([^<]+)<')
    page = await browser.send("/invitation/accept", name="An", password=PASSWORD)
    assert page.url.path == "/sign-in"
    assert "Tên đăng nhập hoặc mật khẩu không đúng" in await typed(browser, "аn@example.vn")


async def test_a_link_that_was_used_says_so_and_a_taken_login_too(desk: Desk, browser: Browser) -> None:
    await desk.office.person("an")
    people = desk.office.core.people.people
    link = await people.administrator_link()
    await browser.open("/invitation")
    await browser.send("/invitation/open", link=link.token)
    page = await browser.send("/invitation/accept", login="an@example.vn", name="An", password=PASSWORD)
    assert (page.status_code, "Tên đăng nhập đã được dùng" in page.text) == (409, True)
    await people.accept(link.token, PASSWORD, login="other@example.vn", name="An")
    page = await browser.send("/invitation/accept", login="b@example.vn", name="An", password=PASSWORD)
    assert (page.status_code, "Liên kết không dùng được" in page.text) == (403, True)
    await browser.open("/invitation")
    page = await browser.send("/invitation/open", link="#" + "x" * 10_000)
    assert (page.status_code, "Liên kết không dùng được" in page.text) == (403, True)


async def test_the_last_second_factor_of_who_needs_one_stays(desk: Desk, browser: Browser) -> None:
    person = await desk.office.person("an", Grant(Role.SECURITY_OFFICER, "H11.05"))
    await person.enrol()
    desk.office.clock.advance(30)
    await typed(browser, "an@example.vn")
    await browser.send("/sign-in/second-factor", code=person.code())
    page = await browser.send("/account/authenticator/remove")
    assert (page.status_code, "Phải giữ ít nhất một yếu tố" in page.text) == (409, True)
    wrong = await browser.open("/account/password")
    wrong = await browser.send("/account/password", old="not it", new="a new long password")
    assert (wrong.status_code, "không đúng" in wrong.text) == (403, True)
    weak = await browser.send("/account/password", old=PASSWORD, new="short")
    assert (weak.status_code, 'id="new-error"' in weak.text) == (422, True)
    for path in ("/account/passkeys", "/account/recovery-codes", "/sign-out", "/account/sessions/end"):
        assert (await browser.open(path)).url.path == "/account"


async def test_who_signed_in_a_while_ago_signs_in_again_before_factors_change(
    desk: Desk, browser: Browser
) -> None:
    await desk.office.person("an")
    await typed(browser, "an@example.vn")
    await browser.open("/account/recovery-codes/new")
    desk.office.clock.advance(601)
    page = await browser.send("/account/recovery-codes")
    assert (page.url.path, "hãy đăng nhập lại" in page.text) == ("/sign-in", True)
    assert "hãy đăng nhập lại" in (await browser.open("/account/authenticator")).text
    await browser.open("/account")
    assert browser.page is not None
    fields = forms_of(browser.page)["/sign-out"].fields
    told = await browser.post("/account/passkeys/options", fields, Accept="application/json")
    assert (told.status_code, told.json()["code"]) == (403, "sign-in-too-old")
    assert "Hãy lưu các mã khôi phục" not in (await typed(browser, "an@example.vn"))
    await browser.open("/account/recovery-codes/new")
    assert "Hãy lưu các mã khôi phục" in (await browser.send("/account/recovery-codes")).text


async def test_recovery_codes_are_made_anew_once_for_each_time_that_one_has_said_so(
    desk: Desk, browser: Browser
) -> None:
    await desk.office.person("an")
    await typed(browser, "an@example.vn")
    assert "/account/recovery-codes/new" in (await browser.open("/account")).text
    asked = await browser.open("/account/recovery-codes/new")
    assert "đang có sẽ không còn dùng được" not in asked.text
    fields = forms_of(asked)["/account/recovery-codes"].fields
    made = await browser.post("/account/recovery-codes", fields)
    assert "Các mã trước đây không còn dùng được." in made.text
    assert "Lỡ mất? Vào Tài khoản của tôi, Tạo mã mới." in made.text
    codes = set(re.findall(r"<li>([A-Z2-7-]{19})</li>", made.text))
    assert len(codes) == 10
    for sent in (fields, fields | {"instead_of": ""}):
        again = await browser.post("/account/recovery-codes", sent)
        assert (again.url.path, "không tạo thêm mã nào" in again.text) == ("/account", True)
    asked = await browser.open("/account/recovery-codes/new")
    assert "10 mã đang có sẽ không còn dùng được." in asked.text
    others = (await browser.send("/account/recovery-codes")).text
    assert codes.isdisjoint(re.findall(r"<li>([A-Z2-7-]{19})</li>", others))


async def test_a_wrong_second_factor_is_told_in_words_for_it(desk: Desk, browser: Browser) -> None:
    person = await desk.office.person("an", Grant(Role.SECURITY_OFFICER, "H11.05"))
    await person.enrol()
    told = await typed(browser, "an@example.vn", "wrong")
    assert "đồng hồ" not in told
    assert "mã xác thực" not in told
    await typed(browser, "an@example.vn")
    told = (await browser.send("/sign-in/second-factor", code="000000")).text
    assert "đổi sau mỗi 30 giây" in told
    assert "mật khẩu" not in told
    await browser.open("/sign-in/recovery-code")
    told = (await browser.send("/sign-in/recovery-code", code="ABCD-EFGH-IJKL-MNOP")).text
    assert "Mã không đúng hoặc đã dùng; mỗi mã chỉ dùng một lần." in told


async def test_a_form_of_a_page_whose_session_has_ended_is_told_to_have_done_nothing(
    desk: Desk, browser: Browser
) -> None:
    person = await desk.office.person("an")
    await typed(browser, "an@example.vn")
    stale = await browser.open("/account/password")
    sessions = desk.office.core.people.sessions
    for one in await sessions.of(person.account.id):
        await sessions.end(OPERATOR, person.account.id, one.id)
    fields = forms_of(stale)["/account/password"].fields | {"old": PASSWORD, "new": "another long password"}
    told = await browser.post("/account/password", fields)
    assert (told.url.path, "thao tác vừa rồi chưa được thực hiện" in told.text) == ("/sign-in", True)
    assert "đã kết thúc" not in (await browser.open("/account")).text
    await typed(browser, "an@example.vn")
    for one in await sessions.of(person.account.id):
        await sessions.end(OPERATOR, person.account.id, one.id)
    assert "Phiên của bạn đã kết thúc. Hãy đăng nhập lại.<" in (await browser.open("/account")).text


async def test_a_second_factor_is_asked_of_nobody_who_has_not_begun(desk: Desk, browser: Browser) -> None:
    for path in ("/sign-in/second-factor", "/sign-in/recovery-code"):
        page = await browser.open(path)
        assert (page.status_code, 'name="password"' in page.text) == (403, True)
    await desk.office.person("an")
    await typed(browser, "an@example.vn")
    for path in ("/sign-in/second-factor", "/sign-in/enrol"):
        assert (await browser.open(path)).url.path == "/account"


async def test_who_takes_an_account_over_is_told_of_all_that_is_wrong(desk: Desk, browser: Browser) -> None:
    await desk.office.person("an")
    link = await desk.office.core.people.people.administrator_link()
    await browser.open("/invitation")
    page = await browser.send("/invitation/open", link=link.token)
    assert "Liên kết này lập một tài khoản vận hành nền tảng." in page.text
    page = await browser.send("/invitation/accept", login="аn@example.vn", name="Аn", password="short")
    assert page.status_code == 422
    for field in ("login", "name", "password"):
        assert f'id="{field}-error"' in page.text
    page = await browser.send("/invitation/accept", login="b@example.vn", name="Binh", password=PASSWORD)
    assert page.url.path == "/sign-in"
    await browser.open("/invitation")
    told = await browser.send("/invitation/open", link=link.token)
    assert "Bạn vừa lập tài khoản bằng liên kết này?" in told.text


async def test_a_form_that_is_too_old_leads_to_its_page_again(browser: Browser) -> None:
    told = await browser.post("/sign-in", {"login": "an@example.vn", "password": PASSWORD})
    assert told.status_code == 403
    assert '<a class="btn-main" href="/sign-in">Mở lại trang</a>' in told.text
    assert "Về tài khoản của tôi" not in told.text
