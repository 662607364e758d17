"""Each page of the console and each role: seen or refused; and where every link leads, as each role."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import pytest

from lienthong.kit.policy import Grant, Role
from tests.integration.console.harness import Place, Visitor, a_catalog, a_console, a_ledger
from tests.integration.console.reading import forms_of, links_of
from tests.integration.identity.people.harness import LAND, ONE_STOP
from tests.integration.roles.matrix import rows_of_routes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

ROLES: Final = (
    Grant(Role.PLATFORM_OPERATOR),
    Grant(Role.AGENCY_ADMINISTRATOR, LAND),
    Grant(Role.DEVELOPER, LAND),
    Grant(Role.DATA_OWNER, LAND),
    Grant(Role.SECURITY_OFFICER, LAND),
    Grant(Role.AUDITOR, LAND),
    Grant(Role.SECURITY_OFFICER),
    Grant(Role.AUDITOR),
)
OPEN: Final = "open"
"""For everyone, or for whoever the browser's own cookies say it is: signing in and out, how pages look."""
# `own`: for things of the agency H11.05 only; `all`: for those of H11.01 too; `-`: not at all. In the order
# of ROLES, which is that of decision 0058.
TABLE: Final = """
GET  /                                          open
GET  /sign-in                                   open
GET  /signed-in                                 open
GET  /sign-out                                  open
POST /sign-out                                  open
POST /preferences                               open
GET  /static/{digest}/{name}                    open
GET  /people                                    all all -   -   all all all all
GET  /people/invite                             all all -   -   -   -   -   -
POST /people/invite                             all own -   -   -   -   -   -
GET  /people/{person_id}                        all own -   -   own own all all
POST /people/{person_id}/roles                  all own -   -   -   -   -   -
POST /people/{person_id}/link                   all own -   -   -   -   -   -
POST /people/{person_id}/sign-out               all own -   -   own -   all -
POST /people/{person_id}/sessions/end           all own -   -   own -   all -
POST /people/{person_id}/{act}                  all own -   -   own -   all -
GET  /health                                    all all all all all -   all -
GET  /agencies                                  all all all all all all all all
GET  /agencies/register                         all -   -   -   -   -   -   -
POST /agencies/register                         all -   -   -   -   -   -   -
GET  /agencies/{agency}                         all all all all all all all all
GET  /systems                                   all all all -   -   -   -   -
GET  /systems/register                          all all all -   -   -   -   -
POST /systems/register                          all own own -   -   -   -   -
GET  /systems/{agency}/{code}                   all all all all all all all all
POST /systems/{agency}/{code}/keys              all own own -   -   -   -   -
POST /systems/{agency}/{code}/keys/retire       all own own -   -   -   -   -
GET  /systems/{agency}/{code}/{act}             all own -   -   own -   all -
POST /systems/{agency}/{code}/{act}             all own -   -   own -   all -
GET  /catalog                                   all all all all all all all all
GET  /catalog/services/{agency}/{system}/{code} all all all all all all all all
GET  /catalog/services/{agency}/{system}/{code}/samples all all all all all all all all
GET  /catalog/event-types/{agency}/{system}/{code} all all all all all all all all
GET  /services                                  all -   all all -   -   -   -
GET  /services/new                              all -   all all -   -   -   -
POST /services/new                              all -   own own -   -   -   -
GET  /services/{agency}/{system}/{code}         all -   own own -   -   -   -
GET  /services/{agency}/{system}/{code}/change  all -   -   own -   -   -   -
POST /services/{agency}/{system}/{code}/change  all -   -   own -   -   -   -
POST /services/{agency}/{system}/{code}/stage   all -   own own -   -   -   -
GET  /requests                                  all all all -   -   -   -   -
GET  /requests/late                             all all all -   -   -   -   -
GET  /requests/new                              all all all -   -   -   -   -
POST /requests/new                              all own own -   -   -   -   -
GET  /agreements/{agreement_id}                 all all all all all all all all
GET  /agreements/{agreement_id}/amend           all own own -   -   -   -   -
POST /agreements/{agreement_id}/amend           all own own -   -   -   -   -
POST /agreements/{agreement_id}/{step}          all -   -   own own -   all -
GET  /decisions                                 -   -   -   all -   -   -   -
GET  /usage                                     all own own own own own all all
GET  /usage/graph                               all own own own own own all all
GET  /records                                   -   -   -   own own own all all
"""
REFUSED: Final = frozenset({"role-required", "unknown-person"})
"""What a page says to who may not; people whom one may not see are as if they were not there."""
THUMBPRINT: Final = "A" * 43


def table() -> dict[tuple[str, str], list[str]]:
    """The cells of each route; none for those that are open."""
    found = {}
    for line in TABLE.strip().splitlines():
        method, path, *cells = line.split()
        assert cells == [OPEN] or len(cells) == len(ROLES), line
        found[method, path] = [] if cells == [OPEN] else cells
    return found


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with a_console(tmp_path) as opened, a_catalog(opened, tmp_path), a_ledger(opened, tmp_path):
        yield opened


async def test_every_page_is_in_the_table(place: Place) -> None:
    assert rows_of_routes(place.app) == set(table())


