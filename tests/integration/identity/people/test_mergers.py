"""People of agencies that are merged: they and their roles are the other agency's, and tokens say so."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lienthong.identity.events import AgencyEvent, SystemEvent
from lienthong.identity.people.repository import accounts
from lienthong.kit.policy import Grant, Role
from tests.integration.identity.people.harness import LAND, ONE_STOP, Office, Person

if TYPE_CHECKING:
    from lienthong.identity.people.domain.accounts import Account

NEW, LAST = "H68.05", "H99"
OWNER = Grant(Role.DATA_OWNER, LAND)


def merged(code: str, into: str, version: int = 1) -> AgencyEvent:
    event = {
        "version": version,
        "kind": "Agency",
        "id": code,
        "action": "upserted",
        "resource": {"mergedInto": into},
    }
    return AgencyEvent.model_validate_json(json.dumps(event))


def system_of(agency: str | None, version: int = 1) -> SystemEvent:
    event = {
        "version": version,
        "kind": "System",
        "id": f"{LAND}/land",
        "action": "upserted",
        "resource": {"spec": {"jwks": {"keys": []}}, "agency": agency},
    }
    return SystemEvent.model_validate_json(json.dumps(event))


async def now(office: Office, person: Person) -> Account:
    async with office.core.database.reading() as session:
        found = await accounts.find(session, person.account.id)
    assert found is not None
    return found


async def test_people_and_their_roles_move_once_and_are_on_record(office: Office) -> None:
    person = await office.person("an", OWNER, Grant(Role.DEVELOPER, LAND), Grant(Role.DEVELOPER, NEW))
    other = await office.person("binh", Grant(Role.DATA_OWNER, ONE_STOP), agency=ONE_STOP)

    assert await office.core.people.mergers.follow_agency(merged(LAND, NEW))

    account = await now(office, person)
    assert account.agency == NEW
    assert account.grants == {Grant(Role.DATA_OWNER, NEW), Grant(Role.DEVELOPER, NEW)}
    assert (await now(office, other)).agency == ONE_STOP
    [record] = await office.records("person.move")
    assert record["object"] == f"Person/{person.account.id}"
    assert record["detail"] == {"from": LAND, "to": NEW, "roles": ["data-owner", "developer"]}

    assert not await office.core.people.mergers.follow_agency(merged(LAND, NEW))
    assert not await office.core.people.mergers.follow_agency(merged(LAND, "H11.06", version=0))
    assert len(await office.records("person.move")) == 1


async def test_an_agency_that_was_not_merged_moves_nobody(office: Office) -> None:
    person = await office.person("an", OWNER)
    plain = {"version": 1, "kind": "Agency", "id": LAND, "action": "upserted"}
    assert not await office.core.people.mergers.follow_agency(
        AgencyEvent.model_validate_json(json.dumps(plain))
    )
    assert not await office.core.people.mergers.follow_system(system_of(None))
    assert (await now(office, person)).agency == LAND


async def test_a_system_tells_of_a_merger_whose_event_was_lost(office: Office) -> None:
    person = await office.person("an", OWNER)
    assert await office.core.people.mergers.follow_system(system_of(NEW))
    assert not await office.core.people.mergers.follow_system(system_of(NEW))
    assert (await now(office, person)).grants == {Grant(Role.DATA_OWNER, NEW)}


async def test_of_one_merger_after_the_other_the_last_counts(office: Office) -> None:
    person = await office.person("an", OWNER)
    for event in (merged(NEW, LAST, version=5), merged(LAND, NEW, version=4)):
        assert await office.core.people.mergers.follow_agency(event)
    assert (await now(office, person)).agency == LAST


async def test_who_comes_to_a_merged_agency_is_moved_later(office: Office) -> None:
    await office.core.people.mergers.follow_agency(merged(LAND, NEW))
    person = await office.person("an", OWNER)
    assert await office.core.people.mergers.move_left() == 1
    assert await office.core.people.mergers.move_left() == 0
    assert (await now(office, person)).grants == {Grant(Role.DATA_OWNER, NEW)}


async def test_what_an_agency_stands_for_is_known_at_once(office: Office) -> None:
    stands_for = office.core.tokens._successions
    assert (await stands_for.of_client(f"{LAND}/land")).claim() == {}
    await office.core.people.mergers.follow_agency(merged(LAND, NEW))
    await office.core.people.mergers.follow_agency(merged("H11.06", NEW))
    expected = {NEW: [LAND, "H11.06"]}
    for client in (f"{LAND}/land", f"{NEW}/land"):
        assert (await stands_for.of_client(client)).claim() == expected
    assert (await stands_for.of_client(f"{ONE_STOP}/one-stop")).claim() == {}
    assert (await stands_for.of_client("operator")).claim() == {}
