"""Signing in: the password, then what is demanded; what is refused; what a stranger's failures cost whom."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from argon2 import PasswordHasher

from lienthong.identity.people.domain.attempts import (
    FOR_AN_ACCOUNT,
    FOR_AN_ADDRESS,
    Attempts,
    address_key,
)
from lienthong.identity.people.domain.sessions import Factor, NextStep, Origin
from lienthong.identity.people.repository import accounts, sign_ins
from lienthong.identity.people.service.people import NewPerson
from lienthong.identity.people.service.sessions import Begun
from lienthong.identity.people.service.sign_ins import UnderWay
from lienthong.kit.policy import Grant, Role
from lienthong.kit.problems import ProblemError
from tests.integration.identity.people.harness import (
    ELSEWHERE,
    HOME,
    LAND,
    OPERATOR,
    Office,
    Person,
    an_office,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from pathlib import Path

DEVELOPER, ADMIN = Grant(Role.DEVELOPER, LAND), Grant(Role.AGENCY_ADMINISTRATOR, LAND)


async def refused(attempt: Awaitable[object]) -> str:
    """The code of the problem that an attempt meets."""
    with pytest.raises(ProblemError) as met:
        await attempt
    return met.value.code


async def test_who_needs_no_second_factor_is_in_with_the_password(office: Office) -> None:
    person = await office.person("an", DEVELOPER)
    begun = await person.begin()
    assert isinstance(begun, Begun)
    found = await person.signed_in(begun)
    assert found.account.id == person.account.id
    assert found.session.factors == (Factor.PASSWORD,)


async def test_who_needs_one_enrols_it_before_the_first_session(office: Office) -> None:
    person = await office.person("an", ADMIN)
    started = await person.under_way()
    assert started.step is NextStep.ENROL
    assert await office.core.people.sessions.of(person.account.id) == []
    begun = await person.enrol()
    assert (await person.signed_in(begun)).session.factors == (Factor.PASSWORD, Factor.TOTP)
    assert len(set(person.recovery_codes)) == 10


async def test_a_second_factor_is_asked_for_from_then_on(office: Office) -> None:
    person = await office.person("an", ADMIN)
    await person.enrol()
    office.clock.advance(30)
    started = await person.under_way()
    assert started.step is NextStep.SECOND_FACTOR
    assert await refused(office.sign_ins.enrol_totp(started.token)) == "sign-in-expired"
    assert isinstance(await office.sign_ins.totp(started.token, person.code(), HOME), Begun)


async def test_a_code_is_good_once_and_a_sign_in_too(office: Office) -> None:
    person = await office.person("an", ADMIN)
    await person.enrol()
    office.clock.advance(30)
    first, second = await person.under_way(), await person.under_way()
    code = person.code()
    await office.sign_ins.totp(first.token, code, HOME)
    assert await refused(office.sign_ins.totp(second.token, code, HOME)) == "sign-in-refused"
    assert await refused(office.sign_ins.totp(first.token, code, HOME)) == "sign-in-expired"


async def test_a_code_sent_twice_at_once_on_two_replicas_signs_in_once(
    tmp_path: Path, database_url: str, office: Office
) -> None:
    person = await office.person("an", ADMIN)
    await person.enrol()
    office.clock.advance(30)
    async with an_office(tmp_path, database_url, office.clock) as replica:
        begun = [await person.under_way() for _ in range(4)]
        code = person.code()
        both = (office.sign_ins, replica.sign_ins) * 2
        attempts = [
            one.totp(started.token, code, HOME, person.device)
            for one, started in zip(both, begun, strict=True)
        ]
        outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    assert sum(isinstance(outcome, Begun) for outcome in outcomes) == 1, outcomes
    assert {one.code for one in outcomes if isinstance(one, ProblemError)} == {"sign-in-refused"}


async def test_a_recovery_code_signs_in_once(office: Office) -> None:
    person = await office.person("an", ADMIN)
    await person.enrol()
    code = person.recovery_codes[3]
    started, again = await person.under_way(), await person.under_way()
    typed = code.lower().replace("-", " ")
    begun = await office.sign_ins.recovery_code(started.token, typed, HOME)
    found = await person.signed_in(begun)
    assert found.session.factors == (Factor.PASSWORD, Factor.RECOVERY_CODE)
    assert await refused(office.sign_ins.recovery_code(again.token, code, HOME)) == "sign-in-refused"
    assert (await office.core.people.own_account.held(found)).recovery_codes == 9


async def test_a_passkey_is_enrolled_and_signs_in_as_second_factor_and_alone(office: Office) -> None:
    person = await office.person("an", ADMIN)
    started = await person.under_way()
    options = await office.sign_ins.enrol_passkey(started.token)
    response = person.passkey.create(options)
    enrolled = await office.sign_ins.register_passkey(started.token, response, "Máy bàn", HOME)
    assert (await person.signed_in(enrolled.begun)).session.factors == (Factor.PASSWORD, Factor.PASSKEY)

    second = await person.under_way()
    asked = await office.sign_ins.passkey_options(second.token)
    assert [one["id"] for one in asked["allowCredentials"]]
    begun = await office.sign_ins.passkey(second.token, person.passkey.get(asked), HOME)
    assert (await person.signed_in(begun)).session.factors == (Factor.PASSWORD, Factor.PASSKEY)

    token, asked = await office.sign_ins.begin_passkey(HOME)
    begun = await office.sign_ins.passkey(token, person.passkey.get(asked), HOME)
    assert (await person.signed_in(begun)).session.factors == (Factor.PASSKEY,)


async def test_an_answer_of_a_passkey_is_good_once_and_for_its_own_challenge(office: Office) -> None:
    person = await with_passkey(office, "an")
    token, asked = await office.sign_ins.begin_passkey(HOME)
    other, _ = await office.sign_ins.begin_passkey(HOME)
    answer = person.passkey.get(asked)
    assert await refused(office.sign_ins.passkey(other, answer, HOME)) == "sign-in-refused"
    await office.sign_ins.passkey(token, answer, HOME)
    assert await refused(office.sign_ins.passkey(token, answer, HOME)) == "sign-in-expired"


async def test_a_challenge_is_used_up_by_a_wrong_answer(office: Office) -> None:
    person = await with_passkey(office, "an")
    token, asked = await office.sign_ins.begin_passkey(HOME)
    assert await refused(office.sign_ins.passkey(token, "{}", HOME)) == "sign-in-refused"
    right = person.passkey.get(asked)
    assert await refused(office.sign_ins.passkey(token, right, HOME)) == "sign-in-refused"


async def test_another_persons_passkey_is_no_second_factor(office: Office) -> None:
    person, other = await with_passkey(office, "an"), await with_passkey(office, "binh")
    started = await person.under_way()
    asked = await office.sign_ins.passkey_options(started.token)
    answer = other.passkey.get(asked)
    assert await refused(office.sign_ins.passkey(started.token, answer, HOME)) == "sign-in-refused"


async def with_passkey(office: Office, name: str) -> Person:
    person = await office.person(name, ADMIN)
    started = await person.under_way()
    options = await office.sign_ins.enrol_passkey(started.token)
    await office.sign_ins.register_passkey(started.token, person.passkey.create(options), "Khoá", HOME)
    return person


WRONG = {
    "another password": ("an@example.vn", "ba con trâu ngoài ruộng"),
    "no password": ("an@example.vn", ""),
    "a password of a million": ("an@example.vn", "x" * 1_000_000),
    "half of a surrogate pair": ("an@example.vn", "ba con trâu \ud800"),
    "NUL": ("an@example.vn", "ba con trâu\0"),
    "an unknown login": ("binh@example.vn", "ba con trâu ngoài đồng"),
    "no login": ("", "ba con trâu ngoài đồng"),
    "a look-alike": ("аn@example.vn", "ba con trâu ngoài đồng"),
    "a full-width login": ("ａｎ@example.vn", "ba con trâu ngoài đồng"),
    "SQL": ("' OR 1=1 --", "ba con trâu ngoài đồng"),
    "a login of a million": ("a" * 1_000_000, "ba con trâu ngoài đồng"),
    "a login with a half surrogate": ("\ud800@example.vn", "ba con trâu ngoài đồng"),
    "an invited login without password": ("invited@example.vn", ""),
}


@pytest.mark.parametrize(("login", "password"), WRONG.values(), ids=WRONG)
async def test_whatever_is_wrong_gets_one_answer(office: Office, login: str, password: str) -> None:
    await office.person("an", DEVELOPER)
    await office.core.people.people.invite(
        OPERATOR, NewPerson("invited@example.vn", "Mời", LAND, frozenset({DEVELOPER}))
    )
    assert await refused(office.sign_ins.password(login, password, HOME)) == "sign-in-refused"


async def test_the_login_may_be_typed_in_capitals(office: Office) -> None:
    person = await office.person("an", DEVELOPER)
    assert isinstance(await office.sign_ins.password(" AN@Example.VN", person.password, HOME), Begun)


async def fail(office: Office, login: str, times: int, *, device: str | None = None) -> list[str]:
    """Guess so many times, each from another address."""
    codes = []
    for number in range(times):
        origin = Origin.of(f"203.0.113.{number % 250}", "curl")
        codes.append(await refused(office.sign_ins.password(login, "not the password", origin, device)))
    return codes


async def test_strangers_are_stopped_and_the_owner_signs_in_on_a_known_device(office: Office) -> None:
    person = await office.person("an", DEVELOPER)
    person.noted(await person.sign_in())
    codes = await fail(office, person.account.login, FOR_AN_ACCOUNT.free + 3)
    assert codes == ["sign-in-refused"] * FOR_AN_ACCOUNT.free + ["sign-in-blocked"] * 3
    assert isinstance(await person.begin(), Begun), "its own device is not stopped by strangers"
    person.device = None
    assert await refused(person.begin(ELSEWHERE)) == "sign-in-blocked", "strangers stay out"


async def test_a_new_device_waits_with_the_strangers_but_a_passkey_does_not(office: Office) -> None:
    person = await with_passkey(office, "an")
    await fail(office, "an@example.vn", FOR_AN_ACCOUNT.free)
    assert await refused(person.begin(ELSEWHERE)) == "sign-in-blocked"
    token, asked = await office.sign_ins.begin_passkey(ELSEWHERE)
    assert isinstance(await office.sign_ins.passkey(token, person.passkey.get(asked), ELSEWHERE), Begun)


async def test_the_wait_is_told_and_ends(office: Office) -> None:
    person = await office.person("an", DEVELOPER)
    await fail(office, person.account.login, FOR_AN_ACCOUNT.free)
    with pytest.raises(ProblemError) as met:
        await person.begin()
    assert met.value.headers["Retry-After"] == "60"
    office.clock.advance(60)
    assert isinstance(await person.begin(), Begun)


async def test_a_stolen_device_is_no_way_round_and_stops_no_other_device(office: Office) -> None:
    person = await office.person("an", DEVELOPER)
    stolen = (await person.sign_in()).device
    assert stolen is not None
    other = person.noted(await office_begin(office, person.account.login, person.password)).device
    codes = await fail(office, person.account.login, FOR_AN_ACCOUNT.free + 1, device=stolen)
    assert codes[-1] == "sign-in-blocked"
    assert isinstance(
        await office.sign_ins.password(person.account.login, person.password, HOME, other), Begun
    )


async def office_begin(office: Office, login: str, password: str) -> Begun:
    begun = await office.sign_ins.password(login, password, HOME)
    assert isinstance(begun, Begun)
    return begun


async def test_a_device_of_one_person_is_none_of_another(office: Office) -> None:
    an, binh = await office.person("an", DEVELOPER), await office.person("binh", DEVELOPER)
    device = (await an.sign_in()).device
    codes = await fail(office, binh.account.login, FOR_AN_ACCOUNT.free + 1, device=device)
    assert codes[-1] == "sign-in-blocked"
    assert await refused(binh.begin()) == "sign-in-blocked", "it was a stranger for this account"


async def test_a_login_without_account_is_counted_like_one_with(office: Office) -> None:
    person = await office.person("an", DEVELOPER)
    there = await fail(office, person.account.login, FOR_AN_ACCOUNT.free + 2)
    not_there = await fail(office, "nobody@example.vn", FOR_AN_ACCOUNT.free + 2)
    assert there == not_there


async def test_an_address_that_guesses_everywhere_is_stopped_and_known_devices_there_are_not(
    office: Office,
) -> None:
    person = await office.person("an", DEVELOPER)
    person.noted(await person.sign_in())
    async with office.core.database.transaction() as session:
        key, now = address_key(HOME.address), office.clock.now()
        await sign_ins.lock_attempts(session, key, now, office.core.database.dialect)
        await sign_ins.save_attempts(session, key, Attempts(FOR_AN_ADDRESS.free - 2, None, now))
    for login in ("x@example.vn", "z@example.vn"):
        assert await refused(office.sign_ins.password(login, "no", HOME)) == "sign-in-refused"
    assert await refused(office.sign_ins.password("y@example.vn", "no", HOME)) == "sign-in-blocked"
    assert isinstance(await person.begin(HOME), Begun)
    assert await refused(office.sign_ins.password("y@example.vn", "no", ELSEWHERE)) == "sign-in-refused"


async def test_guesses_at_once_are_as_many_as_one_after_the_other(
    tmp_path: Path, database_url: str, office: Office
) -> None:
    person = await office.person("an", DEVELOPER)
    async with an_office(tmp_path, database_url, office.clock) as replica:
        guesses = [
            refused(one.sign_ins.password(person.account.login, "no", Origin.of(f"203.0.113.{number}", "")))
            for number in range(15)
            for one in (office, replica)
        ]
        codes = await asyncio.gather(*guesses)
    assert sorted(codes) == ["sign-in-blocked"] * 20 + ["sign-in-refused"] * FOR_AN_ACCOUNT.free


async def test_codes_of_the_second_factor_are_counted_with_the_passwords(office: Office) -> None:
    person = await office.person("an", ADMIN)
    await person.enrol()
    started = await person.under_way()
    codes = [
        await refused(office.sign_ins.totp(started.token, "000000", HOME, person.device)) for _ in range(11)
    ]
    assert codes[0] == "sign-in-refused"
    assert codes[-1] == "sign-in-blocked"
    assert codes.count("sign-in-refused") == FOR_AN_ACCOUNT.free - 1


async def test_when_strangers_are_stopped_it_is_recorded_once(office: Office) -> None:
    person = await office.person("an", DEVELOPER)
    await fail(office, person.account.login, 15)
    [record] = await office.records("person.block-sign-in")
    assert record["object"] == f"Person/{person.account.id}"
    assert record["detail"] == {"device": "unknown"}


async def test_one_network_begins_so_many_sign_ins_at_once(office: Office) -> None:
    for _ in range(50):
        await office.sign_ins.begin_passkey(ELSEWHERE)
    assert await refused(office.sign_ins.begin_passkey(ELSEWHERE)) == "rate-limited"
    await office.sign_ins.begin_passkey(HOME)


async def test_a_sign_in_under_way_ends_in_ten_minutes(office: Office) -> None:
    person = await office.person("an", ADMIN)
    await person.enrol()
    started = await person.under_way()
    office.clock.advance(timedelta(minutes=10))
    assert await refused(office.sign_ins.totp(started.token, person.code(), HOME)) == "sign-in-expired"


async def test_of_one_person_so_many_sign_ins_are_under_way(office: Office) -> None:
    person = await office.person("an", ADMIN)
    await person.enrol()
    office.clock.advance(30)
    started = []
    for _ in range(6):
        office.clock.advance(1)
        started.append(await person.under_way())
    oldest, *living = started
    assert await refused(office.sign_ins.passkey_options(oldest.token)) == "sign-in-expired"
    for one in living:
        await office.sign_ins.passkey_options(one.token)


TOKENS = ["", "x", "A" * 43, "\ud800", "A" * 1_000_000, "../../etc/passwd"]


@pytest.mark.parametrize("token", TOKENS, ids=lambda token: repr(token[:10]))
async def test_a_token_that_was_never_given_leads_nowhere(office: Office, token: str) -> None:
    for attempt in (
        office.sign_ins.totp(token, "000000", HOME),
        office.sign_ins.recovery_code(token, "x", HOME),
        office.sign_ins.passkey(token, "{}", HOME),
        office.sign_ins.passkey_options(token),
        office.sign_ins.enrol_totp(token),
        office.sign_ins.confirm_totp(token, "000000", HOME),
        office.sign_ins.enrol_passkey(token),
        office.sign_ins.register_passkey(token, "{}", "x", HOME),
    ):
        assert await refused(attempt) == "sign-in-expired"
    assert await office.core.people.sessions.check(token) is None


async def test_a_closed_account_is_told_to_its_owner_alone(office: Office) -> None:
    person = await office.person("an", DEVELOPER)
    await office.core.people.people.suspend(OPERATOR, person.account.id)
    assert await refused(person.begin()) == "account-not-active"
    assert await refused(person.begin(password="not the password at all")) == "sign-in-refused"


async def test_a_hash_of_older_parameters_is_made_anew_at_the_next_sign_in(office: Office) -> None:
    person = await office.person("an", DEVELOPER)
    older = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash(person.password)
    async with office.core.database.transaction() as session:
        await accounts.put_password(session, person.account.id, older)
    begun = await person.begin()
    assert isinstance(begun, Begun)
    hashed = (await person.signed_in(begun)).account.password_hash
    assert hashed is not None
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert isinstance(await person.begin(), Begun)


async def test_nothing_that_signs_in_is_stored_or_recorded_as_it_is(office: Office) -> None:
    person = await office.person("an", ADMIN)
    begun = await person.enrol()
    started = await person.under_way()
    assert isinstance(started, UnderWay)
    stored = await office.everything()
    for secret in (
        person.password,
        person.secret,
        begun.token,
        begun.device,
        started.token,
        *person.recovery_codes,
    ):
        assert secret
        assert secret not in stored
    recorded = str(await office.records())
    for personal in (person.account.login, person.account.name, HOME.address, HOME.client):
        assert personal not in recorded
