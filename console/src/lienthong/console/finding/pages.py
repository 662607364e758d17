"""Pages: finding in the catalog, a service, and an event type."""

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from lienthong.console.errors import nothing_there
from lienthong.console.finding.documents import MOST_OPERATIONS, description_of, operations_of, schema_of
from lienthong.console.finding.found import KINDS, Asked, Found, provided_path, read
from lienthong.console.finding.samples import PURPOSE, request_of, samples
from lienthong.console.systems.manifests import Named
from lienthong.console.web import Web, shown_above
from lienthong.kit.policy import Action
from lienthong.kit.problems import ProblemError

ROOM: Final = "catalog"
SEARCH: Final = "/catalog/v1/search"
LONGEST_QUERY: Final = 200
_AT_A_TIME: Final = 20
_NOTHING: Final = Found([], 0, [], [], None)


def finding_routes(web: Web) -> APIRouter:
    """Build the routes."""
    router = APIRouter(prefix="/catalog")

    @router.get("")
    async def find(request: Request) -> Response:
        visit = await web.known(request, ROOM)
        given = request.query_params
        kind = given.get("kind", "")
        asked = Asked(
            given.get("q", "")[:LONGEST_QUERY], kind if kind in KINDS else "", given.get("agency", "")
        )
        cursor = given.get("cursor", "")
        query = {"q": asked.q, "kind": asked.kind, "agency": asked.agency, "cursor": cursor}
        found, failed, status = _NOTHING, dict[str, Any](), 200
        try:
            found = read(await visit.desk.get(SEARCH, **query, limit=_AT_A_TIME), asked)
        except ProblemError as problem:
            failed, status = shown_above(problem, "invalid-request"), problem.status
        values = {"problem": None, "asked": asked, "found": found, "first": not cursor, **failed}
        return web.page(request, visit, "find.html", room=ROOM, status=status, **values)

    @router.get("/services/{agency}/{system}/{code}")
    async def one_service(request: Request, agency: str, system: str, code: str) -> Response:
        visit = await web.known(request, ROOM)
        manifest = await visit.desk.get(provided_path("services", agency, system, code))
        service = Named.of(manifest)
        operations = operations_of(manifest)
        return web.page(
            request,
            visit,
            "service.html",
            room=ROOM,
            service=service,
            agency=await web.names.of(visit.desk, [service.agency]),
            system=service.id.rpartition("/")[0],
            description=description_of(service.spec),
            operations=operations,
            cut_off=len(operations) == MOST_OPERATIONS,
            issuer=web.settings.issuer,
            may_request=bool(visit.places(Action.REQUEST_AGREEMENTS)),
        )

    @router.get("/services/{agency}/{system}/{code}/samples")
    async def code_samples(request: Request, agency: str, system: str, code: str) -> Response:
        visit = await web.known(request, ROOM)
        manifest = await visit.desk.get(provided_path("services", agency, system, code))
        service = Named.of(manifest)
        wanted = request.query_params.get("operation", "")
        operations = operations_of(manifest)
        operation = next((one for one in operations if wanted in ("", one.id)), None)
        if operation is None or service.spec.get("wsdl"):
            raise nothing_there()
        found = request_of(
            web.settings.issuer,
            service.id,
            service.spec.get("openapi", {}),
            operation.method,
            operation.path,
        )
        return web.page(
            request,
            visit,
            "samples.html",
            room=ROOM,
            service=service,
            operation=operation,
            samples=samples(found),
            purpose=PURPOSE,
        )

    @router.get("/event-types/{agency}/{system}/{code}")
    async def one_event_type(request: Request, agency: str, system: str, code: str) -> Response:
        visit = await web.known(request, ROOM)
        event_type = Named.of(await visit.desk.get(provided_path("event-types", agency, system, code)))
        return web.page(
            request,
            visit,
            "event_type.html",
            room=ROOM,
            event_type=event_type,
            agency=await web.names.of(visit.desk, [event_type.agency]),
            system=event_type.id.rpartition("/")[0],
            schema=schema_of(event_type.spec),
            may_request=bool(visit.places(Action.REQUEST_AGREEMENTS)),
        )

    return router
