"""A call for a person is the system's, and the record and the provider are told of the person."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from lienthong.kit.tokens import act_claim
from tests.unit.gateway.test_gateway_whole_way import API, SCHEMA
from tests.unit.gateway.way import CONSUMER, OTHER, SUSPENDED, Way

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

PERSON = "01890000-0000-7000-8000-000000000001"
OF_PERSON: dict[str, Any] = {"sub": PERSON, "sid": "s1", "roles": ["data-owner@H11.05"]}


def acting(way: Way, *chain: str, scope: str = "api", **more: object) -> str:
    """A token by which the first of a chain acts."""
    return way.token(chain[0], scope, **OF_PERSON, act=act_claim(chain), **more)


def records(outcome: dict[str, Any]) -> dict[str, dict[str, Any]]:
    texts = [record.replace("…", f'"{"0" * 64}"') for record in outcome["records"]]
    texts = [text.replace(f'bytes":"{"0" * 64}"', 'bytes":0') for text in texts]
    found = {record["kind"]: record for record in map(json.loads, texts)}
    for record in found.values():
        jsonschema.validate(record, json.loads(SCHEMA.read_text()))
    return found


@pytest.fixture
async def way(tmp_path: Path) -> AsyncIterator[Way]:
    """A gateway that serves."""
    way = Way(tmp_path, None, 1000)
    await way.open()
    yield way
    await way.close()


async def test_it_passes_by_the_systems_agreement_and_is_recorded_for_the_person(way: Way) -> None:
    outcome = await way.call("GET", f"{API}/p/1", token=acting(way, CONSUMER, "H11.01/portal"))
    assert outcome["answer"]["status"] == 200
    record = records(outcome)["call"]
    ordinary = records(await way.call("GET", f"{API}/p/1", token=way.token()))["call"]
    assert (record["client"], record["agreement"]) == (CONSUMER, ordinary["agreement"])
    assert (record["acts_for"], record["actors"]) == (PERSON, [CONSUMER, "H11.01/portal"])
    names = list(record)
    assert names.index("acts_for") + 1 == names.index("actors")


async def test_the_intent_names_the_person_too(way: Way) -> None:
    stated = {"lgsp-case-id": "1", "lgsp-user": "079090000001", "lgsp-purpose": "land-procedure"}
    deeds = "/api/H11.05/land/deeds-v1/p/made"
    found = records(await way.call("POST", deeds, headers=stated, token=acting(way, CONSUMER)))
    for kind in ("intent", "call"):
        assert (found[kind]["acts_for"], found[kind]["actors"]) == (PERSON, [CONSUMER])
        assert found[kind]["user"].startswith("hmac-sha256:")


async def test_an_ordinary_call_has_neither(way: Way) -> None:
    record = records(await way.call("GET", f"{API}/p/1", token=way.token()))["call"]
    assert not record.keys() & {"acts_for", "actors"}


async def test_a_person_adds_nothing_to_what_the_system_may(way: Way) -> None:
    outcome = await way.call("GET", f"{API}/p/1", token=acting(way, OTHER, CONSUMER))
    assert (outcome["answer"]["status"], records(outcome)["call"]["error"]) == (403, "no-agreement")
    assert records(outcome)["call"]["acts_for"] == PERSON


async def test_a_persons_own_token_still_calls_no_provider(way: Way) -> None:
    outcome = await way.call("GET", f"{API}/p/1", token=way.token(**OF_PERSON))
    record = records(outcome)["call"]
    assert (record["error"], record["acts_for"]) == ("person-refused", PERSON)
    assert "actors" not in record


async def test_without_the_scope_it_calls_nothing(way: Way) -> None:
    outcome = await way.call("GET", f"{API}/p/1", token=acting(way, CONSUMER, scope="openid"))
    assert records(outcome)["call"]["error"] == "insufficient-scope"


@pytest.mark.parametrize("chain", [(SUSPENDED,), (CONSUMER, SUSPENDED), (CONSUMER, OTHER, SUSPENDED)])
async def test_a_suspended_system_in_the_chain_stops_it(way: Way, chain: tuple[str, ...]) -> None:
    outcome = await way.call("GET", f"{API}/p/1", token=acting(way, *chain))
    assert (outcome["answer"]["status"], records(outcome)["call"]["error"]) == (403, "client-suspended")


async def test_what_an_application_asks_of_the_platform_names_its_person(way: Way) -> None:
    outcome = await way.call("GET", "/catalog/v1/x", token=way.token(scope="platform", **OF_PERSON))
    record = records(outcome)["call"]
    assert (record["client"], record["acts_for"]) == (CONSUMER, PERSON)


async def test_the_provider_is_told_in_the_assertion(way: Way) -> None:
    path = "/api/H11.05/land/proved-v1/p/1"
    said = _asserted(await way.call("GET", path, token=acting(way, CONSUMER, "H11.01/portal")))
    assert (said["sub"], said["person"]) == (CONSUMER, PERSON)
    assert said["act"] == {"sub": CONSUMER, "act": {"sub": "H11.01/portal"}}
    assert not _asserted(await way.call("GET", path, token=way.token())).keys() & {"person", "act"}


def _asserted(outcome: dict[str, Any]) -> dict[str, Any]:
    (sent,) = outcome["sent"]
    found = re.search(r"lgsp-assertion: \{.*?\} (\{.*\}) SIGNATURE", sent)
    assert found is not None, sent
    claims: dict[str, Any] = json.loads(found[1])
    return claims
