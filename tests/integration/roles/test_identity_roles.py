"""What each role may do at each address of identity. The tokens here are a test's, as the roles are those of
the moment: who they are of is said by what looks sign-ins up.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest
from joserfc.jwk import ECKey

from lienthong.identity.bootstrap import create_app
from lienthong.identity.events import SystemEvent
from lienthong.identity.openid.endpoints.clients import routes as client_routes
from lienthong.identity.openid.endpoints.registration import routes as registration_routes
from lienthong.identity.people.domain.accounts import Account, AccountState
from lienthong.identity.people.endpoints import routes as people_routes
from lienthong.identity.people.service.people import NewPerson
from lienthong.identity.people.service.sessions import SignedIn
from lienthong.kit.clock import ManualClock
from lienthong.kit.policy import Grant, Role
from lienthong.kit.rest import create_rest_app
from lienthong.kit.status import status_routes
from tests.integration.identity.harness import settings_for, system_event
from tests.integration.identity.people.harness import OPERATOR, an_office
from tests.integration.roles.matrix import mismatches, routes_of, rows
from tests.support.people import OTHER, OWN, Issuer
from tests.support.rpc import rpc_trust

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from fastapi import FastAPI

    from lienthong.kit.access import Caller
    from tests.integration.roles.matrix import Row, Sample

# The lists are narrowed to what the person may see.
TABLE = rows("""
POST   /oauth2/token                                        open
POST   /oauth2/par                                          open
POST   /oauth2/introspect                                   open
POST   /oauth2/revoke                                       open
GET    /oauth2/userinfo                                     open
POST   /oauth2/userinfo                                     open
GET    /oauth2/jwks                                         open
GET    /.well-known/jwks.json                               open
GET    /.well-known/openid-configuration                    open
GET    /.well-known/oauth-authorization-server              open
GET    /identity/v1/status                                  all -   -   -   -   -   all -
POST   /identity/v1/invitations/accept                      open
POST   /identity/v1/invitations/first-administrator         all -   -   -   -   -   -   -
GET    /identity/v1/people                                  all all -   -   all all all all
POST   /identity/v1/people                                  all own -   -   -   -   -   -
GET    /identity/v1/people/{person_id}                      all own -   -   own own all all
PUT    /identity/v1/people/{person_id}/roles                all own -   -   -   -   -   -
POST   /identity/v1/people/{person_id}/link                 all own -   -   -   -   -   -
POST   /identity/v1/people/{person_id}/suspend              all own -   -   own -   all -
POST   /identity/v1/people/{person_id}/resume               all own -   -   -   -   -   -
POST   /identity/v1/people/{person_id}/review               all own -   -   -   -   -   -
GET    /identity/v1/people/{person_id}/sessions             all own -   -   own own all all
DELETE /identity/v1/people/{person_id}/sessions             all own -   -   own -   all -
DELETE /identity/v1/people/{person_id}/sessions/{session_id}  all own -   -   own -   all -
GET    /identity/v1/clients                                 all own own -   -   -   -   -
GET    /identity/v1/applications                            all -   -   -   -   -   -   -
GET    /identity/v1/applications/{client_id:path}           all -   -   -   -   -   -   -
PUT    /identity/v1/applications/{client_id:path}           all -   -   -   -   -   -   -
DELETE /identity/v1/applications/{client_id:path}           all -   -   -   -   -   -   -
""")
NARROWED = {row.route: {"unknown-person"} for row in TABLE if "{person_id}" in row.path}


class Served:
    """Identity's application, the same for people's tokens of the test, and one account of each agency."""

    def __init__(self, whole: FastAPI, app: FastAPI, issuer: Issuer, ids: dict[str, str]) -> None:
        self.whole = whole
        self.app = app
        self.issuer = issuer
        self.ids = ids

    def sample(self, row: Row, code: str) -> Sample:
        path = row.path.replace("{person_id}", self.ids[code]).replace("{session_id}", "none")
        path = path.replace("{client_id:path}", "H11.07/none")
        if row.path.endswith("/clients"):
            path += f"?agency={code}"
        roles = [{"role": "developer", "agency": code}]
        bodies: dict[str, Any] = {
            "/identity/v1/people": {
                "login": f"new@{code.lower()}.example.vn",
                "name": "Mới",
                "agency": code,
                "roles": roles,
            },
            "/identity/v1/people/{person_id}/roles": {"roles": roles},
            "/identity/v1/applications/{client_id:path}": {
                "name": {"vi": "Ứng dụng", "en": "Application"},
                "redirect_uris": ["https://one-stop.example.gov.vn/callback"],
            },
        }
        return path, bodies.get(row.path) if row.method in {"POST", "PUT"} else None


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    clock = ManualClock()
    database_url = f"sqlite+aiosqlite:///{tmp_path}/identity.db"
    settings = settings_for(tmp_path, database_url)
    async with an_office(tmp_path, database_url, clock, settings) as office:
        core = office.core
        ids = {}
        for code in (OWN, OTHER):
            wanted = NewPerson(
                f"an@{code.lower()}.example.vn", "An", code, frozenset({Grant(Role.DEVELOPER, code)})
            )
            account, _ = await core.people.people.invite(OPERATOR, wanted)
            ids[code] = account.id

        async def signed_in_by(caller: Caller) -> SignedIn:
            assert caller.person is not None
            now = clock.now() - timedelta(days=1)
            account = Account(
                caller.person.id, "x", "X", "", AccountState.ACTIVE, caller.person.grants, now, now, now
            )
            return SignedIn(account, cast("Any", None))

        issuer = Issuer(clock)
        app = create_rest_app("identity", summary="As a test asks it.", openapi_path="/openapi.json")
        app.state.access = issuer.access()
        app.include_router(people_routes(core.people.people, signed_in_by, clock, settings.people_url))
        app.include_router(registration_routes(core.openid.applications, signed_in_by))
        app.include_router(client_routes(core.registry, signed_in_by, core.clock))
        for number, code in enumerate((OWN, OTHER, "H11.050")):
            event = system_event(f"{code}/land", [ECKey.generate_key("P-256")], version=number + 1)
            await core.registry.follow(SystemEvent.model_validate_json(event))
        app.include_router(status_routes("/identity/v1"))
        yield Served(create_app(settings, core, rpc_trust()), app, issuer, ids)


async def test_each_role_may_do_at_each_address_what_the_table_says(served: Served) -> None:
    assert {row.route for row in TABLE} == routes_of(served.whole)
    asked = {row.route for row in TABLE if row.kind != "open"}
    assert asked <= routes_of(served.app)
    assert await mismatches(served.app, served.issuer, TABLE, served.sample, NARROWED) == []


async def test_who_manages_systems_sees_which_of_their_keys_are_accepted(
    served: Served,
) -> None:
    transport = httpx.ASGITransport(served.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://identity/identity/v1") as http:

        async def listed(*grants: Grant, query: str = "") -> list[str]:
            answer = await http.get(f"/clients{query}", headers=served.issuer.person(grants))
            assert answer.status_code == 200, answer.text
            assert all(len(one["keys"]) == 1 for one in answer.json()["items"])
            return [one["client_id"] for one in answer.json()["items"]]

        assert await listed(Grant(Role.DEVELOPER, OWN)) == [f"{OWN}/land"]
        both = (Grant(Role.DEVELOPER, OWN), Grant(Role.AGENCY_ADMINISTRATOR, OTHER))
        assert await listed(*both) == [f"{OWN}/land", f"{OTHER}/land"]
        assert await listed(*both, query=f"?limit=1&cursor={OWN}/land") == [f"{OTHER}/land"]
        assert len(await listed(Grant(Role.PLATFORM_OPERATOR))) == 3
