"""REST: searching."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse

from lienthong.catalog import errors
from lienthong.catalog.domain.resources import ResourceKind
from lienthong.catalog.endpoints import PREFIX, After, AgencyFilter, AnyActor, encode_cursor
from lienthong.catalog.search.domain.asked import Asked
from lienthong.catalog.search.domain.hits import Hit
from lienthong.catalog.search.domain.place import Place
from lienthong.catalog.search.schemas import FoundPage, SearchedKind
from lienthong.catalog.search.service import Found, SearchService
from lienthong.kit.json_text import is_portable_text
from lienthong.kit.rest import StrictRoute
from lienthong.kit.text import BilingualText

LONGEST_QUERY: Final = 200
DEFAULT_HITS, MOST_HITS = 20, 100


def _asked(
    q: Annotated[
        str,
        Query(
            max_length=LONGEST_QUERY,
            description="Words, with or without marks; without any, everything is found.",
        ),
    ] = "",
) -> Asked:
    if not is_portable_text(q):
        raise errors.invalid_search(
            BilingualText(
                "'q' holds a NUL character or half of a surrogate pair; remove it",
                "'q' có ký tự NUL hoặc nửa cặp surrogate; hãy bỏ đi",
            )
        )
    return Asked.of(q)


def _after(cursor: After) -> Place | None:
    if not cursor:
        return None
    try:
        return Place.read(cursor)
    except ValueError:
        raise errors.invalid_cursor() from None


AskedFor = Annotated[Asked, Depends(_asked)]
AfterPlace = Annotated[Place | None, Depends(_after)]


def routes(search: SearchService) -> APIRouter:
    """Build the route of searching."""
    router = APIRouter(prefix=f"{PREFIX}/search", tags=["search"], route_class=StrictRoute)

    @router.get("", response_model=FoundPage)
    async def find(
        actor: AnyActor,
        asked: AskedFor,
        after: AfterPlace,
        limit: Annotated[int, Query(ge=1, le=MOST_HITS)] = DEFAULT_HITS,
        kind: Annotated[SearchedKind | None, Query(description="Only those of this kind.")] = None,
        agency: AgencyFilter = None,
    ) -> JSONResponse:
        """Find agencies, systems, services and event types that have all words, the best first.

        The last word may be the beginning of one, unless something stands after it. Drafts and services in
        review are found by their agency and the operator only.
        """
        of_kind = None if kind is None else ResourceKind(kind)
        found = await search.search(asked, actor, kind=of_kind, agency=agency, after=after, limit=limit)
        return JSONResponse(_document(found))

    return router


def _document(found: Found) -> dict[str, Any]:
    return {
        "items": [_hit(hit, found.agency_names) for hit in found.hits],
        "total": found.total,
        "facets": {
            "kinds": [{"kind": one.kind.value, "count": one.count} for one in found.kinds],
            "agencies": [
                {"agency": _agency(one.agency, found.agency_names), "count": one.count}
                for one in found.agencies
            ],
        },
        "next": None if found.next is None else encode_cursor(found.next.write()),
    }


def _hit(hit: Hit, names: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    return {
        "kind": hit.kind.value,
        "id": hit.id,
        "agency": _agency(hit.agency, names),
        "name": hit.name,
        "description": hit.description,
        "operations": hit.operations,
        "highlights": hit.highlights,
    }


def _agency(code: str, names: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    return {"code": code, "name": names.get(code)}
