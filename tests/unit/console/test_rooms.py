"""Who sees which room: each role, held for an agency or for the platform, and each room."""

from __future__ import annotations

import pytest

from lienthong.console.rooms import ROOMS, open_to
from lienthong.kit.policy import Grant, Role

SEEN = {
    Grant(Role.PLATFORM_OPERATOR): {
        "catalog",
        "systems",
        "services",
        "requests",
        "health",
        "usage",
        "people",
    },
    Grant(Role.SECURITY_OFFICER): {"catalog", "records", "health", "usage", "people"},
    Grant(Role.AUDITOR): {"catalog", "usage", "records", "people"},
    Grant(Role.AGENCY_ADMINISTRATOR, "H11.05"): {
        "catalog",
        "systems",
        "requests",
        "health",
        "usage",
        "people",
    },
    Grant(Role.DEVELOPER, "H11.05"): {"catalog", "systems", "services", "requests", "health", "usage"},
    Grant(Role.DATA_OWNER, "H11.05"): {"catalog", "services", "decisions", "records", "health", "usage"},
    Grant(Role.SECURITY_OFFICER, "H11.05"): {"catalog", "records", "health", "usage", "people"},
    Grant(Role.AUDITOR, "H11.05"): {"catalog", "usage", "records", "people"},
}


@pytest.mark.parametrize("grant", SEEN, ids=lambda grant: grant.name)
@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_a_room_is_seen_or_not(grant: Grant, room: object) -> None:
    shown = open_to({grant})
    assert (room in shown) == (getattr(room, "name", "") in SEEN[grant])


def test_every_role_is_in_the_table() -> None:
    assert {grant.role for grant in SEEN} == set(Role)


def test_several_roles_open_what_each_opens() -> None:
    held = {Grant(Role.DEVELOPER, "H11.05"), Grant(Role.AUDITOR, "H11.08")}
    assert {room.name for room in open_to(held)} == {
        "catalog", "systems", "services", "requests", "health", "usage", "records", "people",
    }  # fmt: skip


def test_nobody_sees_anything_without_a_role() -> None:
    assert open_to(()) == []
