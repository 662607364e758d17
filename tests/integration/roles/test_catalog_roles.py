"""What each role may do at each address of the catalog."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from joserfc.jwk import OKPKey
from sqlalchemy import select

from lienthong.catalog.bootstrap import create_app
from lienthong.catalog.models import OUTBOX
from lienthong.client.commands.get import manifests_text
from lienthong.client.manifests.load import load
from lienthong.kit.clock import ManualClock
from lienthong.kit.ids import uuid7
from lienthong.kit.policy import Grant, Role
from tests.integration.catalog.province import agency, manifest, name, openapi
from tests.integration.catalog.province import system as a_system
from tests.integration.roles.matrix import mismatches, routes_of, rows
from tests.support.catalog import OPERATOR, opened_catalog
from tests.support.people import OTHER, OWN, PERSON, ROLES, Issuer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from fastapi import FastAPI

    from tests.integration.roles.matrix import Row, Sample
    from tests.support.catalog import Catalog

# Columns: operator, administrator, developer, owner, security, auditor (of the own agency), security and
# auditor of the whole platform.
TABLE = rows("""
GET    /catalog/v1/status                                       all -   -   -   -   -   all -
POST   /catalog/v1/apply                                        all own own -   -   -   -   -
GET    /catalog/v1/export                                       systems
POST   /catalog/v1/restore                                      systems
GET    /catalog/v1/search                                       all all all all all all all all
GET    /catalog/v1/dcat                                         all all all all all all all all
GET    /catalog/v1/agencies                                     all all all all all all all all
POST   /catalog/v1/mergers                                      all -   -   -   -   -   -   -
GET    /catalog/v1/agencies/{agency}                            all all all all all all all all
GET    /catalog/v1/agencies/{agency}/openapi                    all all all all all all all all
GET    /catalog/v1/systems                                      all all all all all all all all
GET    /catalog/v1/systems/{agency}/{system}                    all all all all all all all all
POST   /catalog/v1/systems/{agency}/{system}/suspend            all own -   -   own -   all -
POST   /catalog/v1/systems/{agency}/{system}/resume             all own -   -   own -   all -
GET    /catalog/v1/systems/{agency}/{system}/keys               all all all all all all all all
POST   /catalog/v1/systems/{agency}/{system}/keys               all own own -   -   -   -   -
DELETE /catalog/v1/systems/{agency}/{system}/keys/{thumbprint}  all own own -   -   -   -   -
GET    /catalog/v1/services                                     all all all all all all all all
GET    /catalog/v1/services/{agency}/{system}/{code}            all all all all all all all all
GET    /catalog/v1/services/{agency}/{system}/{code}/openapi    all all all all all all all all
GET    /catalog/v1/services/{agency}/{system}/{code}/quality    all all all all all all all all
GET    /catalog/v1/services/{agency}/{system}/{code}/wsdl       all all all all all all all all
GET    /catalog/v1/event-types                                  all all all all all all all all
GET    /catalog/v1/event-types/asyncapi                         all all all all all all all all
GET    /catalog/v1/event-types/{agency}/{system}/{code}         all all all all all all all all
GET    /catalog/v1/agreements                                   all all all all all all all all
GET    /catalog/v1/agreements/{agreement_id}                    all all all all all all all all
POST   /catalog/v1/agreements                                   all own own -   -   -   -   -
GET    /catalog/v1/agreements/{agreement_id}/history            all all all all all all all all
PUT    /catalog/v1/agreements/{agreement_id}                    all own own -   -   -   -   -
POST   /catalog/v1/agreements/{agreement_id}/submit             all own own -   -   -   -   -
POST   /catalog/v1/agreements/{agreement_id}/answer             all own own -   -   -   -   -
POST   /catalog/v1/agreements/{agreement_id}/withdraw           all own own -   -   -   -   -
POST   /catalog/v1/agreements/{agreement_id}/ask                -   -   -   own -   -   -   -
POST   /catalog/v1/agreements/{agreement_id}/suspend            all -   -   own own -   all -
POST   /catalog/v1/agreements/{agreement_id}/resume             all -   -   own own -   all -
POST   /catalog/v1/agreements/{agreement_id}/approve            -   -   -   own -   -   -   -
POST   /catalog/v1/agreements/{agreement_id}/reject             -   -   -   own -   -   -   -
POST   /catalog/v1/agreements/{agreement_id}/amendment          all own own -   -   -   -   -
POST   /catalog/v1/agreements/{agreement_id}/amendment/answer   all own own -   -   -   -   -
POST   /catalog/v1/agreements/{agreement_id}/amendment/withdraw all own own -   -   -   -   -
POST   /catalog/v1/agreements/{agreement_id}/amendment/ask      -   -   -   own -   -   -   -
POST   /catalog/v1/agreements/{agreement_id}/amendment/approve  -   -   -   own -   -   -   -
POST   /catalog/v1/agreements/{agreement_id}/amendment/reject   -   -   -   own -   -   -   -
POST   /catalog/v1/agreements/{agreement_id}/revoke             all -   -   own own -   all -
""")

# Of the parts of an apply; each as one manifest of the agency.
APPLY = rows("""
APPLY  Agency               all -   -   -   -   -   -   -
APPLY  System               all own own -   -   -   -   -
APPLY  Service              all -   -   own -   -   -   -
APPLY  DraftOfService       all -   own own -   -   -   -
APPLY  EventType            all -   -   own -   -   -   -
APPLY  Agreement            all own own -   -   -   -   -
APPLY  ApprovedOfOwn        -   -   -   -   -   -   -   -
""")


def new_jwk() -> dict[str, Any]:
    found: dict[str, Any] = OKPKey.generate_key("Ed25519").as_dict(private=False)
    return {name: found[name] for name in ("kty", "crv", "x")}


JWK = new_jwk()


def system(system_id: str, *jwks: dict[str, Any]) -> dict[str, Any]:
    return a_system(system_id, jwks={"keys": list(jwks)})


def event_type(event_type_id: str) -> dict[str, Any]:
    return manifest("EventType", event_type_id, name=name("Sự kiện"), dataSchema={"type": "object"})


def service(*upstreams: str, code: str = OWN, **more: object) -> dict[str, Any]:
    spec = {"name": name("Thửa đất"), "upstreams": list(upstreams), "openapi": openapi()}
    return manifest("Service", f"{code}/land/parcels-v1", **spec | more)


def agreement(agreement_id: str, consumer: str, of: str, status: str) -> dict[str, Any]:
    return manifest(
        "Agreement",
        agreement_id,
        consumer=consumer,
        eventType=of,
        purposes=["land-procedure"],
        legalGround="Điều 12 Luật Đất đai 2024",
        status=status,
    )


def event(code: str) -> str:
    return f"{code}/land/changed-v1"


class Served:
    """The catalog, its application, and who signs tokens for it."""

    def __init__(self, catalog: Catalog, app: FastAPI, issuer: Issuer) -> None:
        self.catalog = catalog
        self.app = app
        self.issuer = issuer

    @asynccontextmanager
    async def as_person(self, *grants: Grant) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(self.app)
        headers = self.issuer.person(grants)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://catalog/catalog/v1", headers=headers
        ) as http:
            yield http

    @asynccontextmanager
    async def as_client(self, client_id: str, scope: str = "") -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(self.app)
        headers = self.issuer.client(client_id, scope)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://catalog/catalog/v1", headers=headers
        ) as http:
            yield http

    async def apply(self, *manifests: dict[str, Any]) -> None:
        body = json.dumps({"manifests": manifests}).encode()
        await self.catalog.services.apply.apply(body, OPERATOR, dry_run=False)

    async def records(self, action: str) -> list[dict[str, Any]]:
        async with self.catalog.database.reading() as session:
            found = [json.loads(one) for one in await session.scalars(select(OUTBOX.c.payload))]
        return [one for one in found if one.get("action") == action and one.get("kind") == "admin"]


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    clock = ManualClock()
    issuer = Issuer(clock)
    async with opened_catalog(f"sqlite+aiosqlite:///{tmp_path}/catalog.db", clock) as catalog:
        app = create_app(catalog.services, issuer.access(), clock, uuid7, 1 << 20)
        served = Served(catalog, app, issuer)
        await served.apply(
            *(agency(code) for code in (OWN, OTHER)),
            *(system(f"{code}/land", new_jwk()) for code in (OWN, OTHER)),
            *(event_type(event(code)) for code in (OWN, OTHER)),
            # Named after the agency whose data it is; the other one asks.
            agreement("on-h11-05", f"{OTHER}/land", event(OWN), "requested"),
            agreement("on-h11-06", f"{OWN}/land", event(OTHER), "requested"),
        )
        yield served


ASKS = ("/submit", "/answer", "/withdraw", "/amendment")
"""Ends of the addresses at which the side that asks for an agreement does something."""


def sample(row: Row, code: str) -> Sample:
    path = row.path.replace("{agency}", code).replace("{system}", "land")
    path = path.replace("{code}", "changed-v1").replace("{thumbprint}", "none")
    # Of the two agreements, each is one agency's to decide on and the other one's to ask for.
    asks = row.path.endswith(ASKS) or row.method == "PUT"
    owner = {OWN: OTHER, OTHER: OWN}[code] if asks else code
    path = path.replace("{agreement_id}", f"on-{owner.lower().replace('.', '-')}")
    if row.path.endswith("/apply"):
        return f"{path}?dry_run=true", {"manifests": [system(f"{code}/new", JWK)]}
    if row.route == ("POST", "/catalog/v1/agreements"):
        terms = {"purposes": ["land-procedure"], "legalGround": "Luật"}
        return path, {"consumer": f"{code}/land", "service": "H11.07/x/none-v1", **terms}
    if row.path.endswith("/keys") and row.method == "POST":
        return path, {"jwk": {"kty": "oct"}}
    return path, {} if row.method in {"POST", "PUT"} else None


async def test_each_role_may_do_at_each_address_what_the_table_says(served: Served) -> None:
    assert {row.route for row in TABLE} == routes_of(served.app)
    assert await mismatches(served.app, served.issuer, TABLE, sample, {}) == []


# Of systems that somebody has suspended: who lets them go on.
RESUMING = rows("""
BY  platform  all -   -   -   -   -   all -
BY  agency    all own -   -   own -   all -
""")


@pytest.mark.parametrize("row", RESUMING, ids=lambda row: row.path)
async def test_who_lets_a_system_go_on_depends_on_who_suspended_it(served: Served, row: Row) -> None:
    suspender = Grant(Role.SECURITY_OFFICER, "" if row.path == "platform" else OWN)
    address = f"/systems/{OWN}/land"
    for grant, cell in zip(ROLES, row.cells, strict=True):
        async with served.as_person(suspender) as http:
            shown = (await http.post(f"{address}/suspend")).json()
            assert (shown["status"], shown["suspendedBy"]) == ("suspended", row.path)
        async with served.as_person(grant) as http:
            answer = await http.post(f"{address}/resume")
            now = (await http.get(address)).json()
        if cell != "-":
            assert answer.status_code == 200, answer.text
            assert (now["status"], now.get("suspendedBy")) == ("active", None)
            continue
        assert answer.status_code == 403
        may = grant in {Grant(Role.AGENCY_ADMINISTRATOR, OWN), Grant(Role.SECURITY_OFFICER, OWN)}
        assert answer.json()["code"] == ("suspended-by-platform" if may else "role-required")
        assert now["status"] == "suspended"


async def test_the_platform_takes_over_what_the_agency_suspended(served: Served) -> None:
    address = f"/systems/{OWN}/land"
    async with served.as_person(Grant(Role.SECURITY_OFFICER, OWN)) as agency:
        first = (await agency.post(f"{address}/suspend")).json()
        async with served.as_person(Grant(Role.PLATFORM_OPERATOR)) as platform:
            taken = (await platform.post(f"{address}/suspend")).json()
        assert taken["suspendedBy"] == "platform"
        assert taken["metadata"]["version"] > first["metadata"]["version"]
        again = (await agency.post(f"{address}/suspend")).json()
        assert again == taken
        refused = await agency.post(f"{address}/resume")
    assert refused.headers["lgsp-error"] == "suspended-by-platform"
    assert refused.json()["roles"] == ["platform-operator", "security-officer"]
    assert "security officer of the platform" in refused.json()["detail"]
    assert "cán bộ an toàn thông tin của toàn nền tảng" in refused.json()["detail_vi"]
    records = await served.records("system.suspend")
    assert [one["detail"]["suspended_by"] for one in records] == ["agency", "platform"]


async def test_a_suspended_system_that_is_applied_again_stays_suspended_by_whom_it_was(
    served: Served,
) -> None:
    await served.catalog.services.systems.suspend(f"{OWN}/land", OPERATOR)
    async with served.as_person(Grant(Role.AGENCY_ADMINISTRATOR, OWN)) as http:
        shown = (await http.get(f"/systems/{OWN}/land")).json()
        shown["spec"]["contact"] = "land@example.vn"
        answer = await http.post("/apply", json={"manifests": [shown]})
        assert answer.status_code == 200, answer.text
        now = (await http.get(f"/systems/{OWN}/land")).json()
    assert (now["spec"]["contact"], now["suspendedBy"]) == ("land@example.vn", "platform")


def applied(row: Row, code: str) -> Sample:
    other = OTHER if code == OWN else OWN
    manifests = {
        "Agency": agency(code),
        "System": system(f"{code}/new", JWK),
        "Service": service(FREE, code=code),
        "DraftOfService": service(FREE, code=code, lifecycle={"stage": "draft"}),
        "EventType": event_type(f"{code}/land/new-v1"),
        "Agreement": agreement(f"{code}.land.another", f"{code}/land", event(other), "requested"),
        # Both sides are of the agency; so it takes a developer's role and an owner's.
        "ApprovedOfOwn": agreement(f"{code}.land.another", f"{code}/land", event(code), "approved"),
    }
    return "/catalog/v1/apply?dry_run=true", {"manifests": [manifests[row.path]]}


async def test_each_part_of_an_apply_is_asked_by_its_own_action(served: Served) -> None:
    table = [type(row)("POST", row.path, row.kind, row.cells) for row in APPLY]
    assert await mismatches(served.app, served.issuer, table, applied, {}) == []


async def test_one_part_that_is_not_allowed_refuses_the_whole_and_is_named(served: Served) -> None:
    manifests = [system(f"{OWN}/new", new_jwk()), event_type(event(OTHER)), system(f"{OTHER}/new", new_jwk())]
    async with served.as_person(Grant(Role.DEVELOPER, OWN)) as http:
        answer = await http.post("/apply", json={"manifests": manifests})
        assert (answer.status_code, answer.json()["code"]) == (403, "role-required")
        assert [one["pointer"] for one in answer.json()["errors"]] == [
            "/manifests/1/metadata/id",
            "/manifests/2/metadata/id",
        ]
        assert (await http.get(f"/systems/{OWN}/new")).status_code == 404
        alone = await http.post("/apply", json={"manifests": manifests[:1]})
    assert alone.status_code == 200
    (record,) = [one for one in await served.records("system.create") if one["object"].endswith("/new")]
    assert record["actor"] == f"person/{PERSON}"
    assert record["detail"]["application"] == "console"


async def test_developers_prepare_what_owners_publish(served: Served) -> None:
    async def answered(grant: Grant, stage: str, *, timeout_ms: int = 1_000) -> tuple[int, str | None]:
        since = {"deprecatedAt": "2026-12-01"} if stage == "deprecated" else {}
        one = service(FREE, lifecycle={"stage": stage, **since}, timeoutMs=timeout_ms)
        async with served.as_person(grant) as http:
            answer = await http.post("/apply", json={"manifests": [one]})
        return answer.status_code, answer.json().get("code")

    developer, owner = Grant(Role.DEVELOPER, OWN), Grant(Role.DATA_OWNER, OWN)
    assert await answered(Grant(Role.DEVELOPER, OTHER), "draft") == (403, "role-required")
    assert await answered(developer, "published") == (403, "role-required")
    assert await answered(developer, "draft") == (200, None)
    assert await answered(developer, "in-review") == (200, None)
    # What is wrong with a draft is told to who may correct it.
    assert await answered(developer, "draft", timeout_ms=-1) == (422, "invalid-manifests")
    assert await answered(developer, "published") == (403, "role-required")
    assert await answered(owner, "published") == (200, None)
    for stage in ("draft", "in-review", "deprecated", "retired"):
        status, code = await answered(developer, stage)
        assert (status, code) in {(403, "role-required"), (409, "conflict")}, stage
    async with served.as_person(owner) as http:
        shown = (await http.get(f"/services/{OWN}/land/parcels-v1")).json()
    assert shown["spec"]["lifecycle"]["stage"] == "published"


async def test_an_agreement_is_not_taken_from_parties_that_did_not_agree(served: Served) -> None:
    moved = agreement("on-h11-06", f"{OTHER}/land", event(OTHER), "requested")
    async with served.as_person(Grant(Role.DEVELOPER, OTHER)) as http:
        answer = await http.post("/apply", json={"manifests": [moved]})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (
            403,
            "/manifests/0/spec/consumer",
        )
    both = Grant(Role.DEVELOPER, OTHER), Grant(Role.DEVELOPER, OWN)
    async with served.as_person(*both) as http:
        answer = await http.post("/apply", json={"manifests": [moved]})
        assert (answer.status_code, answer.json()["action"]) == (403, "agreement:decide")
    async with served.as_person(*both, Grant(Role.DATA_OWNER, OTHER)) as http:
        assert (await http.post("/apply", json={"manifests": [moved]})).status_code == 200


async def test_terms_that_wait_for_a_decision_are_not_changed_under_the_hands_of_who_decides(
    served: Served,
) -> None:
    seen = agreement(f"{OWN}.land.bait", f"{OWN}/land", event(OTHER), "requested")
    switched = json.loads(json.dumps(seen))
    switched["spec"]["purposes"] = ["anything-else"]
    async with served.as_person(Grant(Role.DEVELOPER, OWN)) as http:
        assert (await http.post("/apply", json={"manifests": [seen]})).status_code == 200
        # The same again is no change.
        assert (await http.post("/apply", json={"manifests": [seen]})).status_code == 200
        for dry_run in ("true", "false"):
            answer = await http.post(f"/apply?dry_run={dry_run}", json={"manifests": [switched]})
            assert (answer.status_code, answer.json()["code"]) == (403, "role-required")
            assert answer.json()["action"] == "agreement:decide"
            assert answer.json()["roles"] == [f"data-owner@{OTHER}"]
    async with served.as_person(Grant(Role.DATA_OWNER, OTHER)) as http:
        approved = await http.post(f"/agreements/{OWN}.land.bait/approve")
    assert approved.json()["spec"]["purposes"] == ["land-procedure"]


async def exported(http: httpx.AsyncClient, tmp_path: Path) -> list[dict[str, Any]]:
    """What `lienthong get … -o yaml` writes and `lienthong apply -f` reads of it."""
    items = []
    for kind in ("agencies", "systems", "services", "event-types", "agreements"):
        listed = (await http.get(f"/{kind}")).json()["items"]
        items += [(await http.get(f"/{kind}/{one['metadata']['id']}")).json() for one in listed]
    file = tmp_path / "exported.yaml"
    file.write_text(manifests_text(items))
    read = load([file])
    assert read.mistakes == []
    return read.values


async def test_what_is_exported_is_applied_again_and_changes_nothing(served: Served, tmp_path: Path) -> None:
    """By the operator's client, and by the operator as a person, who decides on no agreement."""
    await served.apply(service(FREE), agreement("on-h11-05", f"{OTHER}/land", event(OWN), "approved"))
    await served.catalog.services.systems.suspend(f"{OTHER}/land", OPERATOR)
    async with served.as_person(Grant(Role.PLATFORM_OPERATOR)) as http:
        manifests = await exported(http, tmp_path)
        assert {one["spec"].get("status") for one in manifests} == {None, "requested", "approved"}
        for headers in (http.headers, served.issuer.client("operator", "catalog:admin")):
            for query in ("?dry_run=true", ""):
                answer = await http.post(f"/apply{query}", json={"manifests": manifests}, headers=headers)
                assert answer.status_code == 200, answer.text
                assert {one["action"] for one in answer.json()["results"]} == {"unchanged"}
        assert await exported(http, tmp_path) == manifests