@pytest.mark.parametrize("role", range(len(ROLES)), ids=[grant.name for grant in ROLES])
async def test_a_role_sees_and_does_what_the_table_says_and_no_link_leads_astray(
    place: Place, role: int
) -> None:
    office = place.office
    ours = await office.person("ours", Grant(Role.DEVELOPER, LAND))
    theirs = await office.person("theirs", Grant(Role.DEVELOPER, ONE_STOP), agency=ONE_STOP)
    people = {LAND: ours.account.id, ONE_STOP: theirs.account.id}
    home = "" if not ROLES[role].agency else LAND
    who = await office.person("who", ROLES[role], agency=home)
    async with place.signed_in(who) as visitor:
        await crawl(visitor, hidden="" if not ROLES[role].agency else "theirs@example.vn")
        token = forms_of(await visitor.home())["/sign-out"].fields
        wrong = []
        for (method, path), cells in table().items():
            for agency, person in people.items() if cells else ():
                may = cells[role] == "all" or (cells[role] == "own" and agency == LAND)
                for address, form in samples(path, agency, person):
                    if method == "GET":
                        page = await visitor.open(address)
                    else:
                        page = await visitor.send(f"{place.settings.console_url}{address}", token | form)
                    # What failed at a form is told above it.
                    told = "role-required" if page.status_code == 403 else ""
                    said = page.headers.get("lgsp-error") or told
                    if (said in REFUSED) is may or page.status_code >= 500:
                        wrong.append(f"{method} {address}: {page.status_code} {said}")
        assert wrong == []


def samples(path: str, agency: str, person: str) -> list[tuple[str, dict[str, str]]]:
    """Addresses with the forms that are sent there."""
    address = path.replace("{person_id}", person).replace("{agency}", agency)
    if path.startswith("/catalog/"):
        code = "parcels-v1" if "services" in path else "parcel-changed-v1"
        return [(address.replace("{system}", "land").replace("{code}", code), {})]
    if path.startswith("/services"):
        address = address.replace("{system}", "land").replace("{code}", "parcels-v1")
        typed = {"name_vi": "x", "name_en": "x", "upstreams": "http://10.0.0.9", "stage": "in-review"}
        document = '{"openapi": "3.1.0", "info": {"title": "x", "version": "1"}, "paths": {}}'
        return [(address, typed | {"system": f"{agency}/land", "code": "new-v1", "document": document})]
    address = address.replace("{code}", "land")
    if path == "/requests/new":
        terms = {"purposes": "land-procedure", "legalGround": "Luật Đất đai 2024"}
        target = f"{agency}/land/parcels-v1"
        form = {"kind": "service", "target": target, "consumer": f"{agency}/land", **terms}
        return [(f"{address}?service={target}", form)]
    if path.endswith("/amend"):
        # Of the two agreements each is asked for by the agency after which it is not named.
        theirs = {LAND: ONE_STOP, ONE_STOP: LAND}[agency].lower().replace(".", "-")
        terms = {"purposes": "land-procedure, audit", "legalGround": "Luật Đất đai 2024", "reason": "x"}
        return [(address.replace("{agreement_id}", f"on-{theirs}"), terms)]
    if path.startswith("/agreements/"):
        address = address.replace("{agreement_id}", f"on-{agency.lower().replace('.', '-')}")
        return [(address.replace("{step}", "suspend"), {"version": "1", "reason": "x"})]
    if path == "/people/invite":
        taken = {"login": "ours@example.vn", "name": "A", "agency": agency}
        return [(address, taken | {f"role:developer@{agency}": "1"})]
    if path == "/agencies/register":
        return [(address, {"code": f"{agency}.77", "name_vi": "x", "name_en": "x"})]
    if path == "/systems/register":
        return [(address, {"agency": agency, "code": "new", "name_vi": "x", "name_en": "x"})]
    if path.endswith("/roles"):
        roles = [f"{name}@{agency}" for name in ("developer", "auditor")]
        return [(address, {"seen": one, f"role:{other}": "1"}) for one, other in (roles, roles[::-1])]
    if path.endswith("/keys"):
        return [(address, {"jwk": '{"kty": "EC"}'})]
    if path.endswith("/retire"):
        return [(address, {"thumbprint": THUMBPRINT})]
    if path.endswith("/sessions/end"):
        return [(address, {"session": "none"})]
    if path.startswith(("/usage", "/records")):
        return [(f"{address}?agency={agency}", {})]
    return [(address.replace("{act}", "suspend"), {})]


async def crawl(visitor: Visitor, hidden: str) -> None:
    """Follow every link from the first page on: each leads to a page, and none shows what is `hidden`."""
    origin = urlsplit(visitor.place.settings.console_url).netloc
    seen, ahead = set(), ["/"]
    while ahead:
        path = ahead.pop()
        if path in seen:
            continue
        seen.add(path)
        assert len(seen) < 300, "the links have no end"
        page = await visitor.open(path)
        assert page.status_code == 200, f"{path}: {page.status_code} {page.headers.get('lgsp-error')}"
        if "text/html" not in page.headers["content-type"]:
            continue
        assert not hidden or hidden not in page.text, path
        for link in links_of(page):
            parts = urlsplit(link)
            if parts.netloc in ("", origin) and parts.path and parts.path != "/sign-in":
                ahead.append(parts.path + (f"?{parts.query}" if parts.query else ""))
    assert len(seen) > 5
