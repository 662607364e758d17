"""Pages: asking for other terms of an agreement that is approved."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from lienthong.console.agreements.pages import REQUESTS
from lienthong.console.agreements.shown import Agreement, agreement_path
from lienthong.console.errors import room_closed
from lienthong.console.finding.documents import MOST_OPERATIONS, operations_of
from lienthong.console.finding.found import provided_path
from lienthong.console.web import NOTHING_FAILED, Visit, Web, room_named, shown_above
from lienthong.kit.policy import Action
from lienthong.kit.problems import ProblemError
from lienthong.pages.forms import MAX_FIELDS
from lienthong.pages.frame import see_other

_LARGEST_FORM: Final = 128 * 1024
_OPERATION: Final = "operation:"
_AT_THE_FORM: Final = (
    "invalid-manifests",
    "invalid-request",
    "conflict",
    "changed-since",
    "not-allowed",
    "role-required",
    "rate-limited",
    "too-many-open-requests",
)


def amendment_routes(web: Web) -> APIRouter:
    """Build the routes."""
    router = APIRouter(prefix="/agreements/{agreement_id}/amend")

    async def read(request: Request, agreement_id: str) -> tuple[Visit, Agreement]:
        visit = await web.known(request, REQUESTS)
        agreement = Agreement.of(await visit.desk.get(agreement_path(agreement_id)))
        if not visit.may(Action.REQUEST_AGREEMENTS, agreement.consumer_agency):
            raise room_closed(room_named(REQUESTS).title)
        return visit, agreement

    async def shown(
        request: Request,
        visit: Visit,
        agreement: Agreement,
        form: Mapping[str, Any],
        **failed: Any,  # noqa: ANN401
    ) -> Response:
        operations = []
        if "service" in agreement.spec:
            path = provided_path("services", *agreement.target.split("/"))
            operations = list(operations_of(await visit.desk.get(path)))
        return web.page(
            request,
            visit,
            "amend_agreement.html",
            room=REQUESTS,
            one=agreement,
            operations=operations,
            form=form,
            **{**NOTHING_FAILED, **failed},
        )

    @router.get("")
    async def ask_what(request: Request, agreement_id: str) -> Response:
        visit, agreement = await read(request, agreement_id)
        if not agreement.may_amend(visit):
            # The page of the agreement says why: it has ended, or other terms wait already.
            return see_other(f"/agreements/{agreement_id}")
        spec = agreement.spec
        form = {
            "purposes": ", ".join(spec.get("purposes", ())),
            "legalGround": spec.get("legalGround", ""),
            "operations": spec.get("operations", ()),
        }
        return await shown(request, visit, agreement, form)

    @router.post("")
    async def ask(request: Request, agreement_id: str) -> Response:
        form = await web.forms.read(request, limit=_LARGEST_FORM, fields=MOST_OPERATIONS + MAX_FIELDS)
        visit, agreement = await read(request, agreement_id)
        chosen = [name.removeprefix(_OPERATION) for name in form if name.startswith(_OPERATION)]
        body = {"terms": _terms(agreement.spec, form, chosen), "reason": form.get("reason", "").strip()}
        try:
            await visit.desk.send("POST", f"{agreement_path(agreement_id)}/amendment", body)
        except ProblemError as problem:
            failed = shown_above(problem, *_AT_THE_FORM)
            kept = {**form, "operations": chosen}
            return await shown(request, visit, agreement, kept, status=problem.status, **failed)
        return see_other(f"/agreements/{agreement_id}?done=amend")

    return router


def _terms(spec: Mapping[str, Any], form: Mapping[str, str], chosen: list[str]) -> dict[str, Any]:
    """The terms that a form changes; None takes one out."""
    typed: dict[str, Any] = {
        "purposes": form.get("purposes", "").replace(",", " ").split(),
        "legalGround": form.get("legalGround", "").strip(),
    }
    if "service" in spec:
        typed["operations"] = chosen or None
    if until := form.get("validTo", "").strip():
        typed["validTo"] = until
    return {name: value for name, value in typed.items() if value != spec.get(name)}