@pytest.mark.parametrize("status", ["requested", "approved"])
async def test_an_agreement_that_stays_as_it_is_takes_no_role(served: Served, status: str) -> None:
    """Whoever applies files of several agencies has the agreements of others in them."""
    theirs = agreement("on-h11-06", f"{OWN}/land", event(OTHER), status)
    await served.apply(theirs)
    async with served.as_person(Grant(Role.DEVELOPER, "H11.07")) as http:
        answer = await http.post("/apply", json={"manifests": [theirs]})
        assert answer.status_code == 200, answer.text
        assert [one["action"] for one in answer.json()["results"]] == ["unchanged"]
        new = agreement("H11.05.land.new", f"{OWN}/land", event(OTHER), status)
        assert (await http.post("/apply", json={"manifests": [new]})).json()["code"] == "role-required"


async def test_other_terms_are_refused_by_the_agreements_name_and_term(served: Served) -> None:
    approved = agreement("on-h11-06", f"{OWN}/land", event(OTHER), "approved")
    await served.apply(approved)
    other = json.loads(json.dumps(approved))
    other["spec"]["purposes"] = ["anything-else"]
    async with served.as_person(Grant(Role.PLATFORM_OPERATOR)) as http:
        both = {"manifests": [agency(OWN), other]}
        refused = (await http.post("/apply", json=both)).json()
        assert (refused["code"], refused["action"]) == ("role-required", "agreement:decide")
        assert refused["roles"] == [f"data-owner@{OTHER}"]
        (error,) = refused["errors"]
        assert error["pointer"] == "/manifests/1/spec/purposes"
        assert error["detail"].startswith("agreement 'on-h11-06', purposes: You may not approve")
        assert error["detail_vi"].startswith("thoả thuận 'on-h11-06', purposes: Bạn không được")
        other["spec"]["status"] = "requested"
        conflict = (await http.post("/apply", json=both)).json()
    assert conflict["code"] == "conflict"
    assert "'on-h11-06'" in conflict["errors"][0]["detail"]
    assert "(differs in: purposes)" in conflict["errors"][0]["detail"]


