"""An act whose audit record cannot be stored leaves nothing behind, and is possible again afterwards.

Each transaction writes its record at its end: here the table for it is away, as if the process had died, or
the disk had filled up, right before the commit.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

import pyotp
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from lienthong.identity.models import metadata
from lienthong.identity.people.service.people import NewPerson
from lienthong.kit.policy import Grant, Role
from tests.integration.identity.people.harness import HOME, LAND, OPERATOR, PASSWORD, Office
from tests.integration.identity.people.test_signing_in import with_passkey

if TYPE_CHECKING:
    from tests.integration.identity.people.harness import Person

Act: TypeAlias = Callable[[], Awaitable[object]]

DEVELOPER, ADMIN = Grant(Role.DEVELOPER, LAND), Grant(Role.AGENCY_ADMINISTRATOR, LAND)
COUNTED = {"attempt", "outbox"}
"""An attempt counts also where what followed was lost; the outbox is what is away."""


async def contents(office: Office) -> dict[str, list[str]]:
    async with office.core.database.reading() as session:
        return {
            table.name: sorted(map(repr, (await session.execute(select(table))).all()))
            for table in metadata.sorted_tables
            if table.name not in COUNTED
        }


async def rename(office: Office, table: str, name: str) -> None:
    async with office.core.database.transaction() as session:
        await session.execute(text(f"ALTER TABLE {table} RENAME TO {name}"))


async def inviting(office: Office) -> Act:
    wanted = NewPerson("an@example.vn", "An", LAND, frozenset({DEVELOPER}))
    return lambda: office.core.people.people.invite(OPERATOR, wanted)


async def accepting(office: Office) -> Act:
    wanted = NewPerson("an@example.vn", "An", LAND, frozenset({DEVELOPER}))
    _, link = await office.core.people.people.invite(OPERATOR, wanted)
    return lambda: office.core.people.people.accept(link.token, PASSWORD)


async def becoming_the_first_administrator(office: Office) -> Act:
    link = await office.core.people.people.administrator_link()
    return lambda: office.core.people.people.accept(link.token, PASSWORD, login="a@example.vn", name="A")


async def making_the_first_link(office: Office) -> Act:
    return office.core.people.people.administrator_link


async def taking_over_again(office: Office) -> Act:
    person = await enrolled(office)
    link = await office.core.people.people.renew_link(OPERATOR, person.account.id)
    return lambda: office.core.people.people.accept(link.token, PASSWORD)


async def changing_roles(office: Office) -> Act:
    person = await office.person("an", DEVELOPER)
    return lambda: office.core.people.people.change_grants(OPERATOR, person.account.id, {ADMIN})


async def suspending(office: Office) -> Act:
    person = await enrolled(office)
    return lambda: office.core.people.people.suspend(OPERATOR, person.account.id)


async def signing_out(office: Office) -> Act:
    person = await enrolled(office)
    return lambda: office.core.people.people.sign_out(OPERATOR, person.account.id)


async def reviewing(office: Office) -> Act:
    person = await office.person("an", DEVELOPER)
    office.clock.advance(1)
    return lambda: office.core.people.people.review(OPERATOR, person.account.id)


async def locking_idle_accounts(office: Office) -> Act:
    person = await office.person("an", DEVELOPER)
    await person.sign_in()
    office.clock.advance(timedelta(days=46))
    return office.core.people.upkeep.lock_idle


async def signing_in_with_a_password(office: Office) -> Act:
    person = await office.person("an", DEVELOPER)
    return person.begin


async def signing_in_with_a_code(office: Office) -> Act:
    person = await enrolled(office)
    office.clock.advance(30)
    started, code = await person.under_way(), person.code()
    return lambda: office.sign_ins.totp(started.token, code, HOME)


async def signing_in_with_a_recovery_code(office: Office) -> Act:
    person = await enrolled(office)
    started = await person.under_way()
    return lambda: office.sign_ins.recovery_code(started.token, person.recovery_codes[0], HOME)


async def signing_in_with_a_passkey(office: Office) -> Act:
    person = await with_passkey(office, "an")
    token, asked = await office.sign_ins.begin_passkey(HOME)
    answer = person.passkey.get(asked)
    return lambda: office.sign_ins.passkey(token, answer, HOME)


async def enrolling_an_application(office: Office) -> Act:
    person = await office.person("an", ADMIN)
    started = await person.under_way()
    made = await office.sign_ins.enrol_totp(started.token)
    code = pyotp.TOTP(made.secret).at(office.clock.now())
    return lambda: office.sign_ins.confirm_totp(started.token, code, HOME)


async def enrolling_a_passkey(office: Office) -> Act:
    person = await office.person("an", ADMIN)
    started = await person.under_way()
    answer = person.passkey.create(await office.sign_ins.enrol_passkey(started.token))
    return lambda: office.sign_ins.register_passkey(started.token, answer, "Khoá", HOME)


async def making_recovery_codes(office: Office) -> Act:
    person = await enrolled(office)
    who = await person.signed_in(await person.sign_in())
    return lambda: office.core.people.own_account.new_recovery_codes(who)


async def changing_the_password(office: Office) -> Act:
    person = await office.person("an", DEVELOPER)
    who = await person.signed_in(await person.sign_in())
    fresh = "một mật khẩu khác hẳn"
    return lambda: office.core.people.own_account.change_password(who, person.password, fresh)


async def enrolled(office: Office) -> Person:
    person = await office.person("an", ADMIN)
    await person.enrol()
    return person


ACTS = (
    inviting,
    accepting,
    becoming_the_first_administrator,
    making_the_first_link,
    taking_over_again,
    changing_roles,
    suspending,
    signing_out,
    reviewing,
    locking_idle_accounts,
    signing_in_with_a_password,
    signing_in_with_a_code,
    signing_in_with_a_recovery_code,
    signing_in_with_a_passkey,
    enrolling_an_application,
    enrolling_a_passkey,
    making_recovery_codes,
    changing_the_password,
)


@pytest.mark.parametrize("prepare", ACTS, ids=lambda prepare: prepare.__name__)
async def test_what_is_not_recorded_is_not_done_and_can_be_done_again(
    office: Office, prepare: Callable[[Office], Awaitable[Act]]
) -> None:
    act = await prepare(office)
    before = await contents(office)
    await rename(office, "outbox", "outbox_away")
    with pytest.raises(DBAPIError):
        await act()
    await rename(office, "outbox_away", "outbox")
    assert await contents(office) == before
    recorded = len(await office.records())
    await act()
    assert await contents(office) != before
    assert len(await office.records()) > recorded
