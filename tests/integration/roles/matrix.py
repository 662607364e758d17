"""Rows of the table of roles over endpoints, and what compares them with an application.

A cell says on whose things a role lets a person use an address: `all`, `own` or `-` for nobody's.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import httpx
from fastapi.routing import APIRoute

from lienthong.kit.health import RunningProcess
from tests.support.people import OTHER, OWN, ROLES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from fastapi import FastAPI

    from lienthong.kit.policy import Grant
    from tests.support.people import Issuer

OPEN: Final = "open"
"""Not for people's tokens or any other: who calls proves itself in another way, or the document is public."""
SYSTEMS: Final = "systems"
"""Systems call here for themselves: no person may, whatever the roles."""
REACH: Final = {"all": {OWN, OTHER}, "own": {OWN}, "-": set[str]()}


@dataclass(frozen=True)
class Row:
    """What one address allows."""

    method: str
    path: str
    kind: str
    cells: tuple[str, ...]

    @property
    def route(self) -> tuple[str, str]:
        return self.method, self.path


def rows(table: str) -> list[Row]:
    """Read a table: method, path, and one cell for each role, or one word for all."""
    found = []
    for line in table.strip().splitlines():
        method, path, *cells = line.split()
        if len(cells) == 1 and cells[0] in {OPEN, SYSTEMS}:
            found.append(Row(method, path, cells[0], ("-",) * len(ROLES)))
        else:
            assert len(cells) == len(ROLES), line
            assert REACH.keys() >= set(cells), line
            found.append(Row(method, path, "people", tuple(cells)))
    assert len({row.route for row in found}) == len(found)
    return found


def routes_of(app: FastAPI) -> set[tuple[str, str]]:
    """Every address of an application, whether its document names it or not."""
    found = rows_of_routes(app)
    named = {(method.upper(), path) for path, methods in app.openapi()["paths"].items() for method in methods}
    assert {(method, re.sub(r":path\}", "}", path)) for method, path in found} == named
    return found


def rows_of_routes(app: FastAPI) -> set[tuple[str, str]]:
    """Every address of an application that has no document."""
    return {(method, route.path) for route in _routes(app.router) for method in route.methods or ()}


def _routes(router: Any) -> Iterator[APIRoute]:  # noqa: ANN401 - FastAPI's kinds of routes
    for route in router.routes:
        if isinstance(route, APIRoute):
            yield route
        elif hasattr(route, "original_router"):
            yield from _routes(route.original_router)


Sample = tuple[str, Any]
"""A path, and the JSON of its body; None without one."""


async def mismatches(
    app: FastAPI,
    issuer: Issuer,
    table: list[Row],
    sample: Callable[[Row, str], Sample],
    narrowed: Mapping[tuple[str, str], set[str]],
) -> list[str]:
    """Where the application does not do what the table says, for each role, and for nobody with a role.

    `sample` makes a request about things of an agency. `narrowed` are addresses where things that the person
    may not see are as if they were not there, with the codes by which a person is refused.
    """
    # As `run_process` does; the checks are none of this table's.
    app.state.process = RunningProcess("a-service", {}, time.monotonic())
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as http:
        return await mismatches_at(http, issuer.person, table, sample, narrowed)


async def mismatches_at(
    http: httpx.AsyncClient,
    person: Callable[[Collection[Grant]], Mapping[str, str]],
    table: list[Row],
    sample: Callable[[Row, str], Sample],
    narrowed: Mapping[tuple[str, str], set[str]],
) -> list[str]:
    """As `mismatches`, of what is reached by a client; `person` gives the headers of somebody with roles."""
    found: list[str] = []
    for row in table:
        if row.kind == OPEN:
            continue
        cells = [*zip(ROLES, row.cells, strict=True), (None, "-")]
        for grant, cell in cells:
            for agency in (OWN, OTHER):
                path, body = sample(row, agency)
                headers = person([grant] if grant else [])
                answer = await http.request(row.method, path, json=body, headers=headers)
                code = answer.headers.get("lgsp-error")
                may = agency in REACH[cell]
                expected = {"person-refused"} if row.kind == SYSTEMS else {"role-required"}
                expected |= narrowed.get(row.route, set())
                if may and answer.status_code in {401, 403}:
                    found.append(f"{row.route} {grant} {agency}: refused, {code}")
                elif not may and code not in expected:
                    found.append(f"{row.route} {grant} {agency}: let in, {answer.status_code} {code}")
                elif answer.status_code >= 500:
                    found.append(f"{row.route} {grant} {agency}: {answer.status_code} {code}")
    return found