@pytest.mark.parametrize("taken", ["one-stop-parcels", f"{OTHER}.land.changes"])
async def test_people_do_not_take_the_names_of_others_agreements(served: Served, taken: str) -> None:
    manifests = [agreement(taken, f"{OWN}/land", event(OTHER), "requested")]
    async with served.as_person(Grant(Role.DEVELOPER, OWN)) as http:
        answer = await http.post("/apply", json={"manifests": manifests})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid-manifests")
        assert [one["pointer"] for one in answer.json()["errors"]] == ["/manifests/0/metadata/id"]
        assert f"{OWN}.land." in answer.json()["errors"][0]["detail"]
        assert (await http.get(f"/agreements/{taken}")).status_code == 404
    async with served.as_person(Grant(Role.PLATFORM_OPERATOR)) as http:
        assert (await http.post("/apply", json={"manifests": manifests})).status_code == 200


async def test_an_apply_is_no_way_round_the_number_of_requests(served: Served) -> None:
    def asking(*numbers: int) -> dict[str, Any]:
        ids = [f"{OWN}.land.a-{number}" for number in numbers]
        return {"manifests": [agreement(one, f"{OWN}/land", event(OTHER), "requested") for one in ids]}

    async with served.as_person(Grant(Role.DEVELOPER, OWN)) as http:
        for query in ("?dry_run=true", ""):
            # One waits from the beginning.
            answer = await http.post(f"/apply{query}", json=asking(*range(100)))
            assert (answer.status_code, answer.json()["code"]) == (409, "too-many-open-requests")
        assert (await http.post("/apply", json=asking(*range(99)))).status_code == 200
        assert (await http.post("/apply", json=asking(*range(99)))).status_code == 200
        assert (await http.post("/apply", json=asking(99))).json()["code"] == "too-many-open-requests"
    owner = Grant(Role.DATA_OWNER, OTHER)
    async with served.as_person(Grant(Role.DEVELOPER, OWN), owner) as http:
        decided = asking(*range(100, 201))
        for one in decided["manifests"]:
            one["spec"]["status"] = "approved"
        answer = await http.post("/apply", json=decided)
        assert (answer.status_code, answer.json()["code"]) == (429, "rate-limited")
        assert int(answer.headers["retry-after"]) > 0
    async with served.as_person(Grant(Role.PLATFORM_OPERATOR)) as http:
        assert (await http.post("/apply", json=asking(99))).status_code == 200


