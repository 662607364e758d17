"""What the platform has suspended, the platform alone lets go on."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lienthong.catalog.systems.domain.system import Suspender, SystemResource
from lienthong.kit.actors import Actor
from lienthong.kit.policy import Grant, Role
from lienthong.kit.problems import ProblemError

NOW = datetime(2026, 12, 1, tzinfo=UTC)
ACTIVE = SystemResource(id="H11.05/land", spec={}, status="active", version=1, created_at=NOW, updated_at=NOW)


def person(*grants: Grant) -> Actor:
    return Actor("person/x", frozenset(grants), "x")


OPERATOR = Actor("operator", is_operator=True)
PLATFORM = (
    OPERATOR,
    person(Grant(Role.PLATFORM_OPERATOR)),
    person(Grant(Role.SECURITY_OFFICER)),
    person(Grant(Role.AGENCY_ADMINISTRATOR, "H11.05"), Grant(Role.SECURITY_OFFICER)),
)
AGENCY = (
    person(Grant(Role.AGENCY_ADMINISTRATOR, "H11.05")),
    person(Grant(Role.SECURITY_OFFICER, "H11.05")),
)


@pytest.mark.parametrize("platform", PLATFORM)
@pytest.mark.parametrize("agency", AGENCY)
def test_the_suspension_by_the_platform_wins_whichever_comes_first(platform: Actor, agency: Actor) -> None:
    for first, second in ((platform, agency), (agency, platform)):
        suspended = ACTIVE.suspended(first).suspended(second)
        assert (suspended.status, suspended.suspended_by) == ("suspended", Suspender.PLATFORM)
        with pytest.raises(ProblemError, match="suspended-by-platform") as refused:
            suspended.resumed(agency)
        assert refused.value.extra["roles"] == ["platform-operator", "security-officer"]
        assert suspended.resumed(platform) == ACTIVE


@pytest.mark.parametrize("actor", [*PLATFORM, *AGENCY])
def test_what_the_agency_suspended_the_agency_or_the_platform_resumes(actor: Actor) -> None:
    suspended = ACTIVE.suspended(AGENCY[0])
    assert suspended.suspended_by is Suspender.AGENCY
    assert suspended.resumed(actor) == ACTIVE


@pytest.mark.parametrize("actor", [PLATFORM[0], AGENCY[0]])
def test_the_same_again_changes_nothing(actor: Actor) -> None:
    suspended = ACTIVE.suspended(actor)
    assert suspended.suspended(actor) is suspended
    assert ACTIVE.resumed(actor) is ACTIVE


def test_the_manifest_says_who_suspended_it() -> None:
    assert "suspendedBy" not in ACTIVE.manifest()
    assert ACTIVE.suspended(OPERATOR).manifest()["suspendedBy"] == "platform"
