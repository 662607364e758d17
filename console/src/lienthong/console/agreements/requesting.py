"""Pages: asking for an agreement by a form, with the operations of the service to choose from."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from lienthong.console.agreements.pages import REQUESTS
from lienthong.console.agreements.shown import AGREEMENTS, Agreement
from lienthong.console.errors import nothing_there
from lienthong.console.finding.answers import MOST_FIELDS
from lienthong.console.finding.documents import MOST_OPERATIONS, operations_of
from lienthong.console.finding.found import provided_path
from lienthong.console.systems.asking import SYSTEMS
from lienthong.console.systems.manifests import Named, listed
from lienthong.console.web import NOTHING_FAILED, Visit, Web, shown_above
from lienthong.kit.field_paths import EVERY_OPERATION, WHOLE_DOCUMENT
from lienthong.kit.policy import Action
from lienthong.kit.problems import ProblemError
from lienthong.pages.forms import MAX_FIELDS
from lienthong.pages.frame import see_other

_MOST_AGENCIES: Final = 20
_MOST_SYSTEMS: Final = 200
_WITH_FIELDS: Final = 30
"""Operations of which the form lists the fields of answers."""
_LARGEST_FORM: Final = 512 * 1024
"""Bytes: two hundred operations with names of some hundred characters, the fields of thirty, and the rest."""
_FIELD: Final = "field:"
_KINDS: Final = {"service": "services", "event_type": "event-types"}
_MEMBERS: Final = {"service": "service", "event_type": "eventType"}
_AT_THE_FORM: Final = (
    "invalid-manifests",
    "conflict",
    "not-allowed",
    "role-required",
    "rate-limited",
    "too-many-open-requests",
)


def request_routes(web: Web) -> APIRouter:
    """Build the routes."""
    router = APIRouter(prefix="/requests/new")

    async def asked(
        request: Request,
        visit: Visit,
        kind: str,
        target_id: str,
        form: Mapping[str, Any],
        **failed: Any,  # noqa: ANN401
    ) -> Response:
        parts = target_id.split("/")
        if kind not in _KINDS or len(parts) != 3:
            raise nothing_there()
        manifest = await visit.desk.get(provided_path(_KINDS[kind], *parts))
        places = visit.places(Action.REQUEST_AGREEMENTS)[:_MOST_AGENCIES]
        systems = []
        for place in places:
            of_place = {"agency": place} if place else {}
            systems += listed(await visit.desk.get(SYSTEMS, **of_place, limit=_MOST_SYSTEMS))
        return web.page(
            request,
            visit,
            "request_agreement.html",
            room=REQUESTS,
            kind=kind,
            target=Named.of(manifest),
            operations=operations_of(manifest, with_fields=_WITH_FIELDS) if kind == "service" else [],
            systems=systems,
            form=form,
            **{**NOTHING_FAILED, **failed},
        )

    @router.get("")
    async def ask_what(request: Request) -> Response:
        visit = await web.known(request, REQUESTS)
        given = request.query_params
        kind = next((one for one in _KINDS if one in given), "")
        return await asked(request, visit, kind, given.get(kind, ""), {})

    @router.post("")
    async def ask(request: Request) -> Response:
        most = MOST_OPERATIONS + _WITH_FIELDS * MOST_FIELDS + MAX_FIELDS
        form = await web.forms.read(request, limit=_LARGEST_FORM, fields=most)
        visit = await web.known(request, REQUESTS)
        kind, target = form.get("kind", ""), form.get("target", "")
        if kind not in _KINDS:
            raise nothing_there()
        body = _request(kind, target, form)
        try:
            made = Agreement.of(await visit.desk.send("POST", AGREEMENTS, body))
        except ProblemError as problem:
            failed = shown_above(problem, *_AT_THE_FORM)
            ticked = {name for name in form if name.startswith(_FIELD)}
            kept = {**form, "operations": body.get("operations") or [], "ticked": ticked}
            return await asked(request, visit, kind, target, kept, status=problem.status, **failed)
        return see_other(f"/agreements/{made.id}?done={'drafted' if made.status == 'draft' else 'request'}")

    return router


def _fields(form: Mapping[str, str]) -> dict[str, list[str]]:
    """The fields that were chosen, by operation; the answers of all other operations leave whole."""
    found: dict[str, list[str]] = {}
    for name in form:
        # Neither the name of an operation nor a path has a tab in it.
        operation, _, path = name.removeprefix(_FIELD).partition("\t")
        if name.startswith(_FIELD) and operation:
            found.setdefault(operation, []).append(path)
    return {**found, EVERY_OPERATION: [WHOLE_DOCUMENT]} if found else {}


def _request(kind: str, target: str, form: Mapping[str, str]) -> dict[str, Any]:
    """What a form asks of the catalog."""
    purposes = form.get("purposes", "").replace(",", " ").split()
    body: dict[str, Any] = {
        "consumer": form.get("consumer", ""),
        _MEMBERS[kind]: target,
        "purposes": purposes,
        "legalGround": form.get("legalGround", "").strip(),
    }
    if chosen := [name.removeprefix("operation:") for name in form if name.startswith("operation:")]:
        body["operations"] = chosen
    if fields := _fields(form):
        body["fields"] = fields
    if until := form.get("validTo", "").strip():
        body["validTo"] = until
    if form.get("draft"):
        body["status"] = "draft"
    return body