FREE, THEIRS = "http://10.0.0.6:8201", "https://data.example.vn/api"


async def test_people_do_not_send_calls_to_where_another_agency_is(served: Served) -> None:
    await served.apply(service(THEIRS, "http://10.0.0.5:8201", code=OTHER))
    token = {"kind": "oauth2", "secret": "core", "tokenUrl": "https://data.example.vn/token"}
    elsewhere = token | {"tokenUrl": "https://sign-in.example.vn/token"}
    async with served.as_person(Grant(Role.DATA_OWNER, OWN)) as http:
        for taken, place in (
            (service(FREE, "https://DATA.example.vn:443/other"), "upstreams/1"),
            (service("http://data.example.vn.:443"), "upstreams/0"),
            (service("http://10.0.0.5:8201"), "upstreams/0"),
            (service(FREE, credentials=[token]), "credentials/0/tokenUrl"),
        ):
            for query in ("?dry_run=true", ""):
                answer = await http.post(f"/apply{query}", json={"manifests": [taken]})
                assert (answer.status_code, answer.json()["code"]) == (422, "invalid-manifests")
                (error,) = answer.json()["errors"]
                assert error["pointer"] == f"/manifests/0/spec/{place}"
                assert "ask the operator" in error["detail"]
                assert "đề nghị đơn vị vận hành" in error["detail_vi"]
            # Also by a change.
            free = {"manifests": [service(FREE, "http://10.0.0.5:8202", credentials=[elsewhere])]}
            assert (await http.post("/apply", json=free)).status_code == 200
    shared = {"manifests": [service(THEIRS, credentials=[token])]}
    async with served.as_person(Grant(Role.PLATFORM_OPERATOR)) as http:
        assert (await http.post("/apply", json=shared)).status_code == 200
    shared["manifests"][0]["spec"]["timeoutMs"] = 1000
    async with served.as_person(Grant(Role.DATA_OWNER, OWN)) as http:
        assert (await http.post("/apply", json=shared)).status_code == 200, "what it has already is not new"
        moved = {"manifests": [service("https://data.example.vn/private")]}
        assert (await http.post("/apply", json=moved)).status_code == 422
    async with served.as_person(Grant(Role.DATA_OWNER, OWN), Grant(Role.DATA_OWNER, OTHER)) as http:
        assert (await http.post("/apply", json=moved)).status_code == 200, "who speaks for both"


