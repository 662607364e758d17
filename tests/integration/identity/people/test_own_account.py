"""What people do with their own account: another application, passkeys, recovery codes, another password."""

from __future__ import annotations

import pyotp
import pytest

from lienthong.identity.people.service.sessions import Begun
from lienthong.kit.policy import Grant, Role
from tests.integration.identity.people.harness import ELSEWHERE, HOME, LAND, OPERATOR, Office
from tests.integration.identity.people.test_signing_in import refused, with_passkey

DEVELOPER, ADMIN = Grant(Role.DEVELOPER, LAND), Grant(Role.AGENCY_ADMINISTRATOR, LAND)


async def test_another_application_is_used_once_it_is_confirmed_and_ends_other_sessions(
    office: Office,
) -> None:
    own, person = office.core.people.own_account, await office.person("an", ADMIN)
    elsewhere = await person.enrol()
    who = await person.signed_in(await person.sign_in())
    made = await own.begin_totp(who)
    assert isinstance(await person.sign_in(), Begun), "the one in use stays until then"
    assert await refused(own.confirm_totp(who, "000000")) == "sign-in-refused"
    office.clock.advance(30)
    await own.confirm_totp(who, pyotp.TOTP(made.secret).at(office.clock.now()))
    assert await office.core.people.sessions.check(elsewhere.token) is None
    old = await person.under_way()
    office.clock.advance(30)
    assert await refused(office.sign_ins.totp(old.token, person.code(), HOME)) == "sign-in-refused"
    person.secret = made.secret
    assert isinstance(await person.sign_in(), Begun)


async def test_the_last_second_factor_stays_where_the_roles_demand_one(office: Office) -> None:
    own, person = office.core.people.own_account, await with_passkey(office, "an")
    token, asked = await office.sign_ins.begin_passkey(HOME)
    who = await person.signed_in(await office.sign_ins.passkey(token, person.passkey.get(asked), HOME))
    assert await refused(own.remove_passkey(who, person.passkey.credential_id)) == "factor-needed"
    assert [one.name for one in (await own.held(who)).passkeys] == ["Khoá"]
    made = await own.begin_totp(who)
    await own.confirm_totp(who, pyotp.TOTP(made.secret).at(office.clock.now()))
    await own.remove_passkey(who, person.passkey.credential_id)
    assert (await own.held(who)).passkeys == []
    assert await refused(own.remove_totp(who)) == "factor-needed"


async def test_a_passkey_is_registered_beside_and_its_challenge_is_good_once(office: Office) -> None:
    own, person = office.core.people.own_account, await office.person("an", DEVELOPER)
    who = await person.signed_in(await person.sign_in())
    response = person.passkey.create(await own.begin_passkey(who))
    assert await refused(own.register_passkey(who, "{}", "Khoá")) == "sign-in-refused"
    assert await refused(own.register_passkey(who, response, "Khoá")) == "sign-in-expired"
    response = person.passkey.create(await own.begin_passkey(who))
    await own.register_passkey(who, response, "Khoá")
    assert (await person.under_way()).step == "second-factor", "who has one is asked for it"


async def test_a_passkey_belongs_to_one_person(office: Office) -> None:
    own, first = office.core.people.own_account, await with_passkey(office, "an")
    other = await office.person("binh", DEVELOPER)
    who = await other.signed_in(await other.sign_in())
    response = first.passkey.create(await own.begin_passkey(who))
    assert await refused(own.register_passkey(who, response, "Khoá")) == "sign-in-refused"


@pytest.mark.parametrize("name", ["", "<b>", "x" * 1_000])
async def test_a_passkey_has_a_name_that_can_be_shown(office: Office, name: str) -> None:
    own, person = office.core.people.own_account, await office.person("an", DEVELOPER)
    who = await person.signed_in(await person.sign_in())
    response = person.passkey.create(await own.begin_passkey(who))
    assert await refused(own.register_passkey(who, response, name)) == "invalid-request"


async def test_new_recovery_codes_replace_the_old_ones(office: Office) -> None:
    own, person = office.core.people.own_account, await office.person("an", ADMIN)
    who = await person.signed_in(await person.enrol())
    fresh = await own.new_recovery_codes(who)
    assert not set(fresh) & set(person.recovery_codes)
    started = await person.under_way()
    old = office.sign_ins.recovery_code(started.token, person.recovery_codes[0], HOME)
    assert await refused(old) == "sign-in-refused"
    assert isinstance(await office.sign_ins.recovery_code(started.token, fresh[0], HOME), Begun)


async def test_another_password_needs_the_old_one_and_ends_other_sessions(office: Office) -> None:
    own, person = office.core.people.own_account, await office.person("an", DEVELOPER)
    elsewhere = await person.begin(ELSEWHERE)
    assert isinstance(elsewhere, Begun)
    begun = await person.sign_in()
    who = await person.signed_in(begun)
    fresh = "một mật khẩu khác hẳn"
    assert await refused(own.change_password(who, "no", fresh)) == "sign-in-refused"
    assert await refused(own.change_password(who, person.password, "short")) == "invalid-request"
    await own.change_password(who, person.password, fresh)
    assert await office.core.people.sessions.check(elsewhere.token) is None
    assert await office.core.people.sessions.check(begun.token) is not None
    assert await refused(person.begin()) == "sign-in-refused"
    assert isinstance(await person.begin(password=fresh), Begun)


async def test_a_session_that_was_ended_meanwhile_changes_nothing(office: Office) -> None:
    own, person = office.core.people.own_account, await office.person("an", DEVELOPER)
    who = await person.signed_in(await person.sign_in())
    await office.core.people.people.sign_out(OPERATOR, person.account.id)
    assert await refused(own.new_recovery_codes(who)) == "sign-in-expired"
    assert await refused(own.begin_totp(who)) == "sign-in-expired"


async def test_what_lets_somebody_in_is_changed_only_shortly_after_signing_in(office: Office) -> None:
    own, person = office.core.people.own_account, await with_passkey(office, "an")
    token, asked = await office.sign_ins.begin_passkey(HOME)
    who = await person.signed_in(await office.sign_ins.passkey(token, person.passkey.get(asked), HOME))
    made = await own.begin_totp(who)
    office.clock.advance(600)
    await own.new_recovery_codes(who)
    office.clock.advance(1)
    for change in (
        own.begin_totp(who),
        own.remove_totp(who),
        own.begin_passkey(who),
        own.remove_passkey(who, person.passkey.credential_id),
        own.new_recovery_codes(who),
    ):
        assert await refused(change) == "sign-in-too-old"
    assert len((await own.held(who)).passkeys) == 1
    # What was begun in time may be ended, and the password stands for itself.
    await own.confirm_totp(who, pyotp.TOTP(made.secret).at(office.clock.now()))
    await own.change_password(who, person.password, "another long password")
