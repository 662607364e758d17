"""Who asks a service: what is made of a token, and how somebody is refused."""

from __future__ import annotations

import pytest

from lienthong.kit.access import Caller
from lienthong.kit.actors import Actor
from lienthong.kit.policy import Action, Grant, Role, allowed, reached, who_may
from lienthong.kit.problems import ProblemError
from lienthong.kit.problems.roles import ACTIONS, ROLES, role_required
from lienthong.kit.tokens import Person
from tests.support.people import OTHER, OWN
from tests.support.people import ROLES as HELD

DEVELOPER, AUDITOR = Grant(Role.DEVELOPER, OWN), Grant(Role.AUDITOR)
SYSTEM = Caller(f"{OWN}/land", frozenset({"api"}))


def person(*grants: Grant) -> Actor:
    held = Person("p1", "s1", frozenset(grants))
    return Actor.of(Caller("console", frozenset({"platform"}), held), "tx-1")


def test_a_person_acts_under_an_id_that_says_nothing_and_in_an_application() -> None:
    actor = person(DEVELOPER)
    assert (actor.name, actor.id, actor.application) == ("person/p1", "p1", "console")
    assert (actor.is_person, actor.is_system, actor.is_operator, actor.agency) == (True, False, False, "")
    assert actor.recorded({"version": 1}) == {"version": 1, "application": "console"}


def test_a_system_has_an_agency_and_no_roles() -> None:
    actor = Actor.of(SYSTEM)
    assert (actor.name, actor.agency, actor.is_system, actor.grants) == (
        f"{OWN}/land",
        OWN,
        True,
        frozenset(),
    )
    assert actor.recorded({"version": 1}) == {"version": 1}
    assert not any(actor.may(action, OWN) or actor.may_somewhere(action) for action in Action)


def test_the_operators_client_may_do_everything_and_belongs_everywhere() -> None:
    actor = Actor.of(Caller("operator", frozenset({"catalog:admin"})), operator=True)
    assert all(actor.may(action, OWN) for action in Action)
    assert actor.agencies(Action.READ_RECORDS) is None
    assert actor.belongs_to(OWN)
    assert (actor.is_person, actor.is_system, actor.agency) == (False, False, "")


def test_a_person_is_never_the_operator_whatever_scopes_the_token_has() -> None:
    caller = Caller("console", frozenset({"platform", "catalog:admin"}), Person("p1", "s1", frozenset()))
    actor = Actor.of(caller, operator=True)
    assert not actor.is_operator
    assert not actor.may(Action.READ_CATALOG)


def test_roles_of_the_moment_count_before_those_of_the_token() -> None:
    caller = Caller("console", frozenset(), Person("p1", "s1", frozenset({DEVELOPER})))
    assert Actor.of(caller, grants=()).grants == frozenset()


def test_what_moves_between_agencies_needs_a_role_for_both() -> None:
    person(DEVELOPER, Grant(Role.DEVELOPER, OTHER)).demand(Action.MANAGE_SYSTEMS, OWN, OTHER)
    with pytest.raises(ProblemError) as refused:
        person(DEVELOPER).demand(Action.MANAGE_SYSTEMS, OWN, OTHER)
    assert refused.value.code == "role-required"
    assert refused.value.extra["roles"] == [
        "platform-operator",
        f"agency-administrator@{OTHER}",
        f"developer@{OTHER}",
    ]


@pytest.mark.parametrize("action", Action)
def test_the_roles_that_are_named_are_those_that_could(action: Action) -> None:
    for agency in (OWN, ""):
        named = {Grant(role, where or "") for role, where in who_may(action, agency)}
        could = {grant for grant in HELD if allowed([grant], action, agency)}
        if action is Action.READ_CATALOG and agency == "":
            # Every role is enough, wherever it is held; those for the whole platform are named.
            assert named <= could
        else:
            assert named == could
    assert {role for role, _ in who_may(action, None)} == {
        grant.role for grant in HELD if allowed([grant], action, grant.agency)
    }


@pytest.mark.parametrize("action", Action)
def test_where_a_role_reaches_is_where_it_is_allowed(action: Action) -> None:
    for grant in HELD:
        reach = reached([grant], action)
        for agency in (OWN, OTHER, ""):
            assert allowed([grant], action, agency) == ("" in reach or agency in reach)
        actor = person(grant)
        assert actor.may_somewhere(action) == bool(reach)
        assert (actor.agencies(action) is None) == ("" in reach)


def test_every_action_and_role_has_words_in_both_languages() -> None:
    assert set(ACTIONS) == set(Action)
    assert set(ROLES) == set(Role)
    for action in Action:
        for agency in (None, "", OWN):
            detail = role_required(action, agency).detail
            assert "role" in detail.en
            assert "Vai trò" in detail.vi


def test_an_agency_shows_what_is_its_own_to_its_systems_its_people_and_operators() -> None:
    assert Actor.of(SYSTEM).belongs_to(OWN)
    assert not Actor.of(SYSTEM).belongs_to(OTHER)
    assert person(DEVELOPER).belongs_to(OWN)
    assert not person(DEVELOPER).belongs_to(OTHER)
    assert person(AUDITOR).belongs_to(OTHER)
    assert not person().belongs_to(OWN)