async def test_the_gateway_is_a_member_of_x_road_where_the_operator_says_so(served: Served) -> None:
    theirs = {"client": "VN/GOV/H11.06/land", "service": "VN/GOV/TCT/tax/taxpayers"}
    behind, owner = service(FREE, xRoad=theirs), Grant(Role.DATA_OWNER, OWN)
    async with served.as_person(owner) as http:
        assert (await http.post("/apply", json={"manifests": [service(FREE)]})).status_code == 200
        for query in ("?dry_run=true", ""):
            answer = await http.post(f"/apply{query}", json={"manifests": [behind]})
            assert (answer.status_code, answer.json()["code"]) == (403, "role-required")
            assert answer.json()["roles"] == ["platform-operator"]
            assert [one["pointer"] for one in answer.json()["errors"]] == ["/manifests/0/spec/xRoad"]
    async with served.as_person(Grant(Role.PLATFORM_OPERATOR)) as http:
        assert (await http.post("/apply", json={"manifests": [behind]})).status_code == 200
    async with served.as_person(owner) as http:
        behind["spec"]["timeoutMs"] = 1000
        assert (await http.post("/apply", json={"manifests": [behind]})).status_code == 200
        other = service(FREE, xRoad=theirs | {"service": "VN/GOV/TCT/tax/debts"})
        assert (await http.post("/apply", json={"manifests": [other]})).status_code == 403


