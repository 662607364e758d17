"""Who may change whose account: the policy, and what keeps an agency's administrator out of others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lienthong.identity.people.domain.accounts import (
    Account,
    AccountRules,
    AccountState,
    may_change,
    may_see,
    ungrantable,
    visible_agencies,
)
from lienthong.identity.people.domain.sessions import (
    Factor,
    NextStep,
    Origin,
    Session,
    SessionRules,
    alive,
    enough,
    next_step,
)
from lienthong.kit.actors import Actor
from lienthong.kit.policy import Action, Grant, Role

NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
LAND, ONE_STOP = "H11.05", "H11.01"
OPERATOR = Grant(Role.PLATFORM_OPERATOR)
ADMIN, OTHER_ADMIN = Grant(Role.AGENCY_ADMINISTRATOR, LAND), Grant(Role.AGENCY_ADMINISTRATOR, ONE_STOP)
DEVELOPER, OWNER_THERE = Grant(Role.DEVELOPER, LAND), Grant(Role.DATA_OWNER, ONE_STOP)


def account(*grants: Grant, agency: str = LAND, person_id: str = "someone") -> Account:
    return Account(
        person_id, "an@example.vn", "An", agency, AccountState.ACTIVE, frozenset(grants), NOW, NOW, NOW
    )


def actor(*grants: Grant, person_id: str = "actor") -> Actor:
    return Actor(f"person/{person_id}", frozenset(grants), person_id)


@pytest.mark.parametrize(
    ("who", "whose", "may"),
    [
        (actor(ADMIN), account(DEVELOPER), True),
        (actor(ADMIN), account(), True),
        (actor(OTHER_ADMIN), account(DEVELOPER), False),
        (actor(ADMIN), account(DEVELOPER, OWNER_THERE), False),
        (actor(ADMIN, OTHER_ADMIN), account(DEVELOPER, OWNER_THERE), True),
        (actor(ADMIN), account(OPERATOR), False),
        (actor(OPERATOR), account(DEVELOPER, OWNER_THERE), True),
        (actor(OPERATOR), account(OPERATOR, agency=""), True),
        (actor(OPERATOR), account(OPERATOR, person_id="actor"), False),
        (actor(DEVELOPER), account(), False),
        (actor(), account(), False),
    ],
)
def test_an_account_is_managed_by_who_may_manage_everywhere_that_it_reaches(
    who: Actor,
    whose: Account,
    may: bool,
) -> None:
    assert may_change(who, Action.MANAGE_PEOPLE, whose) is may


def test_a_security_officer_stops_people_and_starts_none() -> None:
    officer = actor(Grant(Role.SECURITY_OFFICER, LAND))
    assert may_change(officer, Action.SUSPEND_PEOPLE, account(DEVELOPER))
    assert not may_change(officer, Action.MANAGE_PEOPLE, account(DEVELOPER))
    assert not may_change(officer, Action.SUSPEND_PEOPLE, account(OPERATOR))


def test_people_see_themselves_and_those_of_their_agencies() -> None:
    assert may_see(actor(person_id="someone"), account(DEVELOPER))
    assert may_see(actor(Grant(Role.AUDITOR, ONE_STOP)), account(OWNER_THERE))
    assert not may_see(actor(Grant(Role.AUDITOR, ONE_STOP)), account(DEVELOPER))
    assert not may_see(actor(DEVELOPER), account(DEVELOPER))


def test_the_list_has_the_agencies_that_the_roles_reach() -> None:
    assert visible_agencies(actor(OPERATOR)) is None
    assert visible_agencies(actor(Grant(Role.AUDITOR))) is None
    assert visible_agencies(actor(ADMIN, OWNER_THERE)) == frozenset({LAND})
    assert visible_agencies(actor(DEVELOPER)) == frozenset()


def test_only_roles_that_change_have_to_be_grantable() -> None:
    held = (DEVELOPER, OWNER_THERE)
    assert ungrantable(actor(ADMIN), held, [ADMIN, OWNER_THERE]) == []
    assert ungrantable(actor(ADMIN), held, [DEVELOPER]) == [OWNER_THERE]
    assert ungrantable(actor(ADMIN), held, [*held, OPERATOR]) == [OPERATOR]


def test_an_account_is_idle_after_the_days_without_a_sign_in() -> None:
    rules = AccountRules()
    assert not rules.is_idle(account(), NOW + timedelta(days=45, seconds=-1))
    assert rules.is_idle(account(), NOW + timedelta(days=45))
    assert not rules.review_due(account(), NOW + timedelta(days=182, seconds=-1))
    assert rules.review_due(account(), NOW + timedelta(days=182))


def session(*factors: Factor) -> Session:
    rules = SessionRules()
    return Session("id", "someone", NOW, NOW, NOW + rules.absolute, factors, Origin.of("192.0.2.1", "x"))


def test_a_session_ends_idle_and_at_its_age() -> None:
    rules, found = SessionRules(), session(Factor.PASSWORD)
    assert alive(found, NOW + timedelta(minutes=29), rules)
    assert not alive(found, NOW + timedelta(minutes=30), rules)
    busy = Session(
        found.id, found.person_id, NOW, found.expires_at, found.expires_at, found.factors, found.origin
    )
    assert alive(busy, found.expires_at - timedelta(seconds=1), rules)
    assert not alive(busy, found.expires_at, rules)


def test_a_role_that_demands_two_factors_ends_a_session_of_one() -> None:
    assert enough(account(DEVELOPER), session(Factor.PASSWORD))
    assert not enough(account(ADMIN), session(Factor.PASSWORD))
    for factors in (
        (Factor.PASSWORD, Factor.TOTP),
        (Factor.PASSKEY,),
        (Factor.PASSWORD, Factor.RECOVERY_CODE),
    ):
        assert enough(account(ADMIN), session(*factors))


@pytest.mark.parametrize(
    ("grants", "has", "step"),
    [
        ((DEVELOPER,), False, None),
        ((DEVELOPER,), True, NextStep.SECOND_FACTOR),
        ((ADMIN,), False, NextStep.ENROL),
        ((OPERATOR,), True, NextStep.SECOND_FACTOR),
        ((), False, None),
    ],
)
def test_after_the_password_comes_what_the_person_has_or_the_roles_demand(
    grants: tuple[Grant, ...], has: bool, step: NextStep | None
) -> None:
    assert next_step(account(*grants), has_second_factor=has) is step


def test_what_a_browser_says_is_cut_and_has_no_control_characters() -> None:
    found = Origin.of("a" * 1_000, "Mozilla\r\n\x1b[31m" + "b" * 1_000_000)
    assert len(found.address) <= 45
    assert len(found.client) <= 200
    assert "\x1b" not in found.client
    assert "\n" not in found.client


def test_a_hash_is_not_shown_where_an_account_is() -> None:
    assert "argon2" not in repr(
        Account("id", "l", "n", "", AccountState.ACTIVE, frozenset(), NOW, NOW, NOW, "$argon2id$secret")
    )
