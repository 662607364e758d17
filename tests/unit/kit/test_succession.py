"""Agencies stand for those that were merged into them: roles and systems reach their codes, and no others."""

from __future__ import annotations

import pytest

from lienthong.kit.access import Caller
from lienthong.kit.actors import Actor
from lienthong.kit.policy import Action, Grant, Role
from lienthong.kit.succession import NOBODY, StandsFor
from lienthong.kit.tokens import Person

MERGED = StandsFor.of({"H68": ["H11", "H10"], "H20": []})
DEVELOPER = Role.DEVELOPER


def test_the_claim_is_read_as_it_is_written() -> None:
    assert MERGED.claim() == {"H68": ["H10", "H11"]}
    assert StandsFor.of_claim(MERGED.claim()) == MERGED
    assert StandsFor.of_claim({}) == NOBODY


@pytest.mark.parametrize(
    "claim",
    [None, [], "H11", {"H68": "H11"}, {"H68": [1]}, {"": ["H11"]}, {"H68": [""]}, {"H68": ["H" * 36]},
     {"H68": [f"H{number}" for number in range(401)]}],
    ids=str,
)  # fmt: skip
def test_anything_else_is_refused(claim: object) -> None:
    with pytest.raises(ValueError, match=r"codes"):
        StandsFor.of_claim(claim)


def test_roles_reach_the_codes_of_before() -> None:
    held = {Grant(DEVELOPER, "H68"), Grant(Role.AUDITOR)}
    assert MERGED.reach(held) == held | {Grant(DEVELOPER, "H10"), Grant(DEVELOPER, "H11")}
    assert MERGED.reach({Grant(DEVELOPER, "H11")}) == {Grant(DEVELOPER, "H11")}

    caller = Caller("console", frozenset(), Person("p", "s", frozenset(held)), stands_for=MERGED)
    person = Actor.of(caller)
    assert person.may(Action.MANAGE_SYSTEMS, "H11")
    assert person.agencies(Action.MANAGE_SYSTEMS) == frozenset({"H68", "H10", "H11"})
    assert not person.may(Action.MANAGE_SYSTEMS, "H12")
    assert person.belongs_to("H10")


@pytest.mark.parametrize("client", ["H68/land", "H11/land"])
def test_systems_of_before_and_after_are_of_one_agency(client: str) -> None:
    caller = Caller(client, frozenset(), stands_for=MERGED)
    system = Actor.of(caller)
    for agency in ("H68", "H10", "H11"):
        assert caller.is_of(agency)
        assert system.is_of(agency)
        assert system.belongs_to(agency)
    assert not caller.is_of("H20")
    assert not system.is_of("")
    assert not caller.is_of(None)


def test_nobody_is_of_no_agency() -> None:
    for client in ("operator", "console"):
        assert not Caller(client, frozenset()).is_of("")
    assert Caller("H11/land", frozenset()).is_of("H11")
