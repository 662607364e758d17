"""Pages: the services of an agency, drafting one, changing it, and the stages of its life."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from lienthong.console.errors import room_closed, service_taken
from lienthong.console.finding.found import provided_path
from lienthong.console.publishing.drafting import (
    Written,
    changed_service,
    moved_service,
    new_service,
    read_document,
    with_lines,
)
from lienthong.console.publishing.own import STAGES, Quality, may_change, stage_of, steps_of
from lienthong.console.systems.asking import AT_A_TIME, AT_THE_FORM, SYSTEMS, is_there, onward
from lienthong.console.systems.manifests import Named, listed
from lienthong.console.web import NOTHING_FAILED, Visit, Web, room_named, shown_above
from lienthong.kit.policy import Action
from lienthong.kit.problems import ProblemError
from lienthong.pages.frame import see_other

ROOM: Final = "services"
SERVICES: Final = "/catalog/v1/services"
APPLY: Final = "/catalog/v1/apply"
_MOST_AGENCIES: Final = 20
_MOST_SYSTEMS: Final = 200
LARGEST_FORM: Final = 3 * 1024 * 1024
"""Bytes of a form with a document, in which most characters take one and Vietnamese letters up to nine."""


def publishing_routes(web: Web) -> APIRouter:
    """Build the routes."""
    router = APIRouter(prefix="/services")
    # Documents are read in threads: two at a time, whoever sends how many.
    reading = asyncio.Semaphore(2)

    async def document_of(form: Mapping[str, str]) -> Written:
        async with reading:
            return await asyncio.to_thread(read_document, form.get("document", ""))

    async def own(request: Request, agency: str) -> Visit:
        """Who asks, for a service of an agency whose services that person may draft."""
        visit = await web.known(request, ROOM)
        if not visit.may(Action.DRAFT_SERVICES, agency):
            raise room_closed(room_named(ROOM).title)
        return visit

    @router.get("")
    async def own_services(request: Request) -> Response:
        visit = await web.known(request, ROOM)
        places = visit.places(Action.DRAFT_SERVICES)[:_MOST_AGENCIES]
        found = []
        for place in places:
            cursor = request.query_params.get("cursor", "") if len(places) == 1 else ""
            page = await visit.desk.get(SERVICES, agency=place, cursor=cursor, limit=AT_A_TIME)
            services = [(one, STAGES[stage_of(one.spec)]) for one in listed(page)]
            found.append((place, services, onward("/services", page) if len(places) == 1 else None))
        agency = await web.names.of(visit.desk, places)
        return web.page(request, visit, "own_services.html", room=ROOM, found=found, agency=agency)

    async def drafting(
        request: Request,
        visit: Visit,
        form: Mapping[str, str],
        **values: Any,  # noqa: ANN401
    ) -> Response:
        systems: list[Named] = []
        for place in visit.places(Action.DRAFT_SERVICES)[:_MOST_AGENCIES]:
            of_place = {"agency": place} if place else {}
            systems += listed(await visit.desk.get(SYSTEMS, **of_place, limit=_MOST_SYSTEMS))
        shown = {**NOTHING_FAILED, "mistakes": (), "checked": None, **values}
        return web.page(
            request, visit, "draft_service.html", room=ROOM, form=form, systems=systems, service=None, **shown
        )

    @router.get("/new")
    async def ask_what(request: Request) -> Response:
        visit = await web.known(request, ROOM)
        return await drafting(request, visit, {"system": request.query_params.get("system", "")})

    @router.post("/new")
    async def draft(request: Request) -> Response:
        visit = await web.known(request, ROOM)
        form = await web.forms.read(request, limit=LARGEST_FORM)
        written = None
        try:
            written = await document_of(form)
            manifest = new_service(form, written)
            found = str(manifest["metadata"]["id"])
            # An apply changes what is there.
            if await _taken(visit, found):
                raise service_taken()
            await visit.desk.send("POST", APPLY, {"manifests": [manifest]})
        except ProblemError as problem:
            failed = shown_above(problem, *AT_THE_FORM)
            told = with_lines(problem, written)
            return await drafting(request, visit, form, status=problem.status, mistakes=told, **failed)
        return see_other(f"/services/{found}?done=drafted")

    async def page_of(request: Request, visit: Visit, service: Named, **values: Any) -> Response:  # noqa: ANN401
        quality = None
        if not service.spec.get("wsdl"):
            quality = Quality.of(await visit.desk.get(f"{SERVICES}/{service.id}/quality"))
        done = request.query_params.get("done", "")
        return web.page(
            request,
            visit,
            "own_service.html",
            room=ROOM,
            service=service,
            stage=stage_of(service.spec),
            stages=STAGES,
            steps=steps_of(visit, service),
            may_change=may_change(visit, service),
            quality=quality,
            **{**NOTHING_FAILED, "mistakes": (), "done": done, **values},
        )

    @router.get("/{agency}/{system}/{code}")
    async def own_service(request: Request, agency: str, system: str, code: str) -> Response:
        visit = await own(request, agency)
        found = Named.of(await visit.desk.get(provided_path("services", agency, system, code)))
        return await page_of(request, visit, found)

    async def changing(
        request: Request,
        visit: Visit,
        service: Named,
        form: Mapping[str, str],
        **values: Any,  # noqa: ANN401
    ) -> Response:
        shown = {**NOTHING_FAILED, "mistakes": (), "checked": None, **values}
        return web.page(
            request, visit, "draft_service.html", room=ROOM, form=form, systems=(), service=service, **shown
        )

    @router.get("/{agency}/{system}/{code}/change")
    async def ask_change(request: Request, agency: str, system: str, code: str) -> Response:
        visit = await own(request, agency)
        found = Named.of(await visit.desk.get(provided_path("services", agency, system, code)))
        if not may_change(visit, found):
            raise room_closed(room_named(ROOM).title)
        named = found.spec.get("name", {})
        upstreams = "\n".join(found.spec.get("upstreams", ()))
        form = {"name_vi": named.get("vi", ""), "name_en": named.get("en", ""), "upstreams": upstreams}
        return await changing(request, visit, found, form)

    @router.post("/{agency}/{system}/{code}/change")
    async def change(request: Request, agency: str, system: str, code: str) -> Response:
        visit = await own(request, agency)
        form = await web.forms.read(request, limit=LARGEST_FORM)
        found = Named.of(await visit.desk.get(provided_path("services", agency, system, code)))
        written = None
        look = bool(form.get("look"))
        query = f"?dry_run={str(look).lower()}&allow_breaking={str(bool(form.get('breaking'))).lower()}"
        try:
            written = await document_of(form) if form.get("document", "").strip() else None
            manifest = changed_service(found, form, written)
            answer = await visit.desk.send("POST", f"{APPLY}{query}", {"manifests": [manifest]})
        except ProblemError as problem:
            failed = shown_above(problem, *AT_THE_FORM)
            told = with_lines(problem, written)
            return await changing(request, visit, found, form, status=problem.status, mistakes=told, **failed)
        if look:
            (result,) = answer["results"]
            return await changing(request, visit, found, form, checked=result)
        return see_other(f"/services/{found.id}?done=changed")

    @router.post("/{agency}/{system}/{code}/stage")
    async def move(request: Request, agency: str, system: str, code: str) -> Response:
        visit = await own(request, agency)
        form = await web.forms.read(request)
        found = Named.of(await visit.desk.get(provided_path("services", agency, system, code)))
        manifest = moved_service(found, form)
        try:
            await visit.desk.send("POST", APPLY, {"manifests": [manifest]})
        except ProblemError as problem:
            failed = shown_above(problem, *AT_THE_FORM)
            told = with_lines(problem, None)
            return await page_of(request, visit, found, status=problem.status, mistakes=told, **failed)
        return see_other(f"/services/{found.id}?done=moved")

    return router


async def _taken(visit: Visit, service_id: str) -> bool:
    """Whether there is a service of this id; what is wrong with one that can be none, the catalog says."""
    parts = service_id.split("/")
    try:
        path = provided_path("services", *parts) if len(parts) == 3 else ""
    except ProblemError:
        return False
    return bool(path) and await is_there(visit, path)
