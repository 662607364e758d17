"""Tokens of people who have signed in to an application: they call no provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.gateway.world import API

if TYPE_CHECKING:
    from tests.integration.gateway.world import World

PERSON: dict[str, Any] = {
    "sub": "01890000-0000-7000-8000-000000000001",
    "sid": "s1",
    "roles": ["data-owner@H11.05"],
}


def test_what_is_for_systems_refuses_a_persons_token(world: World) -> None:
    with world.client(world.token(**PERSON)) as client:
        answer = client.get(f"{API}/parcels/1")
    assert (answer.status_code, answer.headers["lgsp-error"]) == (403, "person-refused")


@pytest.mark.parametrize(
    "path",
    [
        "/identity/v1/people",
        "/catalog/v1/systems",
        "/exchange/v1/systems/H11.05/land/subscriptions",
        "/audit/v1/entries",
    ],
)
def test_the_platforms_own_services_get_a_persons_token_and_decide_themselves(
    world: World, path: str
) -> None:
    token = world.token(**PERSON)
    with world.client(token) as client:
        answer = client.get(path)
    assert answer.status_code == 200
    assert world.platform.seen[-1].header("authorization") == f"Bearer {token}"
    record = world.record(answer.headers["lgsp-transaction-id"])
    assert (record["status"], record["acts_for"]) == (200, PERSON["sub"])


def test_a_token_that_is_neither_a_systems_nor_a_persons_is_refused(world: World) -> None:
    cases: list[dict[str, Any]] = [{"sub": "somebody"}, {"sid": "s1"}, {"roles": []}]
    for wrong in (*cases, {**PERSON, "roles": ["king"]}):
        with world.client(world.token(**wrong)) as client:
            answer = client.get(f"{API}/parcels/1")
        assert (answer.status_code, answer.json()["reason"]) == (401, "claims")
