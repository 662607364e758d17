"""Pages: what waits for a decision, what an agency asks for, and one agreement with all that was done."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from lienthong.console.agreements.shown import (
    AGREEMENTS,
    STEPS,
    Agreement,
    agreement_path,
    changed_term,
    listed_agreements,
)
from lienthong.console.errors import nothing_there
from lienthong.console.web import NOTHING_FAILED, Visit, Web, shown_above
from lienthong.kit.clock import Clock
from lienthong.kit.policy import Action
from lienthong.kit.problems import ProblemError
from lienthong.kit.text import BilingualText
from lienthong.pages.frame import see_other

CATALOG: Final = "catalog"
REQUESTS: Final = "requests"
DECISIONS: Final = "decisions"
_MOST_AGENCIES: Final = 20
_AT_A_TIME: Final = 50
_SIMILAR: Final = 10
_HISTORY: Final = 100
_AT_THE_FORM: Final = (
    "invalid-manifests",
    "conflict",
    "changed-since",
    "not-allowed",
    "role-required",
    "suspended-by-platform",
    "rate-limited",
)
"""Problems of a step that are told above the agreement."""
_STEPS: Final = frozenset(STEPS) - {"request", "change", "lapse", "restore"}


def agreement_routes(web: Web, clock: Clock) -> APIRouter:
    """Build the routes."""
    router = APIRouter()

    async def lists(
        request: Request, room: str, action: Action, titles: Sequence[tuple[BilingualText, dict[str, str]]]
    ) -> Response:
        visit = await web.known(request, room)
        places = visit.places(action)[:_MOST_AGENCIES]
        side = "provider" if room == DECISIONS else "consumer_agency"
        found = []
        for place in places:
            of_place = {side: place} if place else {}
            pages = await asyncio.gather(
                *(visit.desk.get(AGREEMENTS, **of_place, **query, limit=_AT_A_TIME) for _, query in titles)
            )
            parts = [
                (title, listed_agreements(page), page.get("next") is not None)
                for (title, _), page in zip(titles, pages, strict=True)
            ]
            found.append((place, parts))
        agency = await web.names.of(visit.desk, places)
        today = clock.now().date()
        return web.page(request, visit, "agreements.html", room=room, found=found, agency=agency, today=today)

    @router.get("/decisions")
    async def decisions(request: Request) -> Response:
        return await lists(request, DECISIONS, Action.DECIDE_AGREEMENTS, _OF_OWNER)

    @router.get("/requests")
    async def requests(request: Request) -> Response:
        return await lists(request, REQUESTS, Action.REQUEST_AGREEMENTS, _OF_CONSUMER)

    async def shown(request: Request, visit: Visit, agreement_id: str, **values: Any) -> Response:  # noqa: ANN401
        path = agreement_path(agreement_id)
        agreement = Agreement.of(await visit.desk.get(path))
        of_target = "service" if "service" in agreement.spec else "event_type"
        similar, history = await asyncio.gather(
            visit.desk.get(
                AGREEMENTS, **{of_target: agreement.target}, status="approved", limit=_SIMILAR + 1
            ),
            visit.desk.get(f"{path}/history", limit=_HISTORY),
        )
        agencies = [agreement.provider_agency, agreement.consumer_agency]
        values = {**NOTHING_FAILED, "done": request.query_params.get("done", ""), **values}
        return web.page(
            request,
            visit,
            "agreement.html",
            room=CATALOG,
            one=agreement,
            agency=await web.names.of(visit.desk, agencies),
            similar=[one for one in listed_agreements(similar) if one.id != agreement.id][:_SIMILAR],
            history=[_step(step) for step in reversed(history.get("items") or ())],
            steps=agreement.steps(visit),
            may_amend=agreement.may_amend(visit),
            amendment_steps=agreement.steps(visit, of_amendment=True),
            me=f"person/{visit.person.id}",
            today=clock.now().date(),
            **values,
        )

    @router.get("/agreements/{agreement_id}")
    async def one_agreement(request: Request, agreement_id: str) -> Response:
        return await shown(request, await web.known(request, CATALOG), agreement_id)

    @router.post("/agreements/{agreement_id}/{step}")
    async def take(request: Request, agreement_id: str, step: str) -> Response:
        form = await web.forms.read(request)
        visit = await web.known(request, CATALOG)
        path = agreement_path(agreement_id)
        version = form.get("version", "")
        if step not in _STEPS or not (version.isascii() and version.isdecimal()):
            raise nothing_there()
        of = "/amendment" if form.get("of") == "amendment" else ""
        said = {name: form.get(name, "").strip() for name in ("legal_ground", "reason")}
        body = {name: text for name, text in said.items() if text}
        try:
            await visit.desk.send("POST", f"{path}{of}/{step}", body, stated=int(version))
        except ProblemError as problem:
            failed = shown_above(problem, *_AT_THE_FORM)
            return await shown(request, visit, agreement_id, status=problem.status, **failed)
        return see_other(f"/agreements/{agreement_id}?done={step}")

    return router


def _step(step: dict[str, Any]) -> dict[str, Any]:
    """A step as the page shows it."""
    action = str(step.get("action", ""))
    return {
        "title": STEPS.get(action, BilingualText(action, action)),
        "at": str(step.get("at", ""))[:16].replace("T", " "),
        "by": str(step.get("by", "")),
        "ground": step.get("legalGround") or "",
        "reason": step.get("reason") or "",
        "amendment": step.get("amendment"),
        "changes": [changed_term(one) for one in step.get("changes") or ()],
    }


_OF_OWNER: Final = (
    (BilingualText("Awaiting a decision", "Chờ quyết định"), {"waiting_for": "owner"}),
    (BilingualText("Approved", "Đã duyệt"), {"status": "approved"}),
)
_OF_CONSUMER: Final = (
    (BilingualText("Your turn", "Đến lượt cơ quan bạn"), {"waiting_for": "consumer"}),
    (BilingualText("Awaiting the owner", "Chờ chủ dữ liệu"), {"waiting_for": "owner"}),
    (BilingualText("Approved", "Đã duyệt"), {"status": "approved"}),
)
