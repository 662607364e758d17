"""What administrators do: invite, change roles, suspend, sign out, review; and what is kept from whom."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from lienthong.identity.people.domain.accounts import AccountState
from lienthong.identity.people.service.people import NewPerson, Wanted
from lienthong.identity.people.service.sessions import MOST_SESSIONS, Begun
from lienthong.kit.policy import Grant, Role
from tests.integration.identity.people.harness import (
    ELSEWHERE,
    HOME,
    LAND,
    ONE_STOP,
    OPERATOR,
    PASSWORD,
    Office,
)
from tests.integration.identity.people.test_signing_in import refused

DEVELOPER, OWNER = Grant(Role.DEVELOPER, LAND), Grant(Role.DATA_OWNER, LAND)
ADMIN, OFFICER = Grant(Role.AGENCY_ADMINISTRATOR, LAND), Grant(Role.SECURITY_OFFICER, LAND)
OWNER_THERE = Grant(Role.DATA_OWNER, ONE_STOP)


def wanted(name: str, *grants: Grant, agency: str = LAND) -> NewPerson:
    return NewPerson(f"{name}@example.vn", name, agency, frozenset(grants))


async def test_the_first_administrator_makes_the_own_account_and_the_link_is_gone(office: Office) -> None:
    people = office.core.people.people
    link = await people.first_administrator_link(OPERATOR)
    account = await people.accept(link.token, PASSWORD, login="An@Example.vn", name=" Nguyễn  An ")
    assert (account.login, account.name, account.agency) == ("an@example.vn", "Nguyễn An", "")
    assert account.grants == {Grant(Role.PLATFORM_OPERATOR)}
    assert account.state is AccountState.ACTIVE
    assert await refused(people.first_administrator_link(OPERATOR)) == "account-state"
    again = people.accept(link.token, PASSWORD, login="binh@example.vn", name="Bình")
    assert await refused(again) == "link-refused"


async def test_a_link_made_anew_replaces_the_one_before(office: Office) -> None:
    people = office.core.people.people
    first = await people.first_administrator_link(OPERATOR)
    second = await people.administrator_link()
    assert await refused(people.accept(first.token, PASSWORD, login="a@b.vn", name="A")) == "link-refused"
    await people.accept(second.token, PASSWORD, login="a@b.vn", name="A")


@pytest.mark.parametrize(
    ("password", "login", "name"),
    [
        ("short", "an@example.vn", "An"),
        (PASSWORD, "аn@example.vn", "An"),
        (PASSWORD, "an@example.vn", "Аn"),
        (PASSWORD, None, "An"),
        (PASSWORD, "an@example.vn", None),
        ("my an@example.vn password", "an@example.vn", "An"),
    ],
)
async def test_what_is_refused_does_not_use_the_link_up(
    office: Office, password: str, login: str | None, name: str | None
) -> None:
    people = office.core.people.people
    link = await people.first_administrator_link(OPERATOR)
    assert await refused(people.accept(link.token, password, login=login, name=name)) == "invalid-request"
    await people.accept(link.token, PASSWORD, login="an@example.vn", name="An")


async def test_who_runs_the_process_makes_a_link_also_where_there_are_operators(office: Office) -> None:
    people = office.core.people.people
    await office.person("an", Grant(Role.PLATFORM_OPERATOR), agency="")
    link = await people.administrator_link()
    await people.accept(link.token, PASSWORD, login="binh@example.vn", name="Bình")
    [record] = await office.records("person.invite-administrator")
    assert (record["actor"], record["object"]) == ("lienthong/identity", "Person/first")


async def test_an_agency_administrator_makes_no_link_for_an_operator(office: Office) -> None:
    admin = await office.person("admin", ADMIN)
    making = office.core.people.people.first_administrator_link(admin.actor)
    assert await refused(making) == "role-required"


async def test_a_link_ends_after_a_day(office: Office) -> None:
    people = office.core.people.people
    _, link = await people.invite(OPERATOR, wanted("an", DEVELOPER))
    office.clock.advance(timedelta(hours=24))
    assert await refused(people.accept(link.token, PASSWORD)) == "link-refused"


async def test_of_two_who_have_a_link_one_gets_the_account(office: Office) -> None:
    people = office.core.people.people
    account, link = await people.invite(OPERATOR, wanted("an", DEVELOPER))
    passwords = [f"mật khẩu thứ {number} rất dài" for number in range(3)]
    outcomes = await asyncio.gather(
        *(people.accept(link.token, password) for password in passwords), return_exceptions=True
    )
    [winner] = [number for number, one in enumerate(outcomes) if not isinstance(one, Exception)]
    signed = await asyncio.gather(
        *(office.sign_ins.password(account.login, one, HOME) for one in passwords), return_exceptions=True
    )
    assert [isinstance(one, Begun) for one in signed] == [number == winner for number in range(3)]


async def test_an_invited_person_does_not_choose_another_login(office: Office) -> None:
    people = office.core.people.people
    _, link = await people.invite(OPERATOR, wanted("an", DEVELOPER))
    assert await refused(people.accept(link.token, PASSWORD, login="x@example.vn")) == "invalid-request"


async def test_an_agency_administrator_invites_into_the_own_agency_alone(office: Office) -> None:
    people, admin = office.core.people.people, await office.person("admin", ADMIN)
    account, _ = await people.invite(admin.actor, wanted("an", DEVELOPER, OWNER))
    assert account.state is AccountState.INVITED
    for other in (
        wanted("b", agency=ONE_STOP),
        wanted("c", OWNER_THERE),
        wanted("d", Grant(Role.PLATFORM_OPERATOR)),
        wanted("e", Grant(Role.AUDITOR)),
        wanted("f", agency=""),
    ):
        assert await refused(people.invite(admin.actor, other)) == "role-required"


async def test_a_login_belongs_to_one_account(office: Office) -> None:
    people = office.core.people.people
    outcomes = await asyncio.gather(
        *(people.invite(OPERATOR, wanted("an", DEVELOPER)) for _ in range(3)), return_exceptions=True
    )
    assert sorted(getattr(one, "code", "made") for one in outcomes) == ["login-taken"] * 2 + ["made"]


async def test_roles_change_with_the_next_request(office: Office) -> None:
    people, admin = office.core.people.people, await office.person("admin", ADMIN)
    person = await office.person("an", DEVELOPER)
    begun = await person.begin()
    assert isinstance(begun, Begun)
    await people.change_grants(admin.actor, person.account.id, {OWNER})
    assert (await person.signed_in(begun)).account.grants == {OWNER}
    [record] = await office.records("person.change-roles")
    assert record["actor"] == admin.actor.name
    assert record["detail"] == {"roles": ["data-owner@H11.05"], "before": ["developer@H11.05"]}


async def test_a_role_that_demands_two_factors_ends_sessions_of_one_at_once(office: Office) -> None:
    person = await office.person("an", DEVELOPER)
    begun = await person.begin()
    assert isinstance(begun, Begun)
    await office.core.people.people.change_grants(OPERATOR, person.account.id, {ADMIN})
    assert await office.core.people.sessions.check(begun.token) is None


async def test_nobody_changes_the_own_account(office: Office) -> None:
    people, admin = office.core.people.people, await office.person("admin", ADMIN)
    own = admin.account.id
    for attempt in (
        people.change_grants(admin.actor, own, {ADMIN, OWNER}),
        people.suspend(admin.actor, own),
        people.resume(admin.actor, own),
        people.review(admin.actor, own),
        people.renew_link(admin.actor, own),
    ):
        assert await refused(attempt) == "own-account"
    await admin.enrol()
    assert await people.sign_out(admin.actor, own) == 1, "but signs out everywhere"


async def test_who_reaches_into_another_agency_is_managed_by_the_operator_alone(office: Office) -> None:
    people, admin = office.core.people.people, await office.person("admin", ADMIN)
    person = await office.person("an", DEVELOPER, OWNER_THERE)
    for attempt in (
        people.renew_link(admin.actor, person.account.id),
        people.suspend(admin.actor, person.account.id),
        people.sign_out(admin.actor, person.account.id),
    ):
        assert await refused(attempt) == "role-required"
    await people.change_grants(admin.actor, person.account.id, {OWNER_THERE})
    assert await refused(people.change_grants(admin.actor, person.account.id, set())) == "role-required"
    await people.suspend(OPERATOR, person.account.id)


async def test_people_of_other_agencies_are_not_there(office: Office) -> None:
    people, admin = office.core.people.people, await office.person("admin", ADMIN)
    other = (await office.person("an", OWNER_THERE, agency=ONE_STOP)).account.id
    for attempt in (
        people.get(admin.actor, other),
        people.suspend(admin.actor, other),
        people.sessions(admin.actor, other),
        people.sign_out(admin.actor, other),
        people.change_grants(admin.actor, other, {OWNER}),
        people.get(admin.actor, "no-such-id"),
    ):
        assert await refused(attempt) == "unknown-person"
    listed = await people.page(admin.actor, Wanted(), after="", limit=50)
    assert [one.id for one in listed] == [admin.account.id]


async def test_the_list_goes_on_where_it_ended(office: Office) -> None:
    people = office.core.people.people
    made = [(await people.invite(OPERATOR, wanted(f"p{number}", DEVELOPER)))[0].id for number in range(5)]
    found: list[str] = []
    while page := await people.page(OPERATOR, Wanted(), after=found[-1] if found else "", limit=2):
        found += [one.id for one in page]
    assert found == sorted(made)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("nguyen", ["an", "anh"]),
        ("NGUYỄN  anh", ["anh"]),
        ("do", ["dung"]),
        ("đỗ", ["dung"]),
        ("dung@example", ["dung"]),
        ("%", []),
        ("_", []),
        ("nobody", []),
    ],
)
async def test_people_are_found_by_words_of_login_and_name(
    office: Office, words: str, found: list[str]
) -> None:
    people = office.core.people.people
    for login, name in (("an", "Nguyễn Văn An"), ("anh", "Nguyễn Thị Ánh"), ("dung", "Đỗ Dũng")):
        await people.invite(OPERATOR, NewPerson(f"{login}@example.vn", name, LAND, frozenset({DEVELOPER})))
    listed = await people.page(OPERATOR, Wanted(words=words), after="", limit=50)
    assert [one.login for one in listed] == [f"{login}@example.vn" for login in found]
    if found:
        first, *rest = listed
        assert await people.page(OPERATOR, Wanted(words=words), after="", limit=1) == [first]
        assert await people.page(OPERATOR, Wanted(words=words), after=first.id, limit=50) == rest


async def test_people_of_one_agency_are_listed_for_who_may_see_them(office: Office) -> None:
    people, admin = office.core.people.people, await office.person("admin", ADMIN)
    there = (await office.person("an", OWNER_THERE, agency=ONE_STOP)).account
    both = (await office.person("both", OWNER_THERE)).account
    listed = await people.page(OPERATOR, Wanted(agency=ONE_STOP), after="", limit=50)
    assert [one.id for one in listed] == sorted([there.id, both.id])
    listed = await people.page(admin.actor, Wanted(agency=LAND), after="", limit=50)
    assert [one.id for one in listed] == sorted([admin.account.id, both.id])
    elsewhere = people.page(admin.actor, Wanted(agency=ONE_STOP), after="", limit=50)
    assert await refused(elsewhere) == "role-required"


async def test_a_developer_lists_nobody(office: Office) -> None:
    person = await office.person("an", DEVELOPER)
    listing = office.core.people.people.page(person.actor, Wanted(), after="", limit=50)
    assert await refused(listing) == "role-required"


async def test_a_suspended_person_is_out_at_once_and_in_again_when_resumed(office: Office) -> None:
    people, person = office.core.people.people, await office.person("an", DEVELOPER)
    officer = await office.person("officer", OFFICER)
    begun = await person.begin()
    assert isinstance(begun, Begun)
    await people.suspend(officer.actor, person.account.id)
    assert await office.core.people.sessions.check(begun.token) is None
    assert await refused(people.resume(officer.actor, person.account.id)) == "role-required"
    await people.resume(OPERATOR, person.account.id)
    assert await office.core.people.sessions.check(begun.token) is None, "the session has ended for good"
    assert isinstance(await person.begin(), Begun)
    assert [one["action"] for one in await office.records()][-4:] == [
        "person.sign-out",
        "person.suspend",
        "person.resume",
        "person.sign-in",
    ]


async def test_a_second_factor_cannot_be_proved_after_the_account_was_suspended(office: Office) -> None:
    person = await office.person("an", ADMIN)
    await person.enrol()
    started = await person.under_way()
    await office.core.people.people.suspend(OPERATOR, person.account.id)
    office.clock.advance(30)
    attempt = office.sign_ins.totp(started.token, person.code(), HOME)
    assert await refused(attempt) == "sign-in-expired"


async def test_suspending_twice_is_recorded_once(office: Office) -> None:
    person = await office.person("an", DEVELOPER)
    for _ in range(2):
        await office.core.people.people.suspend(OPERATOR, person.account.id)
    assert len(await office.records("person.suspend")) == 1


async def test_a_suspended_invitation_cannot_be_accepted(office: Office) -> None:
    people = office.core.people.people
    account, link = await people.invite(OPERATOR, wanted("an", DEVELOPER))
    await people.suspend(OPERATOR, account.id)
    assert await refused(people.accept(link.token, PASSWORD)) == "link-refused"
    assert await refused(people.renew_link(OPERATOR, account.id)) == "account-state"
    assert (await people.resume(OPERATOR, account.id)).state is AccountState.INVITED


async def test_a_new_link_takes_everything_away_from_whoever_has_the_old_things(office: Office) -> None:
    people, person = office.core.people.people, await office.person("an", ADMIN)
    begun = await person.enrol()
    link = await people.renew_link(OPERATOR, person.account.id)
    assert await office.core.people.sessions.check(begun.token) is not None, "not before it is used"
    await people.accept(link.token, "một mật khẩu khác hẳn")
    assert await office.core.people.sessions.check(begun.token) is None
    assert await refused(person.begin()) == "sign-in-refused"
    person.password = "một mật khẩu khác hẳn"
    assert (await person.under_way()).step == "enrol", "the lost application is none any more"


async def test_roles_that_are_added_end_a_link_that_somebody_kept(office: Office) -> None:
    people, admin = office.core.people.people, await office.person("admin", ADMIN)
    account, kept = await people.invite(admin.actor, wanted("an", DEVELOPER))
    await people.change_grants(OPERATOR, account.id, {DEVELOPER, OWNER_THERE})
    assert await refused(people.accept(kept.token, PASSWORD)) == "link-refused"
    (record,) = await office.records("person.change-roles")
    assert record["detail"]["link"] == "ended"
    anew = await people.renew_link(OPERATOR, account.id)
    assert (await people.accept(anew.token, PASSWORD)).grants == {DEVELOPER, OWNER_THERE}


async def test_roles_that_are_taken_away_leave_the_link(office: Office) -> None:
    people = office.core.people.people
    account, link = await people.invite(OPERATOR, wanted("an", DEVELOPER, OWNER))
    await people.change_grants(OPERATOR, account.id, {DEVELOPER})
    assert (await people.accept(link.token, PASSWORD)).grants == {DEVELOPER}


async def test_sessions_are_listed_and_ended_one_by_one(office: Office) -> None:
    people, person = office.core.people.people, await office.person("an", DEVELOPER)
    here, there = await person.begin(HOME), await person.begin(ELSEWHERE)
    assert isinstance(here, Begun)
    assert isinstance(there, Begun)
    listed = await people.sessions(OPERATOR, person.account.id)
    assert {(one.id, one.origin.client) for one in listed} == {
        (here.session.id, "Firefox"),
        (there.session.id, "curl"),
    }
    assert await people.sign_out(OPERATOR, person.account.id, there.session.id) == 1
    assert await people.sign_out(OPERATOR, person.account.id, there.session.id) == 0
    assert await office.core.people.sessions.check(there.token) is None
    assert await office.core.people.sessions.check(here.token) is not None


async def test_a_session_of_someone_else_is_not_ended_by_its_id(office: Office) -> None:
    an, binh = await office.person("an", DEVELOPER), await office.person("binh", DEVELOPER)
    begun = await an.begin()
    assert isinstance(begun, Begun)
    assert await office.core.people.people.sign_out(OPERATOR, binh.account.id, begun.session.id) == 0
    assert await office.core.people.sessions.check(begun.token) is not None


async def test_a_session_ends_when_nobody_uses_it_and_at_its_age(office: Office) -> None:
    person = await office.person("an", DEVELOPER)
    begun = await person.begin()
    assert isinstance(begun, Begun)
    for _ in range(24):
        office.clock.advance(timedelta(minutes=29))
        assert await office.core.people.sessions.check(begun.token) is not None
    office.clock.advance(timedelta(minutes=25))
    assert await office.core.people.sessions.check(begun.token) is None, "twelve hours"
    begun = await person.begin()
    assert isinstance(begun, Begun)
    office.clock.advance(timedelta(minutes=30))
    assert await office.core.people.sessions.check(begun.token) is None
    await office.core.people.upkeep.forget()
    assert "Firefox" not in await office.everything()


async def test_of_one_person_so_many_sessions_last(office: Office) -> None:
    person = await office.person("an", DEVELOPER)
    first = await person.sign_in()
    for _ in range(MOST_SESSIONS):
        await person.sign_in()
    assert await office.core.people.sessions.check(first.token) is None
    assert len(await office.core.people.sessions.of(person.account.id)) == MOST_SESSIONS


async def test_an_account_that_lies_idle_is_locked_and_says_so_before(office: Office) -> None:
    people, person = office.core.people.people, await office.person("an", DEVELOPER)
    await person.sign_in()
    office.clock.advance(timedelta(days=45))
    assert await refused(person.begin()) == "account-not-active"
    assert await office.core.people.upkeep.lock_idle() == 1
    assert await office.core.people.upkeep.lock_idle() == 0
    account = await people.get(OPERATOR, person.account.id)
    assert account.state is AccountState.LOCKED
    [record] = await office.records("person.lock")
    assert (record["actor"], record["detail"]) == ("lienthong/identity", {"reason": "idle"})
    await people.resume(OPERATOR, person.account.id)
    assert isinstance(await person.begin(), Begun)


async def test_an_account_in_use_is_not_locked(office: Office) -> None:
    person = await office.person("an", DEVELOPER)
    for _ in range(3):
        office.clock.advance(timedelta(days=30))
        await person.sign_in()
        await office.core.people.upkeep.lock_idle()
    assert isinstance(await person.begin(), Begun)


async def test_the_half_yearly_review_lists_what_nobody_confirmed(office: Office) -> None:
    people = office.core.people.people
    old, _ = await people.invite(OPERATOR, wanted("an", DEVELOPER))
    office.clock.advance(timedelta(days=100))
    await people.invite(OPERATOR, wanted("binh", DEVELOPER))
    office.clock.advance(timedelta(days=82))
    due = await people.page(OPERATOR, Wanted(review_due=True), after="", limit=50)
    assert [one.id for one in due] == [old.id]
    await people.review(OPERATOR, old.id)
    assert await people.page(OPERATOR, Wanted(review_due=True), after="", limit=50) == []
    [record] = await office.records("person.review")
    assert record["object"] == f"Person/{old.id}"


async def test_every_change_is_recorded_under_who_made_it(office: Office) -> None:
    people = office.core.people.people
    account, link = await people.invite(OPERATOR, wanted("an", DEVELOPER))
    await people.accept(link.token, PASSWORD)
    await people.renew_link(OPERATOR, account.id)
    found = [(one["action"], one["actor"], one["tx"]) for one in await office.records()]
    assert [one[:2] for one in found] == [
        ("person.invite", "operator"),
        ("person.accept", f"person/{account.id}"),
        ("person.renew-link", "operator"),
    ]
    assert found[0][2] == "tx-1"
