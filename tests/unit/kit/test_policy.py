"""The decision table of roles, spelled out: role and action, on the own agency, another, the platform."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.kit.policy import Action, Grant, Role, allowed, may_grant, needs_second_factor

OWN, OTHER, PLATFORM = "H11.05", "H11.06", ""

ROLES = (
    Grant(Role.PLATFORM_OPERATOR),
    Grant(Role.AGENCY_ADMINISTRATOR, OWN),
    Grant(Role.DEVELOPER, OWN),
    Grant(Role.DATA_OWNER, OWN),
    Grant(Role.SECURITY_OFFICER, OWN),
    Grant(Role.AUDITOR, OWN),
    Grant(Role.SECURITY_OFFICER),
    Grant(Role.AUDITOR),
)

# all: of every agency and of the platform; own: of the own agency; -: nowhere.
TABLE = """
                    operator  admin  developer  owner  security  auditor  all-security  all-auditor
catalog:read        all       all    all        all    all       all      all           all
agency:manage       all       -      -          -      -         -        -             -
system:manage       all       own    own        -      -         -        -             -
system:suspend      all       own    -          -      own       -        all           -
service:draft       all       -      own        own    -         -        -             -
service:manage      all       -      -          own    -         -        -             -
agreement:request   all       own    own        -      -         -        -             -
agreement:decide    -         -      -          own    -         -        -             -
agreement:revoke    all       -      -          own    own       -        all           -
record:read         -         -      -          own    own       own      all           all
health:read         all       own    own        own    own       -        all           -
person:read         all       own    -          -      own       own      all           all
person:manage       all       own    -          -      -         -        -             -
person:suspend      all       own    -          -      own       -        all           -
"""

CELLS = [
    (Action(row[0]), grant, cell)
    for row in (line.split() for line in TABLE.strip().splitlines()[1:])
    for grant, cell in zip(ROLES, row[1:], strict=True)
]
REACH = {"all": {OWN, OTHER, PLATFORM}, "own": {OWN}, "-": set[str]()}


@pytest.mark.parametrize(
    ("action", "grant", "cell"), CELLS, ids=lambda value: str(getattr(value, "value", value))
)
def test_a_role_may_do_what_the_table_says_and_nothing_else(action: Action, grant: Grant, cell: str) -> None:
    may = {agency for agency in (OWN, OTHER, PLATFORM) if allowed([grant], action, agency)}
    assert may == REACH[cell]


def test_the_table_has_every_action_and_every_role() -> None:
    assert {action for action, _, _ in CELLS} == set(Action)
    assert {grant.role for _, grant, _ in CELLS} == set(Role)


def test_without_a_role_nothing_is_allowed() -> None:
    assert not any(
        allowed([], action, agency) for action, agency in itertools.product(Action, (OWN, PLATFORM))
    )


@given(
    st.sets(st.sampled_from(ROLES)), st.sampled_from(list(Action)), st.sampled_from([OWN, OTHER, PLATFORM])
)
def test_several_roles_allow_what_one_of_them_allows(held: set[Grant], action: Action, agency: str) -> None:
    assert allowed(held, action, agency) == any(allowed([grant], action, agency) for grant in held)


def test_an_agency_is_not_taken_for_one_that_its_code_begins_with() -> None:
    administrator = [Grant(Role.AGENCY_ADMINISTRATOR, "H11")]
    assert not allowed(administrator, Action.MANAGE_PEOPLE, "H11.05")
    assert not allowed([Grant(Role.AGENCY_ADMINISTRATOR, "H11.05")], Action.MANAGE_PEOPLE, "H11")


@pytest.mark.parametrize(
    ("held", "wanted", "may"),
    [
        (Grant(Role.PLATFORM_OPERATOR), Grant(Role.PLATFORM_OPERATOR), True),
        (Grant(Role.PLATFORM_OPERATOR), Grant(Role.AGENCY_ADMINISTRATOR, OWN), True),
        (Grant(Role.AGENCY_ADMINISTRATOR, OWN), Grant(Role.DATA_OWNER, OWN), True),
        (Grant(Role.AGENCY_ADMINISTRATOR, OWN), Grant(Role.AGENCY_ADMINISTRATOR, OWN), True),
        (Grant(Role.AGENCY_ADMINISTRATOR, OWN), Grant(Role.DATA_OWNER, OTHER), False),
        (Grant(Role.AGENCY_ADMINISTRATOR, OWN), Grant(Role.PLATFORM_OPERATOR), False),
        (Grant(Role.AGENCY_ADMINISTRATOR, OWN), Grant(Role.AUDITOR), False),
        (Grant(Role.SECURITY_OFFICER), Grant(Role.DEVELOPER, OWN), False),
        (Grant(Role.DEVELOPER, OWN), Grant(Role.DEVELOPER, OWN), False),
    ],
    ids=str,
)
def test_roles_are_given_by_those_who_manage_the_people_there(held: Grant, wanted: Grant, may: bool) -> None:
    assert may_grant([held], wanted) is may


@pytest.mark.parametrize(
    ("role", "agency"),
    [
        (Role.PLATFORM_OPERATOR, OWN),
        (Role.AGENCY_ADMINISTRATOR, PLATFORM),
        (Role.DEVELOPER, PLATFORM),
        (Role.DATA_OWNER, PLATFORM),
    ],
)
def test_a_role_that_cannot_be_held_there_cannot_be_made(role: Role, agency: str) -> None:
    with pytest.raises(ValueError, match=role.value):
        Grant(role, agency)


def test_who_could_let_others_in_or_stop_them_signs_in_with_two_factors() -> None:
    assert {grant.role for grant in ROLES if needs_second_factor([grant])} == {
        Role.PLATFORM_OPERATOR,
        Role.AGENCY_ADMINISTRATOR,
        Role.SECURITY_OFFICER,
    }
    assert not needs_second_factor([])


def test_the_decision_shows_this_table() -> None:
    decision = Path("docs/adr/0058-one-policy-for-people.md").read_text("utf-8")
    rows = re.findall(r"^\| `([a-z:]+)` \|(.+)\|$", decision, flags=re.MULTILINE)
    shown = [(name, *(cell.strip() for cell in cells.split("|"))) for name, cells in rows]
    assert shown == [tuple(line.split()) for line in TABLE.strip().splitlines()[1:]]