async def test_what_does_not_exist_is_refused_in_the_same_words(served: Served) -> None:
    async with served.as_person(Grant(Role.DEVELOPER, OWN)) as http:
        for what in ("suspend", "keys"):
            known, unknown = [
                await http.post(f"/systems/{OTHER}/{code}/{what}", json={}) for code in ("land", "none")
            ]
            assert known.status_code == 403
            assert known.json() == unknown.json()


async def test_the_refusal_says_which_roles_could(served: Served) -> None:
    async with served.as_person(Grant(Role.AUDITOR, OWN)) as http:
        answer = (await http.post(f"/systems/{OTHER}/land/suspend")).json()
    assert answer["action"] == "system:suspend"
    assert answer["roles"] == [
        "platform-operator",
        f"agency-administrator@{OTHER}",
        f"security-officer@{OTHER}",
        "security-officer",
    ]
    assert f"agency administrator of {OTHER}" in answer["detail"]
    assert f"quản trị viên cơ quan của {OTHER}" in answer["detail_vi"]


async def test_a_persons_token_without_the_scope_of_the_console_is_refused(served: Served) -> None:
    transport = httpx.ASGITransport(served.app)
    headers = served.issuer.person([Grant(Role.PLATFORM_OPERATOR)], scope="openid roles")
    async with httpx.AsyncClient(transport=transport, base_url="http://catalog", headers=headers) as http:
        answer = await http.get("/catalog/v1/systems")
    assert answer.json()["code"] == "insufficient-scope"


