"""REST: the catalog as a DCAT-AP catalogue."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from lienthong.catalog import errors
from lienthong.catalog.dcat.domain.graph import json_ld, turtle
from lienthong.catalog.dcat.schemas import JsonLdPage
from lienthong.catalog.dcat.service import FIRST, DcatService
from lienthong.catalog.endpoints import PREFIX, After, AnyActor, encode_cursor
from lienthong.catalog.schemas.answers import inlined
from lienthong.kit.rest import StrictRoute

JSON_LD, TURTLE = "application/ld+json", "text/turtle"
MOST_AT_ONCE, DEFAULT_AT_ONCE = 200, 100
_CONTENT: Final = {JSON_LD: {"schema": inlined(JsonLdPage.model_json_schema())}, TURTLE: {}}


def routes(dcat: DcatService) -> APIRouter:
    """Build the route of the catalogue."""
    router = APIRouter(prefix=f"{PREFIX}/dcat", tags=["dcat"], route_class=StrictRoute)

    @router.get("", response_class=Response, responses={200: {"content": _CONTENT}})
    async def catalogue(
        request: Request,
        actor: AnyActor,
        after: After,
        limit: Annotated[int, Query(ge=1, le=MOST_AT_ONCE)] = DEFAULT_AT_ONCE,
    ) -> Response:
        """Show services, then event types, as a catalogue of DCAT-AP 3.0.1, a page at a time.

        JSON-LD, or Turtle where Accept prefers it. `Link` with `rel="next"` (RFC 8288) has the next page.
        """
        try:
            page = await dcat.page(actor, after or FIRST, limit)
        except ValueError:
            raise errors.invalid_cursor() from None
        headers = {"Vary": "Accept"}
        if page.next is not None:
            address = f"{PREFIX}/dcat?cursor={encode_cursor(page.next)}&limit={limit}"
            headers["Link"] = f'<{address}>; rel="next"'
        if _prefers_turtle(request.headers.get("accept", "")):
            return Response(turtle(page.nodes), media_type=TURTLE, headers=headers)
        return Response(json_ld(page.nodes), media_type=JSON_LD, headers=headers)

    return router


def _prefers_turtle(accept: str) -> bool:
    """Whether Turtle is named with a greater weight than JSON-LD (RFC 9110 §12.5.1)."""
    weights: dict[str, float] = {}
    for part in accept.split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = next((one[2:] for one in parameters if one.startswith("q=")), "1")
        try:
            weights[name] = float(weight)
        except ValueError:
            weights[name] = 0.0
    others = max((weights.get(name, 0.0) for name in (JSON_LD, "application/json")), default=0.0)
    return weights.get(TURTLE, 0.0) > others
