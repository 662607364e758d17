"""What each role may do at each address of the gateway's own, of which none is a service's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from lienthong.contracts.catalog.v1 import routes_pb2
from lienthong.gateway import openapi
from lienthong.kit.openapi import VERSION
from lienthong.kit.policy import Grant, Role
from tests.integration.gateway.world import World, agreement, assert_in_form, service
from tests.integration.roles.matrix import mismatches_at, rows
from tests.support.people import OTHER, OWN, PERSON

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from tests.integration.roles.matrix import Row, Sample

# Who calls a provider is a system, whatever its method.
TABLE = rows("""
GET     /api/{agency}/{system}/{service}/{path}   systems
HEAD    /api/{agency}/{system}/{service}/{path}   systems
POST    /api/{agency}/{system}/{service}/{path}   systems
PUT     /api/{agency}/{system}/{service}/{path}   systems
PATCH   /api/{agency}/{system}/{service}/{path}   systems
DELETE  /api/{agency}/{system}/{service}/{path}   systems
OPTIONS /api/{agency}/{system}/{service}/{path}   systems
GET     /openapi.json                             open
GET     /.well-known/lgsp-assertion-keys.json     open
GET     /health.json                              open
GET     /gateway/v1/status                        all -   -   -   -   -   all -
GET     /limits/v1/agreements/{agreement}         all own own own own -   all -
POST    /audit/v1/person-hashes                   -   -   -   all all all all all
""")
THIRD = "H11.07"
CITIZEN = "079203001234"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A gateway, and agreements with either agency on one of the two sides."""
    world = World(tmp_path_factory.mktemp("world"))
    try:
        world.start()
        limits = routes_pb2.Limits(per_day=1000)
        upstream = [world.provider.url]
        operations = [(f"{method.lower()}It", method, "/x") for method in METHODS]
        for owner in (OWN, OTHER, THIRD):
            of = f"{owner}/land/parcels-v1"
            world.change(service(upstream, service_id=of, operations=operations))
        for code in (OWN, OTHER):
            provided, called = f"{code}/land/parcels-v1", f"{THIRD}/land/parcels-v1"
            world.change(
                agreement(f"on-{code}", consumer=f"{THIRD}/land", service_id=provided, limits=limits),
                agreement(f"by-{code}", consumer=f"{code}/land", service_id=called, limits=limits),
            )
        yield world
    finally:
        world.close()


def person(world: World, grants: Collection[Grant], scope: str = "openid roles platform") -> dict[str, str]:
    roles = [grant.name for grant in grants]
    token = world.token("console", sub=PERSON, sid="s1", roles=roles, scope=scope)
    return {"Authorization": f"Bearer {token}"}


def bodies(row: Row) -> Any:  # noqa: ANN401 - the JSON of a body
    return {"value": CITIZEN} if row.path.endswith("/person-hashes") else None


@pytest.mark.parametrize("side", ["on", "by"])
async def test_each_role_may_do_at_each_address_what_the_table_says(world: World, side: str) -> None:
    def sample(row: Row, code: str) -> Sample:
        path = row.path.replace("{agreement}", f"{side}-{code}").replace("{agency}", code)
        path = path.replace("{system}", "land").replace("{service}", "parcels-v1").replace("{path}", "x")
        return path, bodies(row)

    documented = openapi.document()["paths"]
    assert {row.route for row in TABLE} == {
        (method.upper(), path)
        for path, methods in documented.items()
        for method in methods
        if method != "parameters"
    }
    async with httpx.AsyncClient(base_url=world.url, trust_env=False) as http:
        found = await mismatches_at(http, lambda grants: person(world, grants), TABLE, sample, {})
    assert found == []


def test_a_person_who_asks_for_the_hashes_of_another_is_on_record(world: World) -> None:
    headers = person(world, [Grant(Role.AUDITOR, OWN)])
    url = f"{world.url}/audit/v1/person-hashes"
    answer = httpx.post(url, json={"value": CITIZEN}, headers=headers, trust_env=False)
    assert answer.status_code == 200
    record = world.record(answer.headers["lgsp-transaction-id"])
    assert (record["client"], record["acts_for"], record["operation"]) == ("console", PERSON, "hashPerson")
    assert record["persons"] == answer.json()["hashes"][:1]
    assert_in_form([record])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"/limits/v1/agreements/on-{OWN}"),
        ("POST", "/audit/v1/person-hashes"),
        ("GET", "/gateway/v1/status"),
    ],
)
def test_the_token_of_another_application_is_not_enough(world: World, method: str, path: str) -> None:
    headers = person(world, [Grant(Role.SECURITY_OFFICER)], scope="openid roles api audit:read")
    answer = httpx.request(method, f"{world.url}{path}", headers=headers, trust_env=False)
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient-scope")


def test_only_who_answers_for_the_platform_is_told_the_version(world: World) -> None:
    url = f"{world.url}/gateway/v1/status"
    headers = person(world, [Grant(Role.PLATFORM_OPERATOR)])
    answer = httpx.get(url, headers=headers, trust_env=False)
    told = answer.json()
    assert (told["process"], told["version"], told["status"]) == ("gateway", VERSION, "ready")
    assert 0 <= told["up_s"] < httpx.get(url, headers=headers, trust_env=False).json()["up_s"]
    assert {"routes", "keys", "journal"} <= {one["name"] for one in told["checks"]}
    assert answer.headers["cache-control"] == "no-store"
    assert world.record(answer.headers["lgsp-transaction-id"])["operation"] == "status"
    assert (
        httpx.get(url, trust_env=False).status_code,
        httpx.post(url, headers=headers, trust_env=False).status_code,
    ) == (401, 405)
    assert set(httpx.get(f"{world.url}/health.json", trust_env=False).json()) == {"status", "follows"}


def test_the_refusal_says_which_roles_could(world: World) -> None:
    headers = person(world, [Grant(Role.DEVELOPER, OTHER)])
    url = f"{world.url}/limits/v1/agreements/on-{OWN}"
    refused = httpx.get(url, headers=headers, trust_env=False).json()
    assert refused["action"] == "health:read"
    assert f"data-owner@{OWN}" in refused["roles"]
    url = f"{world.url}/audit/v1/person-hashes"
    refused = httpx.post(url, json={"value": CITIZEN}, headers=headers, trust_env=False).json()
    assert refused["action"] == "record:read"
    assert refused["roles"] == ["data-owner", "security-officer", "auditor"]