async def test_a_key_is_added_beside_the_older_one_which_is_retired_later(served: Served) -> None:
    new = new_jwk()
    async with served.as_person(Grant(Role.DEVELOPER, OWN)) as http:
        (old,) = (await http.get(f"/systems/{OWN}/land/keys")).json()["keys"]
        last = await http.delete(f"/systems/{OWN}/land/keys/{old['thumbprint']}")
        assert (last.status_code, last.json()["code"]) == (409, "conflict")
        added = await http.post(f"/systems/{OWN}/land/keys", json={"jwk": new})
        assert added.status_code == 201
        assert [key["jwk"] for key in added.json()["keys"]] == [old["jwk"], new]
        again = await http.post(f"/systems/{OWN}/land/keys", json={"jwk": {**new, "kid": "other"}})
        assert (again.status_code, again.json()["version"]) == (200, added.json()["version"])
        retired = await http.delete(f"/systems/{OWN}/land/keys/{old['thumbprint']}")
        assert [key["jwk"] for key in retired.json()["keys"]] == [new]
        gone = await http.delete(f"/systems/{OWN}/land/keys/{old['thumbprint']}")
        assert (gone.status_code, gone.json()["code"]) == (404, "unknown-resource")
    (record,) = await served.records("system.retire-key")
    assert record["detail"]["key"] == old["thumbprint"]
    assert record["actor"] == f"person/{PERSON}"


@pytest.mark.parametrize(
    ("jwk", "place"),
    [
        ({"kty": "oct", "k": "AAAA"}, "/jwk"),
        ({"kty": "OKP", "crv": "Ed25519", "x": JWK["x"], "d": JWK["x"]}, "/jwk"),
        ("text", "/jwk"),
    ],
)
async def test_a_key_that_is_not_public_is_refused(served: Served, jwk: object, place: str) -> None:
    async with served.as_person(Grant(Role.DEVELOPER, OWN)) as http:
        answer = await http.post(f"/systems/{OWN}/land/keys", json={"jwk": jwk})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-manifests")
    assert any(one["pointer"].startswith(place) for one in answer.json()["errors"])


async def test_no_more_keys_than_a_system_may_have(served: Served) -> None:
    async with served.as_person(Grant(Role.DEVELOPER, OWN)) as http:
        answers = [await http.post(f"/systems/{OWN}/land/keys", json={"jwk": new_jwk()}) for _ in range(16)]
    assert [one.status_code for one in answers] == [201] * 15 + [409]


async def test_two_keys_of_a_system_do_not_have_one_name(served: Served) -> None:
    async with served.as_person(Grant(Role.DEVELOPER, OWN)) as http:
        answers = [
            await http.post(f"/systems/{OWN}/land/keys", json={"jwk": new_jwk() | {"kid": "2026"}})
            for _ in range(2)
        ]
    assert [one.status_code for one in answers] == [201, 409]
    assert answers[1].json()["errors"][0]["pointer"] == "/jwk/kid"


async def test_a_person_asks_for_a_system_and_the_owner_of_the_data_decides(served: Served) -> None:
    wanted = {
        "id": "changes",
        "consumer": f"{OWN}/land",
        "eventType": event(OTHER),
        "purposes": ["land-procedure"],
        "legalGround": "Điều 12",
    }
    async with served.as_person(Grant(Role.DEVELOPER, OWN)) as http:
        asked = await http.post("/agreements", json=wanted)
        assert asked.status_code == 201, asked.text
        asked_for = asked.json()["metadata"]["id"]
        assert asked_for == f"{OWN}.land.changes"
        assert (await http.post("/agreements", json=wanted)).status_code == 200
    async with served.as_person(Grant(Role.DATA_OWNER, OWN)) as http:
        assert (await http.post(f"/agreements/{asked_for}/approve")).status_code == 403
    async with served.as_person(Grant(Role.DATA_OWNER, OTHER)) as http:
        decided = await http.post(f"/agreements/{asked_for}/approve")
    assert decided.json()["decisions"][0]["by"] == f"person/{PERSON}"


async def test_people_see_where_services_are_reached_of_their_own_agency_only(served: Served) -> None:
    own = system(f"{OWN}/xroad", new_jwk())
    own["spec"]["xroad"] = {"connection": "http", "networks": ["10.1.0.0/24"]}
    await served.apply(own)
    async with served.as_person(Grant(Role.DEVELOPER, OWN)) as http:
        assert "xroad" in (await http.get(f"/systems/{OWN}/xroad")).json()["spec"]
    async with served.as_person(Grant(Role.DEVELOPER, OTHER)) as http:
        assert "xroad" not in (await http.get(f"/systems/{OWN}/xroad")).json()["spec"]


# Of a system of the agency that applies with its own key.
BY_SYSTEM = {
    "Agency": "-", "System": "own", "Service": "own", "DraftOfService": "own", "EventType": "own",
    "Agreement": "-", "ApprovedOfOwn": "-",
}  # fmt: skip


async def test_a_system_applies_for_its_agency_what_its_people_may_and_no_agreement(served: Served) -> None:
    assert {row.path for row in APPLY} == set(BY_SYSTEM)
    wrong = []
    async with served.as_client(f"{OWN}/land") as http:
        for row in APPLY:
            for code in (OWN, OTHER):
                path, body = applied(row, code)
                answer = await http.post(path.removeprefix("/catalog/v1"), json=body)
                may = BY_SYSTEM[row.path] == "own" and code == OWN
                refused = (answer.status_code, answer.json().get("code")) == (403, "role-required")
                if refused is may or answer.status_code not in {200, 403}:
                    wrong.append((row.path, code, answer.text))
    assert wrong == []


async def test_what_a_system_applies_is_on_record_with_it_and_goes_nowhere_else(served: Served) -> None:
    await served.apply(service(THEIRS, code=OTHER))
    async with served.as_client(f"{OWN}/land") as http:
        made = await http.post("/apply", json={"manifests": [service(FREE)]})
        assert made.status_code == 200, made.text
        led = await http.post("/apply", json={"manifests": [service(THEIRS)]})
        assert (led.status_code, led.json()["code"]) == (422, "invalid-manifests")
        x_road = {"client": "VN/GOV/H11.06/land", "service": "VN/GOV/TCT/tax/taxpayers"}
        other = await http.post("/apply", json={"manifests": [service(FREE, xRoad=x_road)]})
        assert (other.status_code, other.json()["code"]) == (403, "role-required")
        # An agreement that stays as it is passes, in files that have it.
        unchanged = (await http.get("/agreements/on-h11-05")).json()
        assert (await http.post("/apply", json={"manifests": [unchanged]})).status_code == 200
    (record,) = [one for one in await served.records("service.create") if one["actor"] == f"{OWN}/land"]
    assert record["object"] == f"Service/{OWN}/land/parcels-v1"
    # Who is of no agency has nothing to apply.
    async with served.as_client("auditor", "audit:read") as http:
        answer = await http.post("/apply", json={"manifests": [service(FREE)]})
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient-scope")


async def test_systems_that_a_system_registers_count_towards_its_agencys_quota(tmp_path: Path) -> None:
    clock = ManualClock()
    issuer = Issuer(clock)
    url = f"sqlite+aiosqlite:///{tmp_path}/catalog.db"
    async with opened_catalog(url, clock, systems_per_agency=2) as catalog:
        served = Served(catalog, create_app(catalog.services, issuer.access(), clock, uuid7, 1 << 20), issuer)
        await served.apply(agency(OWN), system(f"{OWN}/land", new_jwk()))
        async with served.as_client(f"{OWN}/land") as http:
            one = await http.post("/apply", json={"manifests": [system(f"{OWN}/second", new_jwk())]})
            two = await http.post("/apply", json={"manifests": [system(f"{OWN}/third", new_jwk())]})
    assert one.status_code == 200
    assert (two.status_code, two.json()["code"]) == (409, "too-many-systems")
